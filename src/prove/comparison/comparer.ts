import { STRATEGIES, StrategyValues, type Answer, type AskService, type Strategy } from '../../answer/ask/index.js';
import { hasLabel, inputText, Split, taskOf, type Data, type TaskContext } from '../../sources/data/index.js';
import { badInput } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Retriever } from '../../sources/knowledge/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry, ServedAdapter } from '../../sources/registry/index.js';
import { askRow, type Answering } from '../evaluations/ask-row.js';
import { decidingStatistics, type Answered } from '../evaluations/figures.js';
import type { AskedRow } from '../evaluations/sample-rows.js';
import { unseenRows } from '../evaluations/unseen-rows.js';
import { GENERAL_SET, generalTexts, isMeasured } from '../membership/general-texts.js';
import { binomialInterval } from '../../kernel/statistics/binomial.js';
import { compareAttempts } from './compare.js';
import {
  strategyComparison,
  type Attempt,
  type StrategyComparison,
  type ComparisonContext,
  type ComparisonInput,
} from './comparison-run.js';

interface ComparerParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'variant'>;
  adapters: AdapterRegistry;
  data: Data;
  worker: Pick<WorkerClient, 'generate' | 'scoreNext'>;
  /** Answers as users are answered, behind them in the queue. */
  asking: Pick<AskService, 'tryOut'>;
  retriever: Pick<Retriever, 'scope'>;
}

export interface StartComparison {
  datasetVersionId: string;
  split: Split;
  rows: number;
  seed: number;
  /** `name`, `name@candidate` or `name@3`; null: only strategies that apply none. */
  adapter: string | null;
  collections: readonly string[] | null;
  /** null: all that can answer. */
  strategies: readonly Strategy[] | null;
  idempotencyKey: string;
}

export const MOST_COMPARED_ROWS = 4_000;
/** Foreign texts that every strategy is asked. */
const MOST_FOREIGN = 40;
/** Rows between two checkpoints. */
const BATCH = 20;

const WHAT_IT_TAKES = 'Name an adapter, or index the labelled rows with indexDataset.';

/** Lets every strategy answer the same rows. */
export class Comparer {
  constructor(private readonly parts: ComparerParts) {}

  /**
   * @returns the STRATEGY_COMPARISON run
   * @throws BAD_USER_INPUT for rows for training, another task, or where there is nothing to compare; NOT_FOUND, DATASET_UNUSABLE,
   * IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartComparison): Promise<RunRow> {
    const { rows, seed, split, datasetVersionId, idempotencyKey } = input;
    if (rows < 1 || rows > MOST_COMPARED_ROWS)
      throw badInput('input.rows', `rows must be between 1 and ${MOST_COMPARED_ROWS}, not ${rows}.`);
    if (split === Split.TRAIN)
      throw badInput(
        'input.split',
        'Rows that an adapter learned from don’t tell how well it answers others.',
        'Use TEST.',
      );
    const { data, adapters, runs } = this.parts;
    const { dataset, version } = await data.datasets.usableVersion(
      workspaceId,
      datasetVersionId,
      'input.datasetVersion',
    );
    if (version.manifest.features.length > 0)
      throw badInput(
        'input.datasetVersion',
        'Its rows have features, which are read of an entity when a question is asked: strategies can’t be compared on them.',
        'Use evaluate, which takes features from the rows.',
      );
    const adapter = input.adapter === null ? null : await adapters.resolve(workspaceId, input.adapter, 'input.adapter');
    if (adapter && adapter.task !== dataset.task)
      throw badInput(
        'input.adapter',
        `${adapter.adapter} was made for ${adapter.task}, the rows are for ${dataset.task}.`,
      );
    if (input.collections !== null) await this.parts.retriever.scope(workspaceId, input.collections);
    const labelled = hasLabel(dataset.task) && input.collections === null;
    const reads = labelled
      ? (await data.labelIndexes.find(workspaceId, { datasetId: dataset.id })) !== null
      : taskOf(dataset.task).fromPassages;
    const strategies = comparedStrategies(input.strategies, { reads, adapts: adapter !== null });
    const runInput: ComparisonInput = {
      datasetVersionId: version.id,
      split,
      rows,
      seed,
      strategies,
      adapter: adapter && `${adapter.adapter}@${adapter.version}`,
      collections: input.collections && [...input.collections],
    };
    return runs.enqueue(strategyComparison, { workspaceId, input: runInput, idempotencyKey, subjectId: version.id });
  }

  /** The work of a STRATEGY_COMPARISON run; an interrupted one goes on behind the rows that were answered. */
  async compare(context: ComparisonContext): Promise<StrategyComparison> {
    const { run, input, resumed, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { data } = this.parts;
    const { dataset, version, rowGroups } = await data.datasets.usableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const servedAdapter = input.adapter === null ? null : await this.parts.adapters.resolve(workspaceId, input.adapter);
    const { split, rows: limit, seed } = input;
    const versionIds = servedAdapter ? [servedAdapter.versionId] : [];
    const rows = await unseenRows(this.parts, workspaceId, {
      dataset,
      version,
      rowGroups,
      split,
      most: limit,
      seed,
      asked: versionIds,
    });
    const shared = await data.rows.taskContext(dataset.task, rowGroups);
    const base = await this.#base(workspaceId, servedAdapter, shared);
    const attempts: Attempt[][] = [...(resumed?.attempts ?? [])];
    for (let from = attempts.length; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      const conditions = { workspaceId, input, dataset: dataset.name, base, shared };
      const batchAttempts: Attempt[][] = batch.map(() => []);
      // One strategy after the other over the batch: asked twice in a row, a prompt would be read once, and cost one of them nothing.
      for (const strategy of input.strategies)
        for (const [i, row] of batch.entries())
          batchAttempts[i]!.push(await this.#attempt(strategy, conditions, row, signal));
      attempts.push(...batchAttempts);
      await context.checkpoint({ attempts });
      await context.progress(
        (0.98 * attempts.length) / rows.length,
        `${attempts.length} of ${rows.length} rows are answered.`,
      );
      await context.takeTurns();
    }
    const { metric } = decidingStatistics(rows[0]!.content, NOTHING_SAID, shared);
    const foreign = servedAdapter && hasLabel(dataset.task) ? await this.#foreign(context, dataset.name) : null;
    const report = compareAttempts(
      metric,
      new Map(input.strategies.map((strategy, i) => [strategy, attempts.map((rowAttempts) => rowAttempts[i]!)])),
    );
    if (!foreign) return report;
    return {
      ...report,
      foreignSet: `${foreign.texts} ${GENERAL_SET}`,
      strategies: report.strategies.map((figure) => ({
        ...figure,
        ...foreignOf(foreign, figure.strategy),
      })),
    };
  }

  /** How many general texts that no membership was fitted on each strategy answers, where all of them want a refusal. */
  async #foreign({ run, input, signal }: ComparisonContext, dataset: string): Promise<ForeignCounts> {
    const workspaceId = run.workspaceId as WorkspaceId;
    const texts = (await generalTexts()).filter(isMeasured).slice(0, MOST_FOREIGN);
    const answerCounts = new Map<Strategy, number>();
    // The base model knows no labels to refuse with.
    const strategies = input.strategies.filter((name) => STRATEGIES[name].reads || STRATEGIES[name].adapts);
    for (const strategy of strategies) {
      let count = 0;
      for (const question of texts) {
        const target = targetOf(strategy, input, dataset, input.collections === null);
        const { abstention } = await this.parts.asking.tryOut(
          { workspaceId },
          { question, strategy, ...target },
          signal,
        );
        if (abstention === null) count++;
      }
      answerCounts.set(strategy, count);
    }
    return { texts: texts.length, answered: answerCounts };
  }

  /** The base model, asked in the form of the task: `ask` would put a text to it as a question. */
  async #base(workspaceId: WorkspaceId, servedAdapter: ServedAdapter | null, shared: TaskContext): Promise<Answering> {
    const { registry } = this.parts;
    const variant = servedAdapter
      ? await registry.variant(workspaceId, servedAdapter.variantId)
      : await registry.resolve(workspaceId, null);
    return { workspaceId, variant, adapter: null, context: shared };
  }

