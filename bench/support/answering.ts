import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askDomain, openAsking } from '../../src/answer/ask/index.js';
import { loadConfig } from '../../src/platform/config.js';
import { dataDomain, openData } from '../../src/sources/data/index.js';
import { runsOf } from '../../src/kit/domain/index.js';
import { erasureDomain, openErasure } from '../../src/kit/erasure/index.js';
import { localCaller } from '../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID } from '../../src/kernel/ids.js';
import { knowledgeDomain, openKnowledge, type NewDocument } from '../../src/sources/knowledge/index.js';
import { openPlatform } from '../../src/platform/platform.js';
import { isFinished } from '../../src/platform/runs/index.js';
import { Teardown } from '../../src/platform/teardown.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { openRegistry, registryDomain } from '../../src/sources/registry/index.js';
import { installReader } from '../../src/learn/training/index.js';
import { PROOF } from '../../test/support/attestation.js';

const DOMAINS = [registryDomain, knowledgeDomain, dataDomain, askDomain, erasureDomain];
const RUN_TIMEOUT_MS = 1_200_000;

/** Everything that answering takes, opened as `main.ts` opens it but without GraphQL, on a home of its own. */
export async function startAnswering() {
  const home = await mkdtemp(join(tmpdir(), 'graft-bench-'));
  const log = createLogger({ level: 'error' });
  // Its own servers, whatever else is configured.
  const config = loadConfig({ ...process.env, GRAFT_HOME: home, DATABASE_URL: '', CHROMA_URL: '' });
  const teardown = new Teardown();
  teardown.add(() => rm(home, { recursive: true, force: true }));
  const platform = await openPlatform(config, log, teardown, runsOf(DOMAINS), { unsaid: 'system' });
  const { database, files, runs, vectors, worker } = platform;
  const registry = openRegistry(platform);
  const knowledge = openKnowledge(platform, registry);
  const data = await openData(platform, { registry, knowledge });
  const ask = openAsking(platform, { registry, knowledge, data });
  for (const { offer } of [registry, knowledge, data, ask, openErasure(platform)]) {
    offer.handleRuns();
    teardown.add(() => offer.stop());
  }
  await worker.start();
  const variant = await registry.registry.ensureDefaults(DEFAULT_WORKSPACE_ID);
  const calibration = await worker.prepareModel({ workspaceId: DEFAULT_WORKSPACE_ID, model: variant });
  runs.start();
  teardown.add(() => runs.stop());

  /** Makes a collection of these documents and waits until it can be searched. */
  const ingest = async (collection: string, documents: NewDocument[], language?: string): Promise<void> => {
    await knowledge.service.createCollection({ workspaceId: DEFAULT_WORKSPACE_ID, name: collection, language });
    for (let from = 0; from < documents.length; from += 50) {
      const run = await knowledge.service.ingestDocuments(localCaller(DEFAULT_WORKSPACE_ID), {
        collection,
        documents: documents.slice(from, from + 50),
        idempotencyKey: `${collection} ${from}`,
      });
      for (const deadline = Date.now() + RUN_TIMEOUT_MS; ;) {
        const row = await runs.get(DEFAULT_WORKSPACE_ID, run.id);
        if (row && isFinished(row.status)) {
          if (row.status === 'SUCCEEDED') break;
          throw new Error(`${collection}: ${row.errorMessage}`);
        }
        if (Date.now() > deadline) throw new Error(`${collection} was not ingested in time`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };

  const workspaceId = DEFAULT_WORKSPACE_ID;
  return {
    parts: ask.parts,
    registry: registry.registry,
    adapters: registry.adapters,
    service: ask.asking,
    ingest,
    files,
    variant,
    calibration,
    worker,
    workspaceId,
    database,
    vectors,
    stop: () => teardown.run(log),
  };
}

/** Lets the reader that comes with Graft judge and read for the model that answers; where none does, nothing judges, and this says so. */
export async function putReaderInProduction({
  registry,
  adapters,
  files,
  variant,
  workspaceId,
}: Awaited<ReturnType<typeof startAnswering>>): Promise<void> {
  const reader = await installReader({ registry, adapters, files }, workspaceId);
  if (reader === null) {
    console.log(`No reader comes with ${variant.model}: AUTO answers as RAG does.`);
    return;
  }
  await adapters.attest(reader.version, PROOF);
  const move = { alias: 'production', toVersionId: reader.version.id, by: 'bench', reason: '', evidence: {} } as const;
  await adapters.store.moveAlias(await adapters.require(workspaceId, reader.name, 'adapter'), move, null);
}
