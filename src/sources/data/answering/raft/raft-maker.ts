import { Readable } from 'node:stream';
import { badInput, GraftError } from '../../../../kernel/errors.js';
import type { WorkspaceId } from '../../../../kernel/ids.js';
import { seededRandom, shuffled } from '../../../../kernel/random.js';
import { checkedName } from '../../../../kernel/text.js';
import {
  makeAnsweredQuestions,
  type CollectionStore,
  type DocumentStore,
  type NamedChunk,
  type Retriever,
  type SearchScope,
} from '../../../knowledge/index.js';
import type { FileService } from '../../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../../platform/runs/index.js';
import { READ_PASSAGES } from '../../../prompting/index.js';
import type { DatasetService } from '../../datasets/dataset-service.js';
import { checkedSplitRule, type DatasetRecord } from '../../datasets/dataset.js';
import type { DatasetStore } from '../../datasets/dataset-store.js';
import type { Importer } from '../../datasets/importer.js';
import type { VersionRows } from '../../datasets/version-rows.js';
import { TextEncoding } from '../../datasets/files/decode.js';
import { DataFormat } from '../../datasets/files/formats.js';
import type { FileMapping } from '../../datasets/importing/mapping.js';
import { DEFAULT_SPLIT_RULE, splitOfGroup, type Split, type SplitRule } from '../../datasets/importing/splits.js';
import { LabelWords, outputText, readAnswer, type TaskContext, type TaskRow } from '../../datasets/tasks/index.js';
import { findPassage } from './find-passages.js';
import { raftMaking, type RaftContext, type RaftInput, type RaftOutput } from './raft-run.js';
import { lotsOf, Readings, type PassageQuestion, type RaftRow } from './readings.js';

export const RAFT_LIMITS = {
  /** Fewer questions teach nothing. */
  leastQuestions: 20,
  questions: 20_000,
  sample: 5_000,
  distractors: READ_PASSAGES - 1,
  refusedShare: 0.8,
} as const;

/** Passages of a question among which its own has to be, and distractors are taken from: what `ask` reads. */
const FOUND = 6;
/** Clozes that are tried for each that is wanted: not every passage is found. */
const TRIED = 3;
/** Share of the progress bar that finding passages takes, and putting them together. */
const [PLACED, WRITTEN] = [0.5, 0.8];
const STEP = 20;
/** Longest example: the passages of a reading, a question and an answer are half of it. */
const MOST_TOKENS = 2_048;

interface StartRaft {
  collection: string;
  dataset: string;
  questions: string | null;
  sample: number;
  distractors: number;
  refusedShare: number;
  keepSplits: boolean;
  splitRule: SplitRule | null;
  seed: number;
  idempotencyKey: string;
}

interface RaftParts {
  runs: RunQueue;
  files: FileService;
  datasets: DatasetService;
  store: DatasetStore;
  rows: VersionRows;
  importer: Importer;
  collections: CollectionStore;
  documents: DocumentStore;
  retriever: Pick<Retriever, 'scope' | 'retrieve' | 'termWeights'>;
}

/** The file of rows, and what is known of it. */
type Written = NonNullable<RaftContext['resumed']>;

/** Makes datasets to learn reading from: questions on the passages of a collection. */
export class RaftMaker {
  constructor(private readonly parts: RaftParts) {}

