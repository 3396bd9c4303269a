import { Readable } from 'node:stream';
import { checkedFilter, type Answer, type AnswerFilter, type AnswerStore } from '../../../answer/ask/index.js';
import {
  checkedSplitRule,
  checkedSteps,
  type Data,
  type DatasetRecord,
  type PreprocessingStep,
  type SplitRule,
  type TaskKind,
} from '../../../sources/data/index.js';
import { badInput, GraftError } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { EVERYBODY } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { encodeCursor, MAX_PAGE_SIZE } from '../../../kernel/pagination.js';
import { checkedName } from '../../../kernel/text.js';
import type { DocumentStore, LabelStore } from '../../../sources/knowledge/index.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { FeedbackService } from '../feedback-service.js';
import type { ReviewStore } from '../review/review-store.js';
import {
  curation,
  keepFilter,
  toAnswerFilter,
  type CurationContext,
  type CurationCounts,
  type CurationOutput,
} from './curation-run.js';
import type { CurationStore, NewCuratedRow } from './curation-store.js';
import { lessonOf, type LeftOut, type Lesson } from './lesson.js';
import { LabelMover, type AnswerContrast, type LabelMoverParts, type Moves } from './label-mover.js';
import type { LabelMoves } from './moved-labels.js';
import { revisedSince } from './revised-since.js';
import {
  mappingOf,
  passagesOf,
  taughtRow,
  type ShownPassage,
  type TaughtRow,
  type TeachingContext,
} from './taught-row.js';
import { contradictsTest, testedAnswers, type TestedAnswers } from './tested-otherwise.js';
import type { Unlearner } from './unlearner.js';

export const CURATION_LIMITS = { answers: 100_000, leastProbability: 0.7 } as const;

/** Share of the progress bar that choosing rows takes. */
const CHOSEN = 0.5;
/** Longest example in tokens: as where files are imported. */
const MOST_TOKENS = 2_048;

export interface StartCuration {
  /** Made for `task` where there is none of this name. */
  dataset: string;
  task: TaskKind | null;
  filter: AnswerFilter;
  /** Whether the rows of the latest version are carried over. */
  extend: boolean;
  /** The probability that what is learned is right, 0 to 1, given who said so. */
  leastProbability: number;
  /** Fewer new rows make no version. */
  leastRows: number;
  /** Null: those of the version that is extended, or none. */
  steps: readonly PreprocessingStep[] | null;
  splitRule: SplitRule | null;
  idempotencyKey: string;
}

interface CuratorParts extends LabelMoverParts {
  runs: RunQueue;
  files: FileService;
  data: Pick<Data, 'store' | 'datasets' | 'importer' | 'rows'>;
  answers: Pick<AnswerStore, 'list'>;
  documents: Pick<DocumentStore, 'chunksByIds'>;
  labels: Pick<LabelStore, 'hiddenOf'>;
  feedback: Pick<FeedbackService, 'ofAnswers' | 'estimate'>;
  reviews: LabelMoverParts['reviews'] & Pick<ReviewStore, 'removeMoves' | 'reviewedAmong'>;
  store: CurationStore;
  unlearner: Unlearner;
}

interface Chosen {
  counts: Omit<CurationCounts, keyof Moves>;
  rows: { row: NewCuratedRow; record: TaughtRow['record']; known: boolean }[];
  contrasts: AnswerContrast[];
  /** The version whose rows are carried over. */
  extended: Latest | null;
}

type Latest = Parameters<typeof revisedSince>[1];

/** Makes dataset versions of what people demonstrated or confirmed. */
export class Curator {
  readonly mover: LabelMover;

  constructor(private readonly parts: CuratorParts) {
    this.mover = new LabelMover(parts);
  }

