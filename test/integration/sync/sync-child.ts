/** A gateway that reads folders in a process of its own, so that tests can really kill it. */
import { join } from 'node:path';
import { openErasure } from '../../../src/kit/erasure/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { loadConfig } from '../../../src/platform/config.js';
import { openDatabase } from '../../../src/platform/database/index.js';
import { platformOn } from '../../../src/platform/platform.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../../src/platform/vectors/index.js';
import { ServeWorker, TrainWorker } from '../../../src/platform/worker/index.js';
import { knowledgeDomain, openKnowledge } from '../../../src/sources/knowledge/index.js';
import { openSync, syncDomain } from '../../../src/sources/sync/index.js';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { chromaUrl } from '../../support/chroma.js';

const [url, folder, root, embedder] = process.argv.slice(2) as [string, string, string, string];
const log = silentLogger();
const worker = new ServeWorker({ home: folder, log, gpu: false, drainMs: 0 });
await worker.start();
const platform = platformOn({
  config: loadConfig({ GRAFT_HOME: folder, GRAFT_SOURCE_FOLDERS: `shared=${root}` }),
  log,
  clock: systemClock,
  database: await openDatabase(url, { unsaid: 'system' }),
  artifacts: new LocalArtifactStore(join(folder, 'artifacts')),
  vectors: new ChromaVectorStore({ url: chromaUrl() }),
  worker,
  trainWorker: new TrainWorker({ log }),
  health: () => {
    throw new Error('nobody asks');
  },
  queue: { owner: 'one', pollMs: 50, leaseMs: 1_500, retryMs: 50 },
});
const knowledge = openKnowledge(platform, { embedder: () => JSON.parse(embedder) as EmbedderFiles });
const sync = openSync(platform, { knowledge });
openErasure(platform).offer.handleRuns();
for (const { offer } of [knowledge, sync]) offer.handleRuns();
// Killed more often in a row than a gateway would put up with.
for (const { definition } of [...knowledgeDomain.runs, ...syncDomain.runs]) Object.assign(definition, { attempts: 50 });
platform.runs.start();
process.stdout.write('started\n');
