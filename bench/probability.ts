/**
 * What the probability of an answer (`src/ask/judge/probability.ts`) is fitted to, and what its threshold comes to on a corpus that had no part in it.
 *
 * Corpora: the four sets of `own-words`, each asked of its own documents and, off topic, of the next set's; and, where they are, XQuAD's unseen
 * articles, COVID-QA and the example handbook in halves, each asked of both (answerable), of the half without the answer (near), and off topic.
 * Questions with an answer are judged once more by the passages that don't hold it: so a rule can't tell questions by how they are put. Each corpus
 * weighs the same; in each, questions with an answer weigh as much as those without, and each kind of these as much as another.
 *
 * Printed: for each corpus, by a rule fitted to the others, what the threshold refuses of each kind, and how often a right and a wrong sentence is
 * answered from; and the control that every learned refuser needs: how well the probability parts answerable from near questions when both are asked
 * of another set's documents, which only the style of questions could tell (.5: not at all).
 *
 *   npm run bench -- probability [--questions 30] [--off 20] [--rows FILE]   (of each corpus; rows are kept there, and read if they are there)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  ANSWERED,
  answerProbability,
  byScore,
  checkedQuestion,
  contextOf,
  featuresOf,
  findEvidence,
  isReadEnough,
  isWorthReading,
  LEAST_PROBABILITY,
  makePlan,
  readSentences,
  retrievePassages,
  tokenCounter,
  TO_BE_READ,
  type Evidence,
  type ProbabilityRule,
} from '../src/ask/index.js';
import { auroc } from './support/auroc.js';
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { halvedTexts, ownWords, type AskedCorpus, type AskedQuestion } from './support/asked-corpora.js';
import { fitLogistic, type WeightedRow } from './support/logistic.js';
import { numberOption, textOption } from './support/options.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { shareOf } from './support/shares.js';

const QUESTIONS = numberOption('questions', 30);
const OFF = numberOption('off', 20);
const ROWS = textOption('rows', '');
const { signal } = new AbortController();
/** How much the questions of a corpus weigh, together, by what its documents hold of them. */
const WEIGHT = { answerable: 3, near: 1, 'off topic': 1, without: 1 } as const;
const STAGES = ['RAG', 'AUTO'] as const;
const ROUNDS = 5;
const REFUSED_OFF_TOPIC = 0.97;

type Answering = Awaited<ReturnType<typeof startAnswering>>;
/** As it is judged, and whether it holds a right answer. */
type Judged = Pick<Evidence, 'similarity' | 'missingNames' | 'answerability' | 'score' | 'addressed'> & {
  right: boolean;
};
interface JudgedQuestion {
  corpus: string;
  kind: keyof typeof WEIGHT;
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
  kind: JudgedQuestion['kind'],
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
  for await (const { sentence } of readSentences(parts, plan, checking))
    if (sentence !== null) read.push(judged(sentence));
  return { corpus, kind, document: asked.document, near: asked.near, unread: unread ? judged(unread) : null, read };
}

async function judgeAll(answering: Answering, corpora: readonly AskedCorpus[]): Promise<JudgedQuestion[]> {
  for (const { collections } of corpora)
    for (const { name, documents } of collections) await answering.ingest(name, documents);
  const judged: JudgedQuestion[] = [];
  for (const [i, { name, asked }] of corpora.entries()) {
    const next = corpora[(i + 1) % corpora.length]!.collections.map((each) => each.name);
    for (const each of asked) {
      judged.push(await judge(answering, name, each, each.near ? 'near' : 'answerable'));
      if (!each.near) judged.push(await judge(answering, name, each, 'without'));
    }
    for (const each of every(asked, OFF)) judged.push(await judge(answering, name, { ...each, of: next }, 'off topic'));
    console.log(`${name}: ${judged.length} questions so far`);
  }
  return judged;
}

/** The sentence that is answered from; read as far as the rule has the product read, or, without one, all. */
function chosen({ unread, read }: JudgedQuestion, stage: (typeof STAGES)[number], rule: ProbabilityRule | null) {
  if (stage === 'RAG') return unread;
  const worth = rule ? read.filter((each) => isWorthReading(each, LEAST_PROBABILITY, rule)) : read;
  const enough = rule ? worth.findIndex((_, index) => isReadEnough(worth.slice(0, index + 1), rule)) : -1;
  const [best] = (enough < 0 ? worth : worth.slice(0, enough + 1)).toSorted(byScore);
  const [first] = read;
  return best ?? (first ? { ...first, answerability: undefined } : unread);
}

/**
 * Fitted to the sentence that is answered from, read and unread alike: what a reader says is weighed beside what was there before. What is read hangs on
 * the rule, and the rule on what is read: it settles within a few rounds.
 */
function fit(questions: readonly JudgedQuestion[]): ProbabilityRule {
  let rule: ProbabilityRule | null = null;
  for (let round = 0; round < ROUNDS; round += 1) rule = fitOnce(questions, rule);
  return rule!;
}