  /**
   * @returns the CURATION run
   * @throws NOT_FOUND, BAD_USER_INPUT, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartCuration): Promise<RunRow> {
    const { leastProbability, leastRows, extend, idempotencyKey } = input;
    if (!(leastProbability > 0 && leastProbability <= 1))
      throw badInput(
        'input.leastProbability',
        `leastProbability must be above 0 and at most 1, not ${leastProbability}.`,
      );
    if (!Number.isInteger(leastRows) || leastRows < 1 || leastRows > CURATION_LIMITS.answers)
      throw badInput('input.leastRows', `leastRows must be 1 to ${CURATION_LIMITS.answers}, not ${leastRows}.`);
    const steps = input.steps ? checkedSteps(input.steps, 'input.preprocessing') : null;
    const splitRule = input.splitRule && checkedSplitRule(input.splitRule, 'input.splitRule');
    const filter = keepFilter(checkedFilter(input.filter));
    const dataset = await this.#dataset(workspaceId, input);
    return this.parts.runs.enqueue(curation, {
      workspaceId,
      idempotencyKey,
      subjectId: dataset.id,
      input: { datasetId: dataset.id, filter, extend, leastProbability, leastRows, steps, splitRule },
    });
  }

  /** The latest version of a dataset, and how many answers of an adapter it teaches that the adapter's `production` didn't learn; null where there are none. */
  async lessonsSince(
    workspaceId: WorkspaceId,
    name: string,
    production: { adapterId: string; datasetVersionId: string | null },
  ): Promise<{ versionId: string; fresh: number } | null> {
    const { data, store } = this.parts;
    const dataset = await data.store.byName(workspaceId, name);
    const latest = dataset && (await data.store.latest(dataset.id));
    const { adapterId, datasetVersionId: trainedVersionId } = production;
    if (!latest || latest.id === trainedVersionId) return null;
    const earlierDigests = trainedVersionId === null ? new Map<string, string>() : await store.taught(trainedVersionId);
    const fresh = [...(await store.taught(latest.id, adapterId))].filter(
      ([answerId, digest]) => earlierDigests.get(answerId) !== digest,
    ).length;
    const revisionCount =
      trainedVersionId !== null &&
      (await revisedSince(data.store, latest, new Set([trainedVersionId]))).get(trainedVersionId)?.size;
    return fresh === 0 && !revisionCount ? null : { versionId: latest.id, fresh };
  }