  /**
   * Makes the dataset, if there is none of this name yet.
   * @returns the RAFT_DATASET run
   * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT for an empty collection, DATASET_UNUSABLE, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartRaft): Promise<RunRow> {
    const { collections, retriever, datasets, runs } = this.parts;
    const { idempotencyKey, sample, distractors, refusedShare, keepSplits, seed } = input;
    const { leastQuestions, sample: limit } = RAFT_LIMITS;
    const collection = await collections.require(workspaceId, input.collection, 'input.collection');
    if (!Number.isInteger(sample) || sample < leastQuestions || sample > limit)
      throw badInput('input.sample', `sample must be between ${leastQuestions} and ${limit}, not ${sample}.`);
    if (!Number.isInteger(distractors) || distractors < 0 || distractors > RAFT_LIMITS.distractors)
      throw badInput('input.distractors', `distractors must be 0 to ${RAFT_LIMITS.distractors}, not ${distractors}.`);
    if (!(refusedShare >= 0 && refusedShare <= RAFT_LIMITS.refusedShare))
      throw badInput('input.refusedShare', `refusedShare must be 0 to ${RAFT_LIMITS.refusedShare}.`);
    if (keepSplits && input.questions === null)
      throw badInput('input.keepSplits', 'Questions that are made have no split to keep.', 'Give questions.');
    const splitRule = input.splitRule ? checkedSplitRule(input.splitRule, 'input.splitRule') : DEFAULT_SPLIT_RULE;
    if (input.questions !== null) {
      const { dataset } = await datasets.usableVersion(workspaceId, input.questions, 'input.questions');
      if (dataset.task !== 'QUESTION_ANSWERING')
        throw badInput('input.questions', `${dataset.name} is for ${dataset.task}, not for QUESTION_ANSWERING.`);
    }
    const { collections: scoped } = await retriever.scope(workspaceId, [collection.name]);
    if (scoped.every(({ chunks }) => chunks === 0))
      throw new GraftError('CONFLICT', `The collection ${collection.name} is empty: there is nothing to ask about.`, {
        field: 'input.collection',
        hint: 'Ingest documents first.',
      });
    const dataset = await this.dataset(workspaceId, input.dataset);
    return runs.enqueue(raftMaking, {
      workspaceId,
      idempotencyKey,
      subjectId: dataset.id,
      input: {
        datasetId: dataset.id,
        collectionId: collection.id,
        questionsId: input.questions,
        sample,
        distractors,
        refusedShare,
        keepSplits,
        splitRule,
        seed,
      },
    });
  }

  private async dataset(workspaceId: WorkspaceId, name: string): Promise<DatasetRecord> {
    const { store, datasets } = this.parts;
    const dataset = await store.byName(workspaceId, checkedName(name, 'input.dataset'));
    if (!dataset) return datasets.createDataset(workspaceId, { name, task: 'QUESTION_ANSWERING' });
    if (dataset.task === 'QUESTION_ANSWERING') return dataset;
    throw badInput('input.dataset', `${name} is a dataset for ${dataset.task}.`, 'Choose another name.');
  }

  /**
   * The work of a RAFT_DATASET run. One that was interrupted goes on from its file of rows.
   * @throws NOT_FOUND, CONFLICT where too few questions have a passage, or a document's questions two given splits, DATASET_UNUSABLE,
   * what `Retriever` throws, and what makes a version fail
   */
  async make(context: RaftContext): Promise<RaftOutput> {
    const { run, input } = context;
    const { store, files, importer } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const [dataset] = await store.byIds(workspaceId, [input.datasetId]);
    if (!dataset) throw new GraftError('NOT_FOUND', 'The dataset no longer exists.');
    const [collection] = await this.parts.collections.byIds(workspaceId, [input.collectionId]);
    if (!collection) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
    const result = context.resumed ?? (await this.write(context, dataset, collection.name));
    const { fileId, digest, names, ...counts } = result;
    try {
      const questionsVersion =
        input.questionsId === null ? null : await store.requireVersion(workspaceId, input.questionsId, 'questions');
      const { versionId, created } = await importer.addMade(
        {
          ...context,
          progress: (fraction, message) => context.progress(WRITTEN + (0.99 - WRITTEN) * fraction, message),
        },
        dataset,
        {
          operation: 'add',
          datasetId: dataset.id,
          extend: false,
          steps: [],
          features: [],
          files: [{ fileId, pairId: null, split: null, mapping: mappingOf(input) }],
          splitRule: input.splitRule,
          maxTokens: MOST_TOKENS,
          minRowsPerLabel: 0,
        },
        {
          collection: { id: collection.id, name: collection.name, digest, documents: names },
          questions: questionsVersion && { versionId: questionsVersion.id, digest: questionsVersion.digest },
        },
      );
      // Deleted before there was a version for the erasure to find.
      if (!(await this.parts.documents.allLive(collection.id, names))) {
        const reason = 'A document was deleted while its passages were taken.';
        await importer.eraseVersions(context, [{ id: versionId!, datasetId: dataset.id }], reason);
        throw new GraftError('CONFLICT', reason, { hint: 'Start again.' });
      }
      return { versionId: versionId!, created, ...counts };
    } catch (error) {
      // A run that only stands aside goes on from its file.
      if (!context.signal.aborted || context.signal.reason === 'cancel') await files.remove(workspaceId, fileId);
      throw error;
    }
  }

