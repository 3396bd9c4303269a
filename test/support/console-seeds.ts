import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../src/kernel/ids.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { asColumn, type Database } from '../../src/platform/database/index.js';
import { EventLog } from '../../src/platform/events/index.js';
import { runStream } from '../../src/platform/runs/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { Split } from '../../src/sources/data/index.js';
import { storedLearned } from '../../src/answer/ask/route/router/router.js';
import { StrategyValues, type Strategy } from '../../src/answer/ask/index.js';
import { strategyComparison } from '../../src/prove/comparison/comparison-run.js';
import { storedFigures } from '../../src/prove/evaluations/figures.js';
import { storedMetrics } from '../../src/sources/registry/index.js';
import { presetOf } from '../../src/learn/training/index.js';
import { training } from '../../src/learn/training/runs/training-run.js';

/** Copies a run that ended so often that there are `total` in all: what years of use leave. */
export async function copyRuns({ pool }: Database, total: number): Promise<void> {
  await pool.query(
    `INSERT INTO run SELECT copied.* FROM (SELECT * FROM run WHERE finished_at IS NOT NULL LIMIT 1) AS template,
       generate_series(1, $1 - (SELECT count(*) FROM run)) AS n,
       jsonb_populate_record(NULL::run, to_jsonb(template) || jsonb_build_object(
         'id', gen_random_uuid(), 'idempotency_key', NULL, 'created_at', now() - n * interval '1 minute')) AS copied`,
    [total],
  );
}

const around = (value: number, by: number) => ({ value, low: value - by, high: value + by });

export interface MeasuredVersion {
  quality: number;
  /** Perplexity of general text, over the base model's. */
  ratio: number;
  alias?: string;
  /** Labels that were mistaken for one another. */
  mistaken?: readonly [gold: string, predicted: string];
}

/** An adapter whose versions were evaluated on the same rows. Only what a page shows of it is there: it can't answer. */
export async function addMeasuredAdapter(
  { prisma }: Database,
  name: string,
  versions: readonly MeasuredVersion[],
): Promise<void> {
  const variant = await prisma.modelVariant.findFirstOrThrow();
  const rowsOf = await prisma.datasetVersion.findFirst();
  const adapter = await prisma.adapter.create({
    data: {
      id: newId(),
      workspaceId,
      name,
      task: 'CLASSIFICATION',
      modelId: variant.modelId,
      lastVersion: versions.length,
    },
  });
  for (const [i, { quality, ratio, alias, mistaken }] of versions.entries()) {
    const id = newId();
    await prisma.adapterVersion.create({
      data: {
        id,
        workspaceId,
        adapterId: adapter.id,
        version: i + 1,
        variantId: variant.id,
        origin: 'TRAINED',
        digest: String(i).repeat(64),
        ggufSha256: String(i).repeat(64),
        bytes: 1_000_000n,
        weightsFileId: newId(),
        configFileId: newId(),
        ggufFileId: newId(),
        rank: 8,
        alpha: 16,
        targets: ['attn_q'],
        datasetVersionId: rowsOf?.id ?? null,
        metrics: asColumn(
          storedMetrics.encode({
            memory: { estimatedBytes: 1.4e9, peakBytes: 1.2e9 },
            time: { estimatedSeconds: 300, seconds: 240, tokensPerSecond: 410 },
          }),
        ),
        usage: { v: 1, rendering: 1, labels: [], languages: null, reads: false, answer: { form: 'text' } },
      },
    });
    if (alias) await prisma.adapterAlias.create({ data: { adapterId: adapter.id, alias, versionId: id } });
    const perplexity = { base: 20, adapted: 20 * ratio, ratio: around(ratio, 0.01), tokens: 1_000 };
    await prisma.evaluation.create({
      data: {
        id: newId(),
        workspaceId,
        adapterVersionId: id,
        variantId: variant.id,
        compared: true,
        datasetVersionId: rowsOf?.id ?? newId(),
        split: 'TEST',
        scale: 1,
        rows: 200,
        figures: asColumn(
          storedFigures.encode({
            metrics: [
              {
                name: 'accuracy',
                higherIsBetter: true,
                ...around(quality, 0.04),
                difference: { ...around(0.2, 0.05), p: 0.001 },
                pairs: null,
              },
            ],
            classes: [],
            confusions: mistaken ? [{ gold: mistaken[0], predicted: mistaken[1], count: 7 }] : [],
            confusionsRest: [],
            calibration: [],
            asBefore: null,
            retention: {
              perplexity,
              texts: [{ ...perplexity, name: 'seeded' }],
              prompts: 20,
              others: [],
              topAgreement: around(0.9, 0.02),
              divergence: around(0.05, 0.01),
              misrouted: around(0.8, 0.05),
            },
            regression: null,
            nearestRows: null,
            foreign: null,
          }),
        ),
      },
    });
  }
}

