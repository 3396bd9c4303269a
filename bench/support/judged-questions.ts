/** Questions of every kind as they are judged before an answer is given: what `bench -- probability` fits to and counts. */
import {
  ANSWERED,
  checkedQuestion,
  contextOf,
  findEvidence,
  makePlan,
  readSentences,
  retrievePassages,
  tokenCounter,
  TO_BE_READ,
  type Evidence,
  type Plan,
} from '../../src/answer/ask/index.js';
import { putReaderInProduction, startAnswering } from './answering.js';
import { halvedTexts, ownWords, type AskedCorpus, type AskedQuestion } from './asked-corpora.js';
import { every, holdsGold } from './questions.js';

const { signal } = new AbortController();

type Answering = Awaited<ReturnType<typeof startAnswering>>;

/** Its documents hold an answer, come near to one, are about something else; or are its own without the passages that hold one. */
export type QuestionKind = 'answerable' | 'near' | 'off topic' | 'without';
/** As it is judged, and whether it holds a right answer. */
export type Judged = Pick<Evidence, 'similarity' | 'missingNames' | 'answerability' | 'score' | 'addressed'> & {
  right: boolean;
  /** By the reader itself, where `answerability` is what a calibration made of it. */
  said?: number;
};
export interface JudgedQuestion {
  corpus: string;
  kind: QuestionKind;
  document: string;
  /** Whether it was written to come near its own documents only; of questions off topic the control parts those. */
  near: boolean;
  /** The best sentence as `RAG` answers from it; null where none was found. */
  unread: Judged | null;
  /** The best sentences in the order in which the reader is asked about them, each as it judged it. */
  read: Judged[];
}

async function judge(
  { parts, workspaceId }: Answering,
  corpus: string,
  asked: AskedQuestion,
  kind: QuestionKind,
): Promise<JudgedQuestion> {
  const reading = { ...parts, embedder: () => parts.registry.embedder() };
  const question = checkedQuestion({ question: asked.question, collections: asked.of, strategy: 'HYBRID' });
  const scope = await parts.retriever.scope(workspaceId, question.collections);
  const found = await retrievePassages(reading, scope, question, signal);
  const holds = (text: string): boolean => holdsGold({ gold: asked.answers, answer: text });
  const passages = found.retrieval.passages.filter(({ text }) => kind !== 'without' || !holds(text));
  const left = { ...found, retrieval: { ...found.retrieval, passages } };
  const { evidence } = await findEvidence(reading, workspaceId, left, signal, TO_BE_READ);
  const [unread] = (await findEvidence(reading, workspaceId, left, signal, ANSWERED)).evidence;
  const plan = await makePlan(parts, workspaceId, question, 'HYBRID', { scope, labelled: null });
  const [context, count] = [contextOf(parts, plan.variant), tokenCounter({ ...parts, workspaceId, signal }, plan)];
  const right = kind === 'answerable' ? holds : () => false;
  const judged = ({ quote, similarity, missingNames, answerability, score, addressed }: Evidence): Judged => ({
    right: right(quote),
    similarity,
    missingNames,
    answerability,
    score,
    addressed,
  });
  const read: Judged[] = [];
  const checking = { workspaceId, question, passages, evidence, context, count, signal };
  for await (const { sentence } of readSentences(parts, uncalibrated(plan), checking))
    if (sentence !== null) read.push(judged(sentence));
  return { corpus, kind, document: asked.document, near: asked.near, unread: unread ? judged(unread) : null, read };
}

/** What the reader says itself: that is what a calibration is fitted to. */
function uncalibrated(plan: Plan): Plan {
  const { adapter, ...adaptation } = plan.adaptation!;
  const { calibration: _, ...usage } = adapter.usage;
  return { ...plan, adaptation: { ...adaptation, adapter: { ...adapter, usage } } };
}

async function judgeAll(answering: Answering, corpora: readonly AskedCorpus[], off: number): Promise<JudgedQuestion[]> {
  for (const { collections } of corpora)
    for (const { name, documents } of collections) await answering.ingest(name, documents);
  const judged: JudgedQuestion[] = [];
  for (const [i, { name, asked }] of corpora.entries()) {
    const next = corpora[(i + 1) % corpora.length]!.collections.map((each) => each.name);
    for (const each of asked) {
      judged.push(await judge(answering, name, each, each.near ? 'near' : 'answerable'));
      if (!each.near) judged.push(await judge(answering, name, each, 'without'));
    }
    for (const each of every(asked, off)) judged.push(await judge(answering, name, { ...each, of: next }, 'off topic'));
    console.log(`${name}: ${judged.length} questions so far`);
  }
  return judged;
}

/** What was judged, and by the reader of which model. */
export interface RecordedQuestions {
  model: string;
  questions: JudgedQuestion[];
}

/**
 * @param most questions of each corpus; 0: all own words and 30 of each other
 * @param off questions of each corpus that are asked off topic
 */
export async function judgeQuestions(most: number, off: number): Promise<RecordedQuestions> {
  const answering = await startAnswering();
  try {
    await putReaderInProduction(answering);
    const own = ownWords().map((corpus) => ({ ...corpus, asked: every(corpus.asked, most || Infinity) }));
    const others = await halvedTexts(most || 30);
    const questions = [...(await judgeAll(answering, own, off)), ...(await judgeAll(answering, others, off))];
    return { model: answering.variant.model, questions };
  } finally {
    await answering.stop();
  }
}