  /**
   * What a version was made of, if it was made here, and whether that is still as it was then.
   * @returns null for a version that was imported
   */
  async originOf(
    workspaceId: WorkspaceId,
    versionId: string,
  ): Promise<{ collection: string; state: 'SAME' | 'CHANGED' | 'GONE' } | null> {
    const [version] = await this.parts.store.versionsByIds(workspaceId, [versionId]);
    const origin = version?.manifest.origin;
    if (!origin?.collection) return null;
    const { id, name, digest } = origin.collection;
    const now = await this.parts.collections.state(workspaceId, id);
    return { collection: name, state: now === null ? 'GONE' : now === digest ? 'SAME' : 'CHANGED' };
  }

  /** The rows as a file, the state that the collection had before the first was made, and what is in them. */
  private async write(context: RaftContext, dataset: DatasetRecord, collection: string): Promise<Written> {
    const { run, input } = context;
    const workspaceId = run.workspaceId as WorkspaceId;
    const digest = await this.parts.collections.state(workspaceId, input.collectionId);
    const scope = await this.parts.retriever.scope(workspaceId, [collection]);
    const source = input.questionsId === null ? 'CLOZE' : 'LABELLED';
    const { questions, leftOut } =
      source === 'CLOZE' ? await this.clozes(context, scope) : await this.labelled(context, scope);
    requireEnough(questions.length, source, leftOut);
    if (input.keepSplits) requireOneSplit(questions);
    const { rows, names } = await this.rowsOf(context, scope, questions);
    const refusedCount = rows.length - questions.length;
    const file = await this.parts.files.store(workspaceId, {
      name: `${dataset.name}-${run.id}.jsonl`,
      mediaType: 'application/x-ndjson',
      source: Readable.from(rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`))),
      maxBytes: Number.MAX_SAFE_INTEGER,
    });
    const documents = new Set(questions.map(({ passage }) => passage.documentName)).size;
    const counts = { source, answered: questions.length, refused: refusedCount, leftOut, documents } as const;
    const result: Written = { ...counts, fileId: file.id, digest: digest!, names };
    await context.checkpoint(result);
    return result;
  }

  /** Clozes whose passage retrieval finds: the others ask for what nobody could tell. */
  private async clozes(context: RaftContext, scope: SearchScope): Promise<QuestionPlacement> {
    const { sample: limit, seed, splitRule } = context.input;
    const candidates = await makeAnsweredQuestions(this.parts, scope, { most: TRIED * limit, seed });
    const questions: PassageQuestion[] = [];
    let triedCount = 0;
    for (const { question, answer, chunkId } of shuffled(candidates, seededRandom(seed))) {
      if (questions.length === limit) break;
      triedCount += 1;
      const hit = (await this.near(scope, question, context.signal)).find((chunk) => chunk.chunkId === chunkId);
      if (hit) questions.push(placed({ question, answer, passage: hit, splitRule }));
      await tell(context, questions.length, limit);
    }
    return { questions, leftOut: triedCount - questions.length };
  }

  private async labelled(context: RaftContext, scope: SearchScope): Promise<QuestionPlacement> {
    const { run, input, signal } = context;
    const { datasets, rows, documents } = this.parts;
    const { keepSplits, splitRule, seed } = input;
    const field = 'input.questions';
    const { dataset, version, rowGroups } = await datasets.usableVersion(
      run.workspaceId as WorkspaceId,
      input.questionsId!,
      field,
    );
    const { train, validation, test } = version.counts;
    const total = Math.min(train + validation + test, RAFT_LIMITS.questions);
    const questions: PassageQuestion[] = [];
    let seenCount = 0;
    for await (const batch of rows.stream(dataset.task, rowGroups, { quarantined: false }))
      for (const { content, split, subject } of batch) {
        if (content?.task !== 'QUESTION_ANSWERING' || seenCount === total) continue;
        seenCount += 1;
        const { question, answer } = content;
        if (!answersSomething(content)) continue;
        const passage = await findPassage(content, {
          holding: (text) => documents.chunksHolding(input.collectionId, text),
          near: (text) => this.near(scope, text, signal),
        });
        if (passage)
          questions.push(placed({ question, answer, passage, subject, splitRule }, keepSplits ? split : null));
        await tell(context, seenCount, total);
      }
    return { questions: shuffled(questions, seededRandom(seed)), leftOut: seenCount - questions.length };
  }

  /** The rows of all readings, one reading after the other, and the documents whose text stands in them. */
  private async rowsOf(
    context: RaftContext,
    scope: SearchScope,
    questions: readonly PassageQuestion[],
  ): Promise<{ rows: RaftRow[]; names: string[] }> {
    const { input, signal } = context;
    const readings = new Readings(questions, input, seededRandom(input.seed));
    const names = new Set(questions.map(({ passage }) => passage.documentName));
    const rows: RaftRow[] = [];
    const lots = lotsOf(questions);
    for (const [i, lot] of lots.entries()) {
      const nearChunks = await this.near(scope, lot[0]!.question, signal);
      for (const { documentName } of nearChunks) names.add(documentName);
      rows.push(...readings.rowsOf(lot, nearChunks));
      if (i % STEP === 0)
        await context.progress(
          PLACED + ((WRITTEN - PLACED) * i) / lots.length,
          `${rows.length} rows are put together.`,
        );
    }
    return { rows, names: [...names].sort() };
  }

  private async near(scope: SearchScope, query: string, signal: AbortSignal): Promise<NamedChunk[]> {
    signal.throwIfAborted();
    const { passages } = await this.parts.retriever.retrieve(
      { scope, query, mode: 'HYBRID', limit: FOUND },
      { signal },
    );
    return passages.map(({ chunkId, documentName, text }) => ({ chunkId, documentName, text }));
  }
}

interface QuestionPlacement {
  questions: PassageQuestion[];
  leftOut: number;
}

/** @param givenSplit the split that it has to stay in; null: that of its document by the rule */
const placed = (
  {
    splitRule,
    subject = null,
    ...question
  }: Pick<PassageQuestion, 'question' | 'answer' | 'passage'> & { subject?: string | null; splitRule: SplitRule },
  givenSplit: PassageQuestion['split'] | null = null,
): PassageQuestion => ({
  ...question,
  split: givenSplit ?? splitOfGroup(question.passage.documentName, splitRule),
  given: givenSplit !== null,
  subject,
});

/** Questions that are to be refused are drawn from the others. */
function answersSomething(row: TaskRow): boolean {
  const read = readAnswer(outputText(row), row, NO_CONTEXT);
  return read?.kind === 'TEXT' && !read.refused;
}

const NO_CONTEXT: TaskContext = { labels: new LabelWords([]), languages: null };

async function tell(context: RaftContext, count: number, total: number): Promise<void> {
  if (count % STEP === 0)
    await context.progress((PLACED * count) / total, `${count} of ${total} questions have a passage.`);
}

/** @throws CONFLICT */
function requireEnough(count: number, source: RaftOutput['source'], leftOut: number): void {
  const { leastQuestions } = RAFT_LIMITS;
  if (count >= leastQuestions) return;
  const finding =
    source === 'CLOZE'
      ? `Only ${count} questions could be made of its passages (${leftOut} more were not found again by search)`
      : `Only ${count} of ${count + leftOut} questions have a passage in the collection`;
  throw new GraftError('CONFLICT', `${finding}; at least ${leastQuestions} are needed.`, {
    hint: source === 'CLOZE' ? 'Add documents, or give questions.' : 'Ingest the documents that answer them.',
  });
}

/** @throws CONFLICT that names the document */
function requireOneSplit(questions: readonly PassageQuestion[]): void {
  const splits = new Map<string, Split>();
  for (const { passage, split } of questions) {
    const firstSplit = splits.get(passage.documentName) ?? split;
    if (firstSplit !== split)
      throw new GraftError(
        'CONFLICT',
        `${passage.documentName} has questions in ${firstSplit} and in ${split}: what is measured would have been learned.`,
        { hint: 'Give each document one split, or leave keepSplits out.' },
      );
    splits.set(passage.documentName, split);
  }
}

const mappingOf = ({ keepSplits }: RaftInput): FileMapping => ({
  format: DataFormat.JSONL,
  encoding: TextEncoding.UTF_8,
  delimiter: null,
  quotes: true,
  header: true,
  columns: {
    QUESTION: 'question',
    PASSAGES: 'passages',
    ANSWER: 'answer',
    GROUP: 'document',
    SUBJECT: 'subject',
    ...(keepSplits && { SPLIT: 'split' }),
  },
  constants: {},
  splitValues: {},
  labelValues: {},
  offsets: 'UTF16',
});
