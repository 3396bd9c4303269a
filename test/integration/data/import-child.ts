/** A gateway that does imports in a process of its own, so that tests can really kill it. */
import { join } from 'node:path';
import { loadConfig } from '../../../src/platform/config.js';
import { dataDomain, openData } from '../../../src/sources/data/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { openKnowledge } from '../../../src/sources/knowledge/index.js';
import { LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { openDatabase } from '../../../src/platform/database/index.js';
import { platformOn } from '../../../src/platform/platform.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../../src/platform/vectors/index.js';
import { ServeWorker, TrainWorker } from '../../../src/platform/worker/index.js';

const [url, folder] = process.argv.slice(2) as [string, string];
const log = silentLogger();
const platform = platformOn({
  config: loadConfig({ GRAFT_HOME: folder }),
  log,
  clock: systemClock,
  database: await openDatabase(url, { unsaid: 'system' }),
  artifacts: new LocalArtifactStore(join(folder, 'artifacts')),
  vectors: new ChromaVectorStore({ url: 'http://127.0.0.1:9' }),
  worker: new ServeWorker({ home: folder, log }),
  trainWorker: new TrainWorker({ log }),
  health: () => {
    throw new Error('nobody asks');
  },
  queue: { owner: 'one', pollMs: 50 },
});
const embedder = (): never => {
  throw new Error('nothing is embedded or searched here');
};
const knowledge = openKnowledge(platform, { embedder });
const { data } = await openData(platform, { registry: { embedder, countTokens: null }, knowledge });
/** Killed more often in a row than a gateway would put up with. */
const kinds = dataDomain.runs.map((each) => ({ ...each, definition: { ...each.definition, attempts: 50 } }));
platform.runs.handle(kinds, data);
platform.runs.start();
process.stdout.write('started\n');
