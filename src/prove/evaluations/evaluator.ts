import {
  factsOf,
  hasLabel,
  inputText,
  LabelWords,
  outputText,
  rightLabel,
  type Data,
  Split,
  type TaskContext,
  type TaskRow,
} from '../../sources/data/index.js';
import { badInput, GraftError, isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { AdapterRegistry, ModelRegistry, ServedAdapter } from '../../sources/registry/index.js';
import type { ClassifiedRow } from '../metrics/classification.js';
import type { LearnedMembership, MembershipLearner } from '../membership/membership-learner.js';
import { compareWithoutModel, NOT_ASKED, type LabelledText, type WithoutModel } from '../regression/without-model.js';
import { readGeneralText } from '../retention/general-text.js';
import { measureRetention } from '../retention/measure-retention.js';
import { measureOtherTask } from '../retention/other-tasks.js';
import { retentionFigures, type OtherRow, type Retention } from '../retention/retention.js';
import { figuresAsBefore } from './as-before.js';
import { askRow, type Answering } from './ask-row.js';
import { evaluation, type Answerer, type EvaluationContext, type EvaluationInput } from './evaluation-run.js';
import { sameScale, type EvaluationStore, type EvaluationRowRecord } from './evaluation-store.js';
import { labelledRows, measureAnswers, riskOf, scoreRow, type Answered } from './figures.js';
import { sampleRows, type AskedRow } from './sample-rows.js';
import { unseenRows } from './unseen-rows.js';

interface EvaluatorParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'variant' | 'embedder'>;
  adapters: AdapterRegistry;
  data: Data;
  worker: Pick<WorkerClient, 'generate' | 'scoreNext' | 'scoreText' | 'embed'>;
  store: EvaluationStore;
  membershipLearner: MembershipLearner;
}

export interface StartEvaluation {
  /** `name`, `name@candidate` or `name@3`; null: the base model alone. */
  adapter: string | null;
  /** Of the base model alone; null: the default. */
  model: string | null;
  /** Another version to compare with; null: the base model. */
  against: string | null;
  datasetVersionId: string;
  split: Split;
  rows: number;
  seed: number;
  force: boolean;
  /** Whether what the adapter forgot is measured, too; never of the base model alone. */
  retention: boolean;
  /** Dataset versions of other tasks on whose test rows it is looked for. */
  others: readonly string[];
  /** Whether labels are held against a regression on the embedder's vectors and the nearest rows; no other task has them. */
  regression: boolean;
  /** Whether it learns which messages are the version's own; then it refuses others wherever it is asked. */
  foreign: boolean;
  idempotencyKey: string;
}

export const MOST_ROWS = 5_000;
const MOST_OTHERS = 4;
/** Most rows that a regression is fitted to: a minute of one core. */
const MOST_FITTED = 20_000;
/** Share of the progress bar that answering the rows takes where retention is measured, too. */
const ANSWERED = 0.5;
/** Where fitting a regression begins. */
const MEASURED = 0.95;
/** Rows that are asked at a time: while one is tokenized or read, others are computed. */
const AT_ONCE = 4;
/** Rows between two checkpoints. */
const BATCH = 25;

/** Measures how well models and adapters answer. */
export class Evaluator {
  readonly store: EvaluationStore;

  constructor(private readonly parts: EvaluatorParts) {
    this.store = parts.store;
  }

