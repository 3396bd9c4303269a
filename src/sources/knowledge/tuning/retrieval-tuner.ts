import { type z } from 'zod';
import { record, string } from '../../../kernel/record.js';
import { badInput, GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { seededRandom, shuffled } from '../../../kernel/random.js';
import { checkedText } from '../../../kernel/text.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { CollectionStore } from '../collection-store.js';
import type { DocumentStore } from '../document-store.js';
import type { Retriever } from '../retrieval/retriever.js';
import { chooseWeight, type AskedQuestion } from './choose-weight.js';
import { makeQuestions } from './make-questions.js';
import { retrievalTuning, type RetrievalTuningContext, type TriedWeight, type TuningQuestion } from './tuning-run.js';

export const TUNING_LIMITS = {
  /** Fewer questions say too little: half of them choose, the other half checks. */
  leastQuestions: 20,
  questions: 1_000,
  questionLength: 2_000,
  quoteLength: 2_000,
} as const;

/** Questions between two looks at who else wants to work. */
const STEP = 20;

export const labelledQuestion = record('LabelledQuestionInput', 'A question, and what answers it.', {
  question: string('As a reader would ask it; at most 2,000 characters.'),
  document: string('Name of the document that answers it.'),
  quote: string(
    'Words of the passage that answers it, exactly as in `Chunk.text`; at most 2,000 characters. Without it any passage of the document counts.',
  ).nullish(),
});
type LabelledQuestion = z.infer<typeof labelledQuestion>;

interface StartTuning {
  collection: string;
  questions: readonly LabelledQuestion[] | null;
  /** How many cloze questions are made where there are no others. */
  sample: number;
  seed: number;
  idempotencyKey: string;
}

interface RetrievalTunerParts {
  runs: RunQueue;
  collections: CollectionStore;
  documents: DocumentStore;
  retriever: Retriever;
}

/** Chooses how much meaning counts against words in a collection. */
export class RetrievalTuner {
  constructor(private readonly parts: RetrievalTunerParts) {}

  /**
   * Looks the labels up: the run knows passages by their ids and keeps no text of a document.
   * @returns the RETRIEVAL_TUNING run
   * @throws NOT_FOUND, BAD_USER_INPUT (a quote that no passage of the document holds), IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartTuning): Promise<RunRow> {
    const { sample, seed, idempotencyKey } = input;
    const { leastQuestions, questions: limit } = TUNING_LIMITS;
    const collection = await this.parts.collections.require(workspaceId, input.collection, 'input.collection');
    const labelledQuestions = input.questions;
    if (labelledQuestions !== null && (labelledQuestions.length < leastQuestions || labelledQuestions.length > limit))
      throw badInput(
        'input.questions',
        `${leastQuestions} to ${limit} questions are taken, not ${labelledQuestions.length}.`,
      );
    if (!Number.isInteger(sample) || sample < leastQuestions || sample > limit)
      throw badInput('input.sample', `sample must be between ${leastQuestions} and ${limit}, not ${sample}.`);
    const questions: TuningQuestion[] = [];
    for (const [i, questionInput] of (labelledQuestions ?? []).entries())
      questions.push(await this.labelled(collection.id, questionInput, `input.questions.${i}`));
    return this.parts.runs.enqueue(retrievalTuning, {
      workspaceId,
      idempotencyKey,
      subjectId: collection.id,
      input: { collectionId: collection.id, questions: labelledQuestions === null ? null : questions, sample, seed },
    });
  }

  /**
   * The work of a RETRIEVAL_TUNING run.
   * @throws NOT_FOUND, CONFLICT where the collection has too few passages to ask about, and what `Retriever` throws
   */
  async tune(context: RetrievalTuningContext): Promise<{
    source: 'LABELLED' | 'CLOZE';
    questions: number;
    before: number;
    denseWeight: number;
    tried: TriedWeight[];
  }> {
    const { run, input, signal } = context;
    const { collections, retriever } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const [collection] = await collections.byIds(workspaceId, [input.collectionId]);
    if (collection === undefined) throw new GraftError('NOT_FOUND', 'The collection no longer exists.');
    const scope = await retriever.scope(workspaceId, [collection.name]);
    const random = seededRandom(input.seed);
    const questions = shuffled(
      input.questions ?? (await makeQuestions(this.parts, scope, { most: input.sample, seed: input.seed })),
      random,
    );
    if (questions.length < TUNING_LIMITS.leastQuestions)
      throw new GraftError('CONFLICT', `Only ${questions.length} questions could be made of its passages.`, {
        hint: `${TUNING_LIMITS.leastQuestions} are needed: add documents, or send questions of your own.`,
      });

    const askedQuestions: AskedQuestion[] = [];
    for (const { question, chunkIds } of questions) {
      askedQuestions.push({
        ...(await retriever.candidates({ scope, query: question }, { signal })),
        right: new Set(chunkIds),
      });
      if (askedQuestions.length % STEP !== 0) continue;
      await context.progress(
        (0.99 * askedQuestions.length) / questions.length,
        `${askedQuestions.length} of ${questions.length} asked.`,
      );
      await context.takeTurns();
    }
    const oldWeight = collection.denseWeight;
    const { denseWeight, tried } = chooseWeight(askedQuestions, oldWeight);
    await context.fenced((tx) => tx.collection.update({ where: { id: collection.id }, data: { denseWeight } }));
    const source = input.questions === null ? 'CLOZE' : 'LABELLED';
    return { source, questions: questions.length, before: oldWeight, denseWeight, tried };
  }

  private async labelled(
    collectionId: string,
    questionInput: LabelledQuestion,
    field: string,
  ): Promise<TuningQuestion> {
    const question = checkedText(questionInput.question, `${field}.question`, TUNING_LIMITS.questionLength);
    const document = checkedText(questionInput.document, `${field}.document`, 200).normalize('NFC').trim();
    const quote = questionInput.quote
      ? checkedText(questionInput.quote, `${field}.quote`, TUNING_LIMITS.quoteLength)
      : null;
    const chunkIds = await this.parts.documents.chunkIdsWith(collectionId, document, quote);
    if (chunkIds.length > 0) return { question, chunkIds };
    if (quote === null) throw badInput(`${field}.document`, `No document ${JSON.stringify(document)} has passages.`);
    throw badInput(`${field}.quote`, `No passage of ${JSON.stringify(document)} holds this quote.`);
  }
}