function fitOnce(questions: readonly JudgedQuestion[], before: ProbabilityRule | null): ProbabilityRule {
  const weightOf = (question: JudgedQuestion): number =>
    WEIGHT[question.kind] /
    questions.filter(({ corpus, kind }) => corpus === question.corpus && kind === question.kind).length;
  const rows = questions.flatMap((question): WeightedRow[] => {
    const weight = weightOf(question);
    return STAGES.flatMap((stage) => {
      const best = chosen(question, stage, before);
      return best === null ? [] : [{ x: featuresOf(best).map(([, value]) => value), y: best.right, weight }];
    });
  });
  const [bias = 0, ...weights] = fitLogistic(rows);
  const names = featuresOf({ similarity: 0, missingNames: 0 }).map(([name]) => name);
  return { bias, ...Object.fromEntries(names.map((name, i) => [name, weights[i]!])) } as ProbabilityRule;
}

interface Told {
  question: JudgedQuestion;
  document: string;
  probability: number;
  right: boolean;
}

function tell(question: JudgedQuestion, stage: (typeof STAGES)[number], rule: ProbabilityRule): Told {
  const best = chosen(question, stage, rule);
  const probability = best === null ? 0 : answerProbability(best, rule);
  return { question, document: question.document, probability, right: best?.right ?? false };
}

function rowOf(corpus: string, stage: string, told: readonly Told[]) {
  const of = (kind: JudgedQuestion['kind']) => told.filter(({ question }) => question.kind === kind);
  const refused = ({ probability }: Told): boolean => probability < LEAST_PROBABILITY;
  const share = (some: readonly Told[], holds: (one: Told) => boolean): string =>
    some.length === 0 ? '' : shareOf(some, holds);
  const [answerable, off] = [of('answerable'), of('off topic')];
  const style = [false, true].map((near) =>
    off.filter(({ question }) => question.near === near).map(({ probability }) => probability),
  ) as [number[], number[]];
  const right = answerable.filter((one) => one.right);
  const probabilities = (some: readonly Told[]): number[] => some.map(({ probability }) => probability);
  return {
    corpus,
    strategy: stage,
    questions: told.length,
    'refused near': share(of('near'), refused),
    'refused without the passage': share(of('without'), refused),
    'refused off topic': share(off, refused),
    'refused though answerable': share(answerable, refused),
    'answered right': share(answerable, (one) => !refused(one) && one.right),
    'answered wrong': share(answerable, (one) => !refused(one) && !one.right),
    'right parted from near': of('near').length
      ? auroc(probabilities(right), probabilities(of('near'))).toFixed(2)
      : '',
    'control: by style': style[1].length ? auroc(...style).toFixed(2) : '',
  };
}

/** The least hundredth that refuses so many questions off topic, whichever way they are judged. */
function leastThreshold(judged: readonly (readonly Told[])[]): number {
  const off = judged.map((all) => all.filter(({ question }) => question.kind === 'off topic'));
  const refused = (all: readonly Told[], threshold: number): number =>
    all.filter(({ probability }) => probability < threshold).length / all.length;
  for (let hundredths = 1; hundredths < 100; hundredths += 1)
    if (off.every((all) => refused(all, hundredths / 100) >= REFUSED_OFF_TOPIC)) return hundredths / 100;
  return 1;
}

/** How often sentences of a probability were right, as questions weigh in the fit. */
function calibrationOf(told: readonly Told[]) {
  return Array.from({ length: 5 }, (_, i) => {
    const within = told.filter(({ probability }) => Math.min(4, Math.floor(probability * 5)) === i);
    const weight = ({ question: { kind } }: Told): number =>
      WEIGHT[kind] / told.filter((one) => one.question.kind === kind).length;
    const sum = (value: (one: Told) => number): number =>
      within.reduce((all, one) => all + weight(one) * value(one), 0);
    const all = sum(() => 1);
    return {
      said: (sum(({ probability }) => probability) / all).toFixed(2),
      right: (sum(({ right }) => Number(right)) / all).toFixed(2),
      n: within.length,
    };
  });
}

async function record(): Promise<JudgedQuestion[]> {
  const answering = await startAnswering();
  try {
    await putReaderInProduction(answering);
    return [...(await judgeAll(answering, ownWords())), ...(await judgeAll(answering, await halvedTexts(QUESTIONS)))];
  } finally {
    await answering.stop();
  }
}

const questions =
  ROWS !== '' && existsSync(ROWS) ? (JSON.parse(readFileSync(ROWS, 'utf8')) as JudgedQuestion[]) : await record();
if (ROWS !== '' && !existsSync(ROWS)) writeFileSync(ROWS, JSON.stringify(questions));
const corpora = [...new Set(questions.map(({ corpus }) => corpus))];
const told = STAGES.map((stage) => ({
  stage,
  told: corpora.flatMap((left) => {
    const rule = fit(questions.filter(({ corpus }) => corpus !== left));
    return questions.filter(({ corpus }) => corpus === left).map((question) => tell(question, stage, rule));
  }),
}));
const rows = told.flatMap(({ stage, told: all }) => [
  ...corpora.map((corpus) =>
    rowOf(
      corpus,
      stage,
      all.filter(({ question }) => question.corpus === corpus),
    ),
  ),
  rowOf('all of them', stage, all),
]);
const rounded = Object.fromEntries(
  Object.entries(fit(questions)).map(([name, value]) => [name, Number(value.toFixed(2))]),
);
console.log(JSON.stringify(rounded));
printResult(
  'probability',
  {
    machine: describeMachine(),
    rows,
    threshold: leastThreshold(told.map(({ told: all }) => all)),
    fitted: rounded,
    calibration: Object.fromEntries(told.map(({ stage, told: all }) => [stage, calibrationOf(all)])),
  },
  ['corpus', 'strategy'],
);