  /**
   * @returns the EVALUATION run
   * @throws BAD_USER_INPUT for rows for training unless forced, or another task or base model; NOT_FOUND, DATASET_UNUSABLE,
   * IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartEvaluation): Promise<RunRow> {
    const { rows, seed, split, force, idempotencyKey } = input;
    if (rows < 1 || rows > MOST_ROWS)
      throw badInput('input.rows', `rows must be between 1 and ${MOST_ROWS}, not ${rows}.`);
    if (split === Split.TRAIN && !force)
      throw badInput(
        'input.split',
        'Answers to rows that an adapter learned from don’t tell how well it answers others.',
        'Use TEST, or set force to measure how much it remembers.',
      );
    const { datasets } = this.parts.data;
    const { dataset, version } = await datasets.usableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const { target, against } = await this.#answerers(workspaceId, input, dataset.task);
    const otherVersionIds = await this.#others(workspaceId, input, version.id);
    const runInput: EvaluationInput = {
      target,
      against,
      datasetVersionId: version.id,
      split,
      rows,
      seed,
      others: otherVersionIds,
      retention: input.retention && target.adapterVersionId !== null,
      regression: input.regression && hasLabel(dataset.task),
      foreign: input.foreign && target.adapterVersionId !== null,
    };
    return this.parts.runs.enqueue(evaluation, { workspaceId, input: runInput, idempotencyKey, subjectId: version.id });
  }

  /** Whether a dataset version has test rows that none of these adapter versions learned. @throws NOT_FOUND, DATASET_UNUSABLE */
  async hasUnseen(workspaceId: WorkspaceId, datasetVersionId: string, versionIds: readonly string[]): Promise<boolean> {
    const { datasets } = this.parts.data;
    const usable = await datasets.usableVersion(workspaceId, datasetVersionId, 'input.datasetVersion');
    const selection = { ...usable, split: Split.TEST, most: 1, seed: 1, asked: versionIds };
    return unseenRows(this.parts, workspaceId, selection).then(
      () => true,
      (error: unknown) => {
        if (isGraftError(error, 'DATASET_UNUSABLE')) return false;
        throw error;
      },
    );
  }