/** A comparison of all four strategies that has ended; its rows are gone, as those of a deleted dataset. */
export async function addComparison({ prisma }: Database): Promise<string> {
  const id = newId();
  const figures = (strategy: Strategy, value: number, medianMs: number) => ({
    strategy,
    ...around(value, 0.04),
    abstained: 1,
    medianMs,
  });
  const pair = (first: Strategy, second: Strategy, value: number) => ({
    first,
    second,
    ...around(value, 0.05),
    p: Math.abs(value) > 0.05 ? 0.001 : 0.4,
    mcnemar: { onlyFirst: 3, onlySecond: 21, p: 0.001 },
  });
  await prisma.run.create({
    data: {
      id,
      workspaceId,
      kind: 'STRATEGY_COMPARISON',
      status: 'SUCCEEDED',
      progress: 1,
      inputDigest: id,
      startedAt: new Date(),
      finishedAt: new Date(),
      input: asColumn(
        strategyComparison.input.encode({
          datasetVersionId: newId(),
          split: Split.TEST,
          rows: 200,
          seed: 1,
          adapter: 'routing@1',
          collections: null,
          strategies: Object.values(StrategyValues),
        }),
      ),
      output: asColumn(
        strategyComparison.output.encode({
          metric: 'macro-F1',
          rows: 200,
          recommended: 'HYBRID',
          decided: true,
          sentence: 'HYBRID has the best macro-F1: 0.93 (0.89 to 0.97) on 200 rows. Use it at 40 ms an answer.',
          strategies: [
            figures('BASE', 0.21, 420),
            figures('RAG', 0.84, 9),
            figures('ADAPTER', 0.9, 38),
            figures('HYBRID', 0.93, 40),
          ],
          pairs: [
            pair('BASE', 'RAG', 0.63),
            pair('BASE', 'ADAPTER', 0.69),
            pair('BASE', 'HYBRID', 0.72),
            pair('RAG', 'ADAPTER', 0.06),
            pair('RAG', 'HYBRID', 0.09),
            pair('ADAPTER', 'HYBRID', 0.03),
          ],
        }),
      ),
    },
  });
  return id;
}

/** A router that only observes, over two collections and an adapter. */
export async function addRouter({ prisma }: Database): Promise<void> {
  const perFeature = { top: 1, mean: 1, coverage: 1 };
  const calibration = (auc: number) => ({
    bias: 0,
    weights: perFeature,
    seen: { top: [0, 1] as [number, number], mean: [0, 1] as [number, number], coverage: [0, 1] as [number, number] },
    own: 120,
    foreign: 240,
    auc,
  });
  const heldOut = { rows: 60, foreign: 120, scores: [1, 2, 3] };
  await prisma.routerVersion.create({
    data: {
      id: newId(),
      workspaceId,
      version: 1,
      embedderDigest: '0'.repeat(64),
      mode: 'OBSERVE',
      learned: asColumn(
        storedLearned.encode({
          collections: [
            { id: newId(), name: 'pumps', calibration: calibration(0.98), heldOut },
            { id: newId(), name: 'ferries', calibration: calibration(0.95), heldOut },
          ],
          adapters: [
            {
              versionId: newId(),
              name: 'routing',
              version: 1,
              datasetVersionId: newId(),
              membership: {
                labels: ['hours'],
                weights: { bias: 0, own: 1, label: 1, near: 1 },
                calibration: { ...heldOut, auc: 0.91 },
              },
              evidence: [],
            },
          ],
          temperature: 1,
          significance: 0.05,
          baseScore: 0,
          adapterScore: 0,
          figures: { questions: 180, accuracy: 0.94, calibrationError: 0.03, commonest: 0.38, p: 0.001 },
          risks: {},
          fittedOn: { mark: newId(), collections: [], adapters: [] },
        }),
      ),
    },
  });
}

/** A training that another gateway seems to work at, with so many steps behind it. Its lease never ends, so that nobody takes it over. */
export async function beginTraining(
  database: Database,
  steps: number,
): Promise<{ id: string; step(): Promise<unknown> }> {
  const id = newId();
  const stepAt = (step: number) => ({
    detail: training.events.step.encode({
      step,
      steps: 2 * steps,
      epoch: step / steps,
      loss: 2 + Math.sin(step / 9),
      smoothedLoss: 2 + 100 / (step + 50),
      replayKl: 0.01 + 1 / (step + 20),
      learningRate: 1e-3 * Math.exp(-step / steps),
      gradientNorm: 1 + Math.cos(step),
      tokensPerSecond: 150 + (step % 7),
      etaSeconds: 60,
      memoryBytes: 2e9,
    }),
  });
  const variant = await database.prisma.modelVariant.findFirstOrThrow();
  await database.prisma.run.create({
    data: {
      id,
      workspaceId,
      kind: 'TRAINING',
      status: 'RUNNING',
      progress: 0.5,
      inputDigest: id,
      startedAt: new Date(),
      attempt: 1,
      leaseOwner: newId(),
      leaseUntil: new Date('2100-01-01'),
      input: asColumn(
        training.input.encode({
          adapter: 'routing',
          description: '',
          task: 'CLASSIFICATION',
          datasetVersionId: newId(),
          modelId: variant.modelId,
          variantId: variant.id,
          recipe: presetOf('CLASSIFICATION'),
        }),
      ),
    },
  });
  await database.pool.query(
    `INSERT INTO event (stream, sequence, workspace_id, type, payload)
     SELECT $1, n, $2, 'step', payload FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS each (payload, n)`,
    [runStream(id), workspaceId, JSON.stringify(Array.from({ length: steps }, (_, i) => stepAt(i + 1)))],
  );
  const events = new EventLog({ database, log: silentLogger() });
  let last = steps;
  return {
    id: toGlobalId('TrainingRun', id),
    step: () => events.append(workspaceId, runStream(id), 'step', stepAt(++last)),
  };
}
