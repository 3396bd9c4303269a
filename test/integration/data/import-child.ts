/** A gateway that does imports in a process of its own, so that tests can really kill it. */
import { join } from 'node:path';
import { Data, dataDomain } from '../../../src/data/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { Erasure } from '../../../src/platform/erasure/index.js';
import { CollectionStore, DocumentStore } from '../../../src/knowledge/index.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { openDatabase } from '../../../src/platform/database/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { RunQueue } from '../../../src/platform/runs/index.js';
import { ChromaVectorStore } from '../../../src/platform/vectors/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';

const [url, folder] = process.argv.slice(2) as [string, string];
const database = await openDatabase(url);
const log = silentLogger();
const events = new EventLog({ database, log });
/** Killed more often in a row than a gateway would put up with. */
const kinds = dataDomain.runs.map((each) => ({ ...each, definition: { ...each.definition, attempts: 50 } }));
const runs = new RunQueue({ database, events, clock: systemClock, log, owner: 'one', pollMs: 50, kinds });
const artifacts = new LocalArtifactStore(join(folder, 'artifacts'));
const files = new FileService(database, artifacts);
const nothing = (): never => {
  throw new Error('nothing is embedded or searched here');
};
const data = new Data({
  database,
  runs,
  files,
  artifacts,
  clock: systemClock,
  folder: join(folder, 'data'),
  countTokens: null,
  erasure: new Erasure(files),
  vectors: new ChromaVectorStore({ url: 'http://127.0.0.1:9' }),
  worker: { embed: nothing },
  embedder: nothing,
  collections: new CollectionStore(database),
  documents: new DocumentStore(database),
  retriever: { scope: nothing, retrieve: nothing, termWeights: nothing },
});
await data.importer.sweep();
runs.handle(kinds, data);
runs.start();
process.stdout.write('started\n');
