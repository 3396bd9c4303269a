/**
 * What delivering costs a gateway: the draw of a question, as `ask` makes it, while twenty adapters have a rollout, and watching one rollout, as
 * its run does it, while answers come as fast as a million a day. Adapters without weights and answers are put into the tables of a database of its
 * own; what costs is the processor time of this process, above that of the same process with nothing to watch, without the database's.
 *
 *   npm run bench -- delivery-live [--seconds 40]
 */
import { AnswerStore, AskService, type AskParts } from '../src/answer/ask/index.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/platform/config.js';
import { deliveryServices, rolloutRuns } from '../src/ship/delivery/index.js';
import { EvaluationStore, Gate } from '../src/prove/index.js';
import { sha256 } from '../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../src/kernel/ids.js';
import { openPlatform, type Platform } from '../src/platform/platform.js';
import { Teardown } from '../src/platform/teardown.js';
import { createLogger } from '../src/platform/telemetry/index.js';
import { AdapterStore, openRegistry } from '../src/sources/registry/index.js';
import { numberOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';

const SECONDS = numberOption('seconds', 40);
const A_SECOND = 1_000_000 / 86_400;
const WARM_UP_SECONDS = 25;
const ADAPTERS = 20;
const DRAWS = 200_000;
const workspaceId = DEFAULT_WORKSPACE_ID;

/** An adapter whose version 1 is production and whose version 2 passed the gate against it. */
async function plantAdapter({ database: { prisma }, database }: Platform, name: string): Promise<void> {
  const model = await prisma.baseModel.create({
    data: { id: newId(), workspaceId, name: `m ${name}`, architecture: 'llama', parameters: 1n, source: 'FILE' },
  });
  const variant = await prisma.modelVariant.create({
    data: {
      id: newId(),
      workspaceId,
      modelId: model.id,
      quantization: 'F16',
      sha256: sha256(name),
      bytes: 1n,
      contextLength: 512,
      vocabulary: 10,
      location: 'nowhere',
    },
  });
  const adapter = await prisma.adapter.create({
    data: { id: newId(), workspaceId, name, task: 'INSTRUCTION', modelId: model.id, lastVersion: 2 },
  });
  const ids = [newId(), newId()] as const;
  for (const [i, id] of ids.entries())
    await prisma.adapterVersion.create({
      data: {
        id,
        workspaceId,
        adapterId: adapter.id,
        version: i + 1,
        digest: sha256(`${name} ${i}`),
        weightsFileId: newId(),
        configFileId: newId(),
        ggufFileId: newId(),
        ggufSha256: sha256(name),
        bytes: 1n,
        rank: 1,
        alpha: 1,
        targets: [],
        variantId: variant.id,
        origin: 'IMPORTED',
        usage: {},
        attestation: {},
      },
    });
  const store = new AdapterStore(database);
  const move = { by: 'bench', reason: 'bench' };
  await store.moveAlias(adapter, { ...move, evidence: {}, alias: 'production', toVersionId: ids[0] }, null);
  const bounds = { leastGain: 0, perplexityRatio: 1.05, foreignAccepted: 0.15 };
  const evidence = { v: 1, forced: false, evaluationId: null, bounds, checks: [], replacedVersionId: ids[0] };
  await store.moveAlias(adapter, { ...move, evidence, alias: 'candidate', toVersionId: ids[1] }, null);
}

/** So many answers of a rollout, one in ten its candidate's. */
const ANSWERS = `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, strategy, latency_ms, confidence,
    assignment_kind, assignment_subject, assignment_arm, assignment_stage, assignment_bucket, assignment_probability, assignment_forced,
    unit_hash, assignment_sequence, finished_at)
  SELECT gen_random_uuid(), '${workspaceId}', gen_random_uuid(), '', 'COMPLETE', 'Why?', 'ADAPTER', 100 + i % 7, .9, 'ROLLOUT', '%ID',
    CASE WHEN i % 10 = 0 THEN 'CANDIDATE' ELSE 'CONTROL' END, 0, .5, .1, false, gen_random_uuid(), nextval('answer_assignment_sequence'), now()
    FROM generate_series(1, %COUNT) AS i`;
const answers = (id: string, count: number): string => ANSWERS.replace('%ID', id).replace('%COUNT', String(count));

/** Processor time of this process, in ms a second. */
async function busy(work: () => Promise<unknown>): Promise<number> {
  const [began, from] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / (performance.now() - from);
}

const home = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const log = createLogger({ level: 'error' });
const teardown = new Teardown();
teardown.add(() => rm(home, { recursive: true, force: true }));
const config = loadConfig({ ...process.env, GRAFT_HOME: home, DATABASE_URL: '', CHROMA_URL: '' });
const platform = await openPlatform(config, log, teardown, [rolloutRuns], { unsaid: 'system' });
const { database, runs } = platform;
const { adapters, registry: models } = openRegistry(platform);
const gate = new Gate({ adapters, evaluations: new EvaluationStore(database) });
const recorded = new AnswerStore(database);
const asking = new AskService({ answers: recorded } as AskParts);
const asked = { answers: recorded, asking, askingInBulk: asking };
const services = deliveryServices({ ...platform, ...asked, adapters, models, gate });
const { rolloutService, tests, rollouts } = services;
runs.handle([rolloutRuns], services);
teardown.add(() => runs.stop());
teardown.add(() => tests.stop());

try {
  await tests.start();
  const steps = [{ share: 0.1, controls: 9, leastAnswers: 1_000_000, leastMinutes: 0 }, { share: 0.9 }];
  const start = async (n: number): Promise<string> => {
    const wish = { adapter: `adapter-${n}`, steps, by: 'bench', reason: 'bench', idempotencyKey: newId() };
    return (await rolloutService.start(workspaceId, wish)).id;
  };
  const ids: string[] = [];
  for (let n = 0; n < ADAPTERS; n++) {
    await plantAdapter(platform, `adapter-${n}`);
    ids.push(await start(n));
  }
  const began = process.cpuUsage();
  for (let n = 0; n < DRAWS; n++)
    tests.assign(workspaceId, `adapter-${n % ADAPTERS}`, { unit: `user-${n}`, requestKey: '', forceArm: null });
  const { user, system } = process.cpuUsage(began);
  const draw = (user + system) / DRAWS;

  for (const id of ids)
    await rolloutService.order(workspaceId, id, { command: { kind: 'ABORT' }, by: 'bench', reason: 'bench' });
  runs.start();
  const watched = await start(0);
  const each = Math.round(A_SECOND);
  // The server makes them, so that nothing of it costs here.
  const coming = (seconds: number): string =>
    `DO $$ BEGIN FOR turn IN 1..${seconds} LOOP ${answers(watched, each)}; COMMIT; PERFORM pg_sleep(1); END LOOP; END $$`;
  // A program that has just begun compiles what it runs most, for a third of a second in all: that is no cost of a day.
  await database.pool.query(coming(WARM_UP_SECONDS));
  const watching = await busy(() => database.pool.query(coming(SECONDS)));
  const all = each * (WARM_UP_SECONDS + SECONDS);
  let seen = await rollouts.require(workspaceId, watched);
  // What was counted is written every few seconds.
  for (let waited = 0; waited < 30 && Number(seen.lastSequence) < all; waited++) {
    await sleep(1_000);
    seen = await rollouts.require(workspaceId, watched);
  }
  if (seen.status !== 'RUNNING' || Number(seen.lastSequence) < all)
    throw new Error(`the rollout is ${seen.status} and has counted ${seen.lastSequence} answers`);
  await rolloutService.order(workspaceId, watched, { command: { kind: 'ABORT' }, by: 'bench', reason: 'bench' });
  await sleep(5_000);
  const idle = await busy(() => sleep(1_000 * SECONDS));
  const share = (watching - idle) / 1_000;
  const rows = [
    {
      what: `drawing a question while ${ADAPTERS} adapters have a rollout`,
      runs: DRAWS,
      result: `${draw.toFixed(2)} µs`,
      target: '< 200 µs',
      met: draw < 200 ? 'yes' : 'no',
    },
    {
      what: 'watching a rollout while a million answers a day come, of a core',
      runs: each * SECONDS,
      result: `${(100 * share).toFixed(2)} %`,
      target: '< 1 %',
      met: share < 0.01 ? 'yes' : 'no',
    },
  ];
  printResult('delivery', { machine: describeMachine(), rows });
} finally {
  await teardown.run(log);
}