  async #others(
    workspaceId: WorkspaceId,
    { others, retention }: StartEvaluation,
    versionId: string,
  ): Promise<string[]> {
    const field = 'input.otherTasks';
    if (others.length === 0) return [];
    if (!retention) throw badInput(field, 'Other tasks are looked at only where retention is measured.');
    if (others.length > MOST_OTHERS || new Set([...others, versionId]).size <= others.length)
      throw badInput(
        field,
        `otherTasks names at most ${MOST_OTHERS} different dataset versions, none of them its own.`,
      );
    for (const id of others) await this.parts.data.datasets.usableVersion(workspaceId, id, field);
    return [...others];
  }

  async #answerers(
    workspaceId: WorkspaceId,
    { adapter, model, against }: StartEvaluation,
    task: string,
  ): Promise<Pick<EvaluationInput, 'target' | 'against'>> {
    const { adapters, registry } = this.parts;
    const resolveAdapter = async (reference: string, field: string): Promise<ServedAdapter> => {
      const servedAdapter = await adapters.resolve(workspaceId, reference, field);
      if (servedAdapter.task !== task)
        throw badInput(field, `${servedAdapter.adapter} was made for ${servedAdapter.task}, the rows are for ${task}.`);
      return servedAdapter;
    };
    const answererOf = ({ variantId, versionId }: ServedAdapter): Answerer => ({
      variantId,
      adapterVersionId: versionId,
    });
    if (adapter === null) {
      if (against !== null)
        throw badInput('input.against', 'The base model is compared with nobody.', 'Name an adapter.');
      const { variantId } = await registry.resolve(workspaceId, model);
      return { target: { variantId, adapterVersionId: null }, against: null };
    }
    const target = await resolveAdapter(adapter, 'input.adapter');
    if (against === null)
      return { target: answererOf(target), against: { variantId: target.variantId, adapterVersionId: null } };
    return { target: answererOf(target), against: answererOf(await resolveAdapter(against, 'input.against')) };
  }

  /** The work of an EVALUATION run; an interrupted one goes on behind the rows that are stored. @throws DATASET_UNUSABLE, and what the worker throws */
  async evaluate(context: EvaluationContext): Promise<{ rows: number }> {
    const { run, input, resumed, signal } = context;
    const { data, store, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { target, against, split } = input;
    const { version, dataset, rowGroups } = await data.datasets.usableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const versionIds = [target, against].flatMap((answerer) => answerer?.adapterVersionId ?? []);
    const selection = { dataset, version, rowGroups, split, most: input.rows, seed: input.seed, asked: versionIds };
    const rows = await unseenRows(this.parts, workspaceId, selection);
    const shared = await data.rows.taskContext(dataset.task, rowGroups);
    const sides = [await this.#answering(workspaceId, target, shared)];
    if (against) sides.push(await this.#answering(workspaceId, against, shared));
    await this.#begin(context, sides);
    const answeredShare = input.retention ? ANSWERED : MEASURED;
    const views = version.manifest.features.map(({ view }) => view);

    for (let from = resumed?.answered ?? 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      const answers: Answered[][] = [];
      // One answerer after the other, so that adapters are switched twice a batch and not twice a row.
      for (const side of sides) answers.push(await this.#answerAll(worker, side, batch, views, signal));
      const records = batch.map((row, i) => record(run.id, from + i, row, answers, i, shared));
      const answeredCount = from + batch.length;
      await context.fenced(async (tx) => {
        await store.hold(run.id, tx);
        await store.addRows(records, tx);
        await context.checkpoint({ answered: answeredCount }, tx);
      });
      await context.progress(
        (answeredShare * answeredCount) / rows.length,
        `${answeredCount} of ${rows.length} rows are answered.`,
      );
      await context.takeTurns();
    }

    const storedAnswers = await store.answers(run.id);
    const contents = rows.map(({ content }) => content);
    // Rows that were erased meanwhile took their answers with them.
    if (storedAnswers.answers.length !== rows.length)
      throw new GraftError('DATASET_UNUSABLE', 'The rows were erased while they were being answered.');
    const membership = input.foreign ? await this.#membership(context, contents) : null;
    const figures = {
      ...measureAnswers(contents, storedAnswers.answers, against && storedAnswers.against, shared),
      asBefore:
        split === 'TEST' && against?.adapterVersionId
          ? await figuresAsBefore(this.parts, workspaceId, {
              dataset,
              version,
              rows: contents,
              answers: storedAnswers.answers,
              against: storedAnswers.against,
              againstVersionId: against.adapterVersionId,
              context: shared,
            })
          : null,
      retention: input.retention ? await this.#retention(context, sides[0]!) : null,
      ...(input.regression
        ? await this.#withoutModel(context, rowGroups, labelledRows(contents, storedAnswers.answers, shared), contents)
        : NOT_ASKED),
      foreign: membership?.figures ?? null,
    };
    const adapter = sides[0]!.adapter;
    // Rows for validation have chosen a scale, or when training stopped: a bound on errors counts none of those.
    const risk = split === 'TEST' ? riskOf(contents, storedAnswers.answers, shared) : [];
    await context.fenced(async (tx) => {
      await store.hold(run.id, tx);
      await store.finish(run.id, rows.length, figures, tx);
      if (adapter && risk.length > 0)
        await this.parts.adapters.keepRisk(tx, adapter.versionId, adapter.file.scale, risk);
      if (adapter && membership)
        await this.parts.membershipLearner.keep(tx, workspaceId, adapter.versionId, membership.model);
    });
    return { rows: rows.length };
  }

  /** @throws CONFLICT when an adapter acts at another scale than when the first rows were answered */
  async #begin(context: EvaluationContext, sides: readonly Answering[]): Promise<void> {
    const { run, input } = context;
    const { target, against, split, datasetVersionId } = input;
    const { store } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const [scale = null, againstScale = null] = sides.map(({ adapter }) => adapter && adapter.file.scale);
    await context.fenced((tx) =>
      store.begin(
        {
          id: run.id,
          workspaceId,
          split,
          datasetVersionId,
          scale,
          againstScale,
          variantId: target.variantId,
          adapterVersionId: target.adapterVersionId,
          compared: against !== null,
          againstVersionId: against?.adapterVersionId ?? null,
        },
        tx,
      ),
    );
    const [evaluationRecord] = await store.byIds(workspaceId, [run.id]);
    if (
      evaluationRecord &&
      (evaluationRecord.scale !== scale || !sameScale(evaluationRecord.againstScale, againstScale))
    )
      throw new GraftError('CONFLICT', 'An adapter’s scale was changed while it was being evaluated.', {
        hint: 'Evaluate it again.',
      });
  }

  /** What the adapter that answered leaves of the base model; a run that was interrupted here measures it anew. */
  async #retention(
    context: EvaluationContext,
    { workspaceId, variant, adapter }: Answering,
  ): Promise<Retention | null> {
    if (!adapter) return null;
    const { signal } = context;
    const { others } = context.input;
    const target = { workspaceId, variant, adapter };
    const tell = (share: number): Promise<void> =>
      context.progress(ANSWERED + (MEASURED - ANSWERED) * share, 'Measuring what the adapter has forgotten.');
    await tell(0);
    const { windows, prompts } = await measureRetention(
      this.parts.worker,
      target,
      await readGeneralText(),
      signal,
      (share) => tell(share / (1 + others.length)),
    );
    const rows: { datasetVersionId: string; rows: OtherRow[] }[] = [];
    for (const datasetVersionId of others) {
      rows.push({ datasetVersionId, rows: await measureOtherTask(this.parts, target, datasetVersionId, signal) });
      await tell((1 + rows.length) / (1 + others.length));
    }
    return retentionFigures(windows, prompts, rows);
  }

  async #withoutModel(
    context: EvaluationContext,
    rowGroups: Parameters<Data['rows']['stream']>[1],
    answers: readonly ClassifiedRow[],
    rows: readonly TaskRow[],
  ): Promise<WithoutModel> {
    const { run, input, signal } = context;
    const textsOf = async (split: Split): Promise<LabelledText[]> => {
      const stream = this.parts.data.rows.stream(rows[0]!.task, rowGroups, { split, quarantined: false });
      return labelledTexts((await sampleRows(stream, MOST_FITTED, input.seed)).map(({ content }) => content));
    };
    await context.progress(MEASURED, 'Asking a regression on the embedder’s vectors, and the nearest labelled rows.');
    const [train, validation] = [await textsOf(Split.TRAIN), await textsOf(Split.VALIDATION)];
    const texts = { train, validation, rows: labelledTexts(rows) };
    return compareWithoutModel(this.parts, run.workspaceId as WorkspaceId, texts, answers, signal);
  }

  /** Which messages are the version's own, in whatever rows it is measured on; rows that it learned from tell nothing of others. */
  async #membership(
    { run, input, signal, progress }: EvaluationContext,
    rows: readonly TaskRow[],
  ): Promise<LearnedMembership | null> {
    const workspaceId = run.workspaceId as WorkspaceId;
    const { version } = await this.parts.adapters.requireVersionById(workspaceId, input.target.adapterVersionId!);
    await progress(input.retention ? ANSWERED : MEASURED, 'Learning which messages are its own.');
    const ownMessages = input.split === 'TRAIN' ? [] : rows.map(inputText);
    return this.parts.membershipLearner.learn(workspaceId, version, ownMessages, signal);
  }

  async #answering(workspaceId: WorkspaceId, answerer: Answerer, shared: TaskContext): Promise<Answering> {
    const { registry, adapters } = this.parts;
    const variant = await registry.variant(workspaceId, answerer.variantId);
    if (answerer.adapterVersionId === null) return { workspaceId, variant, adapter: null, context: shared };
    const { version, adapter: row } = await adapters.requireVersionById(workspaceId, answerer.adapterVersionId);
    const adapter = await adapters.served(workspaceId, row, version);
    const { labels, languages } = adapter.usage;
    return { workspaceId, variant, adapter, context: { labels: new LabelWords(labels), languages } };
  }

  async #answerAll(
    worker: EvaluatorParts['worker'],
    side: Answering,
    batch: readonly AskedRow[],
    views: readonly string[],
    signal: AbortSignal,
  ): Promise<Answered[]> {
    const answers: Answered[] = [];
    const queue = [...batch.entries()];
    const ask = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        // Whoever stops waits for the first of these that notices: the others must not begin another row behind its back.
        signal.throwIfAborted();
        const [i, row] = next;
        answers[i] = await askRow(worker, side, { row: row.content, facts: factsOf(row, views) }, signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    return answers;
  }
}

const labelledTexts = (rows: readonly TaskRow[]): LabelledText[] =>
  rows.flatMap((row) => {
    const label = rightLabel(row);
    return label === null ? [] : [{ text: inputText(row), label }];
  });

function record(
  evaluationId: string,
  position: number,
  { ordinal, content }: AskedRow,
  [answers, baselineAnswers]: readonly Answered[][],
  i: number,
  context: TaskContext,
): EvaluationRowRecord {
  const [answer, baselineAnswer] = [answers![i]!, baselineAnswers?.[i] ?? null];
  return {
    evaluationId,
    position,
    ordinal,
    input: stored(inputText(content)),
    expected: stored(outputText(content)),
    answer: stored(answer.text),
    probability: answer.probability,
    score: scoreRow(content, answer, context),
    againstAnswer: baselineAnswer && stored(baselineAnswer.text),
    againstProbability: baselineAnswer && baselineAnswer.probability,
    againstScore: baselineAnswer && scoreRow(content, baselineAnswer, context),
  };
}

/** PostgreSQL takes no NUL, which a model may well write. */
const stored = (text: string): string => text.replaceAll('\0', '\ufffd');
