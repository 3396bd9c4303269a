import { factsOf, LabelWords, Split, type Data } from '../../sources/data/index.js';
import { badInput, GraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry } from '../../sources/registry/index.js';
import { askRow } from '../evaluations/ask-row.js';
import { decidingMetric, type Answered } from '../evaluations/figures.js';
import { sampleRows } from '../evaluations/sample-rows.js';
import { scaleChoice, type ScaleChoiceContext } from './scale-run.js';

interface ScaleChooserParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'variant'>;
  adapters: AdapterRegistry;
  data: Data;
  worker: Pick<WorkerClient, 'generate' | 'scoreNext'>;
}

interface StartScaleChoice {
  adapter: string;
  version: number;
  /** null: the one that it was trained on. */
  datasetVersionId: string | null;
  rows: number;
  seed: number;
  idempotencyKey: string;
}

/** Weakest first: of those that answer equally well the weakest forgets least. */
const SCALES = [0.5, 0.625, 0.75, 0.875, 1] as const;
const MOST_SCALE_ROWS = 1_000;

/** Chooses how strongly an adapter acts when it answers. */
export class ScaleChooser {
  constructor(private readonly parts: ScaleChooserParts) {}

  /**
   * @returns the SCALE_CHOICE run
   * @throws NOT_FOUND, BAD_USER_INPUT, DATASET_UNUSABLE, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartScaleChoice): Promise<RunRow> {
    const { adapters, data, runs } = this.parts;
    const { rows, seed, idempotencyKey } = input;
    if (rows < 1 || rows > MOST_SCALE_ROWS)
      throw badInput('input.rows', `rows must be between 1 and ${MOST_SCALE_ROWS}, not ${rows}.`);
    const adapter = await adapters.require(workspaceId, input.adapter, 'input.adapter');
    const version = await adapters.store.resolve(adapter, { version: input.version });
    if (!version) throw notFound('The adapter version', `${input.adapter}@${input.version}`, 'input.version');
    const datasetVersionId = input.datasetVersionId ?? version.datasetVersionId;
    if (datasetVersionId === null)
      throw badInput('input.datasetVersion', 'An imported version was trained on no dataset version: name one.');
    const usable = await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input.datasetVersion');
    if (usable.dataset.task !== adapter.task)
      throw badInput('input.datasetVersion', `The rows are for ${usable.dataset.task}, not for ${adapter.task}.`);
    return runs.enqueue(scaleChoice, {
      workspaceId,
      idempotencyKey,
      subjectId: version.id,
      input: { adapterVersionId: version.id, datasetVersionId, rows, seed },
    });
  }

  /**
   * The work of a SCALE_CHOICE run. A version that is given another scale than it was attested at must be attested again.
   * @throws CONFLICT for a version that an alias names or ever did, DATASET_UNUSABLE, and what the worker throws
   */
  async choose({
    run,
    input,
    signal,
    progress,
    takeTurns,
  }: Pick<ScaleChoiceContext, 'run' | 'input' | 'signal'> & {
    progress: (share: number, message: string) => Promise<void>;
    takeTurns: () => Promise<void>;
  }): Promise<{ scale: number; metric: string; tried: { scale: number; value: number }[] }> {
    const { adapters, data, registry, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { version, adapter } = await adapters.requireVersionById(workspaceId, input.adapterVersionId);
    const servedAdapter = await adapters.served(workspaceId, adapter, version);
    const variant = await registry.variant(workspaceId, version.variantId);
    const {
      dataset,
      version: rowsOf,
      rowGroups,
    } = await data.datasets.usableVersion(workspaceId, input.datasetVersionId, 'input.datasetVersion');
    const stream = data.rows.stream(dataset.task, rowGroups, { split: Split.VALIDATION, quarantined: false });
    const rows = await sampleRows(stream, input.rows, input.seed);
    if (rows.length === 0)
      throw new GraftError('DATASET_UNUSABLE', `Version ${rowsOf.version} has no VALIDATION rows to choose on.`);
    const views = rowsOf.manifest.features.map(({ view }) => view);
    const shared = await data.rows.taskContext(dataset.task, rowGroups);
    const { labels, languages } = servedAdapter.usage;
    const context = { labels: new LabelWords(labels), languages };

    const trials: { scale: number; value: number; metric: string; gain: number }[] = [];
    for (const scale of SCALES) {
      const side = {
        workspaceId,
        variant,
        adapter: { ...servedAdapter, file: { ...servedAdapter.file, scale } },
        context,
      };
      const answers: Answered[] = [];
      for (const row of rows)
        answers.push(await askRow(worker, side, { row: row.content, facts: factsOf(row, views) }, signal));
      const { name, value, higherIsBetter } = decidingMetric(
        rows.map(({ content }) => content),
        answers,
        shared,
      );
      trials.push({ scale, value, metric: name, gain: higherIsBetter ? value : -value });
      await progress((0.99 * trials.length) / SCALES.length, `At scale ${scale}: ${name} ${value.toFixed(3)}.`);
      await takeTurns();
    }
    const best = trials.reduce((first, trial) => (trial.gain > first.gain ? trial : first));
    const choices = trials.map(({ scale, value }) => ({ scale, value }));
    await adapters.rescale(version, best.scale, { scales: choices, scaleMetric: best.metric });
    return { scale: best.scale, metric: best.metric, tried: choices };
  }
}