  async #attempt(
    strategy: Strategy,
    { workspaceId, input, dataset, base, shared }: AttemptConditions,
    { content }: AskedRow,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const started = performance.now();
    const { reads, adapts } = STRATEGIES[strategy];
    const asTask = !reads && !adapts && !taskOf(content.task).fromPassages;
    const answer = asTask
      ? { ...(await askRow(this.parts.worker, base, { row: content, facts: '' }, signal)), abstained: false }
      : answeredBy(
          await this.parts.asking.tryOut(
            { workspaceId },
            { question: inputText(content), strategy, ...targetOf(strategy, input, dataset, hasLabel(content.task)) },
            signal,
          ),
          shared,
        );
    const ms = performance.now() - started;
    const { statistics, score } = decidingStatistics(content, answer, shared);
    return { statistics: [...statistics], score, abstained: answer.abstained, ms };
  }
}

/** Those of the named strategies, or of all, that can answer. @throws BAD_USER_INPUT where one can't, or fewer than two are left */
function comparedStrategies(
  names: readonly Strategy[] | null,
  possible: { reads: boolean; adapts: boolean },
): Strategy[] {
  const able = Object.values(StrategyValues).filter(
    (strategy) => (possible.reads || !STRATEGIES[strategy].reads) && (possible.adapts || !STRATEGIES[strategy].adapts),
  );
  const unable = names?.find((strategy) => !able.includes(strategy));
  if (unable !== undefined) throw badInput('input.strategies', `${unable} can’t answer these rows.`, WHAT_IT_TAKES);
  const strategies = able.filter((strategy) => names?.includes(strategy) ?? true);
  if (strategies.length < 2) throw badInput('input', 'There is only one strategy to compare.', WHAT_IT_TAKES);
  return strategies;
}

interface ForeignCounts {
  texts: number;
  /** By strategy that was asked. */
  answered: ReadonlyMap<Strategy, number>;
}

function foreignOf({ texts, answered }: ForeignCounts, strategy: Strategy) {
  const count = answered.get(strategy);
  return count === undefined ? {} : { foreignAccepted: binomialInterval(count, texts) };
}

/** What all attempts of a comparison have in common. */
interface AttemptConditions {
  workspaceId: WorkspaceId;
  input: ComparisonInput;
  dataset: string;
  base: Answering;
  shared: TaskContext;
}

const NOTHING_SAID: Answered = { text: '', probability: null };

/** What a strategy is asked with beside the question. */
function targetOf(strategy: Strategy, { adapter, collections }: ComparisonInput, dataset: string, labelled: boolean) {
  const { adapts, reads } = STRATEGIES[strategy];
  return {
    adapter: adapts ? adapter : null,
    collections: reads ? collections : null,
    dataset: reads && collections === null && labelled ? dataset : null,
  };
}

/** An answer in the form that rows are scored in. */
const answeredBy = (
  { text, output, abstention }: Answer,
  { labels }: TaskContext,
): Answered & { abstained: boolean } =>
  abstention !== null
    ? { ...NOTHING_SAID, abstained: true }
    : { text: output.kind === 'LABEL' ? labels.say(output.label) : text, probability: null, abstained: false };