  async #dataset(workspaceId: WorkspaceId, { dataset: name, task }: StartCuration): Promise<DatasetRecord> {
    const { store, datasets } = this.parts.data;
    const dataset = await store.byName(workspaceId, checkedName(name, 'input.dataset'));
    if (dataset && task !== null && dataset.task !== task)
      throw badInput(
        'input.task',
        `${name} is a dataset for ${dataset.task}.`,
        'Leave task out, or choose another name.',
      );
    if (dataset) return dataset;
    if (task === null)
      throw new GraftError('NOT_FOUND', `The dataset ${JSON.stringify(name)} does not exist.`, {
        field: 'input.dataset',
        hint: 'Give a task, and it is made.',
      });
    return datasets.createDataset(workspaceId, { name, task });
  }

  /**
   * The work of a CURATION run. One that was interrupted goes on from its file of rows.
   * @throws NOT_FOUND, DATASET_UNUSABLE, and what makes a version fail
   */
  async make(context: CurationContext): Promise<CurationOutput> {
    const { run, input } = context;
    const { data, store, files, reviews, unlearner } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const [dataset] = await data.store.byIds(workspaceId, [input.datasetId]);
    if (!dataset) throw new GraftError('NOT_FOUND', 'The dataset no longer exists.');
    const { fileId, ...counts } = context.resumed ?? (await this.#write(context, dataset));
    if (fileId === null) return { ...counts, versionId: null, created: false };
    try {
      const { versionId, created } = await data.importer.addMade(
        {
          ...context,
          progress: (fraction, message) => context.progress(CHOSEN + (0.99 - CHOSEN) * fraction, message),
        },
        dataset,
        {
          operation: 'add',
          datasetId: dataset.id,
          extend: input.extend,
          steps: input.steps,
          features: null,
          files: [{ fileId, pairId: null, split: null, mapping: mappingOf(dataset.task) }],
          splitRule: input.splitRule,
          maxTokens: MOST_TOKENS,
          minRowsPerLabel: 0,
          revision: { labels: counts.moved.map(({ from, to }) => ({ from, to })) },
        },
        { feedback: { rows: counts.fresh } },
      );
      await context.fenced(async (tx) => {
        await reviews.removeMoves(tx, counts.movedItems);
        const erased = await store.settle(tx, run.id, versionId!);
        // Erased after their rows were written down and before there was a version to take them out of.
        if (erased.length > 0) await unlearner.request(tx, workspaceId, dataset.id, erased);
      });
      return { ...counts, versionId, created };
    } catch (error) {
      // A run that only stands aside goes on from its file.
      if (!context.signal.aborted || context.signal.reason === 'cancel') {
        await context.fenced((tx) => store.drop(tx, run.id));
        await files.remove(workspaceId, fileId);
      }
      throw error;
    }
  }

  /** What a run of this input would make now, but for labels that have moved: nothing is written. For whoever waits until there is enough to learn. */
  async outlook(
    workspaceId: WorkspaceId,
    input: Omit<StartCuration, 'idempotencyKey' | 'steps' | 'splitRule'>,
  ): Promise<Chosen['counts']> {
    const dataset = await this.parts.data.store.require(workspaceId, input.dataset, 'input.dataset');
    const { counts } = await this.#choose(workspaceId, dataset, {
      ...input,
      steps: null,
      progress: () => Promise.resolve(),
    });
    return counts;
  }

  async #write(context: CurationContext, dataset: DatasetRecord): Promise<CurationCounts & { fileId: string | null }> {
    const { run, input, signal } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const selection = await this.#choose(workspaceId, dataset, {
      ...input,
      filter: toAnswerFilter(input.filter),
      signal,
      progress: (answers) => context.progress(Math.min(CHOSEN, answers / 20_000), `${answers} answers are looked at.`),
    });
    const verdict: LabelMoves = selection.extended
      ? await this.mover.find(workspaceId, selection.extended, selection.contrasts)
      : { moved: [], undecided: [] };
    const { moves, there, rows } = await context.fenced(async (tx) => {
      const { store } = this.parts;
      const moves = await this.mover.confirmed(
        tx,
        { workspaceId, datasetId: dataset.id },
        verdict,
        selection.contrasts,
      );
      // What somebody said keeps its meaning where older rows change theirs: rows that are there already are written anew.
      const rows = moves.moved.length > 0 ? selection.rows : selection.rows.filter((row) => !row.known);
      await store.drop(tx, run.id);
      const enough = moves.moved.length > 0 || selection.counts.fresh >= input.leastRows;
      const adding = enough ? rows.map(({ row }) => row) : [];
      return { moves, rows, there: await store.add(tx, { workspaceId, datasetId: dataset.id, runId: run.id }, adding) };
    });
    const counts = { ...selection.counts, ...moves };
    const addedRows = rows.filter(({ row }) => there.has(row.answerId));
    const name = `${dataset.name}-${run.id}`;
    const records = addedRows.map(({ record }) => record);
    const fileId = addedRows.length === 0 ? null : await this.#file(workspaceId, name, records);
    const fresh = fileId === null ? counts.fresh : addedRows.filter(({ known }) => !known).length;
    const result = { ...counts, fresh, fileId };
    await context.checkpoint(result);
    return result;
  }

  async #file(workspaceId: WorkspaceId, name: string, records: readonly object[]): Promise<string> {
    const { id } = await this.parts.files.store(workspaceId, {
      name: `${name}.jsonl`,
      mediaType: 'application/x-ndjson',
      maxBytes: Number.MAX_SAFE_INTEGER,
      source: Readable.from(records.map((record) => Buffer.from(`${JSON.stringify(record)}\n`))),
    });
    return id;
  }

  /** All rows, in the order of their answers, and what became of all other answers with feedback. */
  async #choose(
    workspaceId: WorkspaceId,
    dataset: DatasetRecord,
    input: {
      filter: AnswerFilter;
      extend: boolean;
      leastProbability: number;
      steps: readonly PreprocessingStep[] | null;
      signal?: AbortSignal;
      progress(answers: number): Promise<void>;
    },
  ): Promise<Chosen> {
    const { answers, feedback, data, store } = this.parts;
    const { reliability } = await feedback.estimate(workspaceId);
    const latest = await data.store.latest(dataset.id);
    const knownDigests = latest && input.extend ? await store.taught(latest.id) : new Map<string, string>();
    const teaching = await this.#teaching(dataset);
    const steps = input.steps ?? latest?.manifest.steps ?? [];
    let tested: TestedAnswers | undefined;
    const counts: Chosen['counts'] = { answers: 0, demonstrated: 0, confirmed: 0, fresh: 0, leftOut: [] };
    const leftOut = new Map<LeftOut, number>();
    const rows: Chosen['rows'] = [];
    const contrasts: AnswerContrast[] = [];
    const leave = (reason: LeftOut) => leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
    for (let cursor: string | null = null; counts.answers < CURATION_LIMITS.answers;) {
      input.signal?.throwIfAborted();
      const page = await answers.list(
        workspaceId,
        { ...input.filter, hasFeedback: true },
        { first: MAX_PAGE_SIZE, after: cursor },
      );
      const statements = await feedback.ofAnswers(
        { workspaceId },
        page.items.map(({ id }) => id),
      );
      const lessons = page.items.flatMap((answer, i) => {
        const lesson = lessonOf(answer, statements[i]!, reliability, input.leastProbability);
        if (typeof lesson === 'string') leave(lesson);
        return lesson === null || typeof lesson === 'string' ? [] : [lesson];
      });
      const context = { ...teaching, passages: await this.#passages(workspaceId, lessons) };
      for (const lesson of lessons) {
        const row = taughtRow(lesson, context);
        if (typeof row === 'string') {
          leave(row);
          continue;
        }
        const digest = digestOf(row.record);
        const isTaught = knownDigests.get(lesson.answer.id) === digest;
        if (!isTaught) {
          tested ??= await testedAnswers(this.parts.data, dataset, (input.extend && latest) || null);
          if (contradictsTest(row, dataset.task, steps, tested) && !(await this.#isReviewed(workspaceId, lesson))) {
            leave('TESTED_OTHERWISE');
            continue;
          }
        }
        counts[lesson.basis === 'DEMONSTRATED' ? 'demonstrated' : 'confirmed'] += 1;
        rows.push({ record: row.record, row: curated(lesson, row, digest), known: isTaught });
        contrasts.push(...contrastOf(lesson));
      }
      counts.answers += page.items.length;
      await input.progress(counts.answers);
      if (!page.hasNextPage) break;
      cursor = encodeCursor([page.items.at(-1)!.id]);
    }
    rows.reverse();
    return {
      counts: {
        ...counts,
        fresh: rows.filter((row) => !row.known).length,
        leftOut: [...leftOut]
          .map(([reason, count]) => ({ reason, answers: count }))
          .sort((a, b) => b.answers - a.answers),
      },
      rows,
      contrasts,
      extended: input.extend ? (latest ?? null) : null,
    };
  }

  async #isReviewed(workspaceId: WorkspaceId, { feedback }: Lesson): Promise<boolean> {
    const ids = feedback.map(({ id }) => id);
    return (await this.parts.reviews.reviewedAmong(workspaceId, ids)).size > 0;
  }

  /** What rows of the dataset have in common: the labels that it declares, else those that its rows have. */
  async #teaching(dataset: DatasetRecord): Promise<Omit<TeachingContext, 'passages'>> {
    const { store, rows } = this.parts.data;
    const { task, labels } = dataset;
    const latest = await store.latest(dataset.id);
    const context = latest && (await rows.taskContext(task, await store.rowGroups(latest.id)));
    const has = labels.length > 0 ? labels : (context?.labels.labels ?? []);
    return { task, labels: has.length > 0 ? new Set(has) : null, languages: context?.languages ?? null };
  }

  async #passages(workspaceId: WorkspaceId, lessons: readonly Lesson[]): Promise<Map<string, ShownPassage>> {
    const ids = [...new Set(lessons.flatMap(passagesOf))];
    if (ids.length === 0) return new Map();
    const { documents, labels } = this.parts;
    const chunks = await documents.chunksByIds(workspaceId, ids);
    // A dataset is read by everybody, and so are its passages, or they teach nothing.
    const hidden = await labels.hiddenOf(
      workspaceId,
      [...new Set(chunks.map(({ documentId }) => documentId))],
      EVERYBODY,
    );
    const read = chunks.filter(({ documentId }) => !hidden.has(documentId));
    return new Map(read.map(({ id, text, documentId }) => [id, { id, text, documentId }]));
  }
}

/** What a lesson says of the label that an adapter gave; nothing where none did. */
function contrastOf({ answer, right }: Lesson): AnswerContrast[] {
  if (answer.output.kind !== 'LABEL' || answer.adapter === null) return [];
  if (right !== null && right.kind !== 'LABEL') return [];
  const { label: answerLabel } = answer.output;
  return [
    {
      answerId: answer.id,
      adapterVersionId: answer.adapter.versionId,
      answered: answerLabel,
      right: right?.label ?? answerLabel,
    },
  ];
}

const curated = (
  { answer, basis, feedback }: Lesson & { answer: Answer },
  { documentIds }: TaughtRow,
  digest: string,
): NewCuratedRow => ({ answerId: answer.id, basis, documentIds, digest, feedbackIds: feedback.map(({ id }) => id) });
