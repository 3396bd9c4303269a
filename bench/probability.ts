/**
 * What the probability of an answer (`src/answer/ask/read/probability.ts`) is fitted to, and what its threshold comes to on a corpus that had no part in it.
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
 * The rule is fitted to the reader of the default model. For a model with another reader (`GRAFT_MODEL`) the rule stays as it is, and a line through
 * that reader's log-odds is fitted (Platt 1999): `reader-calibration`, which goes into its `reader.json`. Each corpus is shown by the line of the others;
 * rule and threshold were fitted to all of them, by the default reader.
 *
 *   npm run bench -- probability [--questions N] [--off 20] [--rows FILE]
 *   (of each corpus; without N all own words and 30 of each other; rows are kept in FILE, and read if they are there)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  answerProbability,
  byScore,
  calibrated,
  featuresOf,
  isReadEnough,
  isWorthReading,
  LEAST_PROBABILITY,
  PROBABILITY,
  readerLogOdds,
  READING,
  type ProbabilityRule,
} from '../src/answer/ask/index.js';
import { loadConfig } from '../src/platform/config.js';
import type { ReaderCalibration } from '../src/sources/registry/index.js';
import { auroc } from './support/auroc.js';
import {
  judgeQuestions,
  type Judged,
  type JudgedQuestion,
  type QuestionKind,
  type RecordedQuestions,
} from './support/judged-questions.js';
import { fitLogistic, type WeightedRow } from './support/logistic.js';
import { numberOption, textOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';
import { shareOf } from './support/shares.js';

const QUESTIONS = numberOption('questions', 0);
const OFF = numberOption('off', 20);
const ROWS = textOption('rows', '');
/** How much the questions of a corpus weigh, together, by what its documents hold of them. */
const WEIGHT: Readonly<Record<QuestionKind, number>> = { answerable: 3, near: 1, 'off topic': 1, without: 1 };
const STAGES = ['RAG', 'AUTO'] as const;
const ROUNDS = 5;
const REFUSED_OFF_TOPIC = 0.97;
const BELOW_REACH = 0.98;

/** The model whose reader the rule is fitted to. */
const FITTED_TO = loadConfig({}).GRAFT_MODEL;

/** As it was before a reader was asked. */
const unreadOf = (judged: Judged): Judged => ({
  ...judged,
  answerability: undefined,
  score: judged.score - READING.weight * readerLogOdds(judged.answerability!),
});

/** What the product has the reader read under a rule; without one, all. */
function readUnder({ read }: JudgedQuestion, rule: ProbabilityRule | null): Judged[] {
  if (rule === null) return read;
  const worth = read.filter((each) => isWorthReading(each, LEAST_PROBABILITY, rule));
  const enough = worth.findIndex((each, index) =>
    isReadEnough(worth.slice(0, index), unreadOf(each), LEAST_PROBABILITY, rule),
  );
  return enough < 0 ? worth : worth.slice(0, enough);
}

/** The sentence that is answered from. */
function chosen(question: JudgedQuestion, stage: (typeof STAGES)[number], rule: ProbabilityRule | null) {
  const { unread, read } = question;
  if (stage === 'RAG') return unread;
  const [best] = readUnder(question, rule).toSorted(byScore);
  const [first] = read;
  return best ?? (first ? { ...first, answerability: undefined } : unread);
}

/** What one of these questions weighs, that the corpora weigh the same. */
const weightOf = (questions: readonly JudgedQuestion[], { corpus, kind }: JudgedQuestion): number =>
  WEIGHT[kind] / questions.filter((each) => each.corpus === corpus && each.kind === kind).length;

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
  const rows = questions.flatMap((question): WeightedRow[] => {
    const weight = weightOf(questions, question);
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
  /** Sentences that were read. */
  readings: number;
}

function tell(question: JudgedQuestion, stage: (typeof STAGES)[number], rule: ProbabilityRule): Told {
  const best = chosen(question, stage, rule);
  const probability = best === null ? 0 : answerProbability(best, rule);
  const readings = stage === 'RAG' ? 0 : readUnder(question, rule).length;
  return { question, document: question.document, probability, right: best?.right ?? false, readings };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function rowOf(corpus: string, stage: string, told: readonly Told[]) {
  const of = (kind: QuestionKind) => told.filter(({ question }) => question.kind === kind);
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
    'readings where answerable': mean(answerable.map(({ readings }) => readings)).toFixed(1),
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

/** A question as a reader with this calibration judges it. */
const asCalibrated = (question: JudgedQuestion, calibration: ReaderCalibration): JudgedQuestion => ({
  ...question,
  read: question.read.map((each) => {
    const said = each.answerability!;
    const answerability = calibrated(said, calibration);
    return {
      ...each,
      said,
      answerability,
      score: each.score + READING.weight * (readerLogOdds(answerability) - readerLogOdds(said)),
    };
  }),
});

/** Fitted to the sentence that is answered from, beside what the rule made of it unread; it settles as the rule itself does. */
function fitCalibration(questions: readonly JudgedQuestion[]): ReaderCalibration {
  let fitted: ReaderCalibration = { bias: 0, slope: 1 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const rows = questions.flatMap((question): WeightedRow[] => {
      const best = chosen(asCalibrated(question, fitted), 'AUTO', PROBABILITY);
      if (best?.answerability === undefined) return [];
      const unread = featuresOf({ ...best, answerability: undefined });
      const offset = unread.reduce<number>((sum, [name, value]) => sum + PROBABILITY[name] * value, PROBABILITY.bias);
      return [{ x: [readerLogOdds(best.said!)], y: best.right, weight: weightOf(questions, question), offset }];
    });
    const [level, steepness] = fitLogistic(rows) as [number, number];
    if (steepness <= 0)
      throw new Error('What this reader says of a sentence tells nothing: there is nothing to calibrate.');
    fitted = { bias: (level - PROBABILITY.read) / PROBABILITY.reader, slope: steepness / PROBABILITY.reader };
  }
  return fitted;
}

/** Each corpus under what is fitted to the others, then all of them. */
function rowsOf<F>(
  questions: readonly JudgedQuestion[],
  fitted: (others: readonly JudgedQuestion[]) => F,
  judged: Readonly<Record<string, (question: JudgedQuestion, by: F) => Told>>,
) {
  const corpora = [...new Set(questions.map(({ corpus }) => corpus))];
  const told = Object.keys(judged).map((): Told[] => []);
  for (const left of corpora) {
    const by = fitted(questions.filter(({ corpus }) => corpus !== left));
    const own = questions.filter(({ corpus }) => corpus === left);
    for (const [i, judge] of Object.values(judged).entries()) told[i]!.push(...own.map((each) => judge(each, by)));
  }
  const rows = Object.keys(judged).flatMap((name, i) => [
    ...corpora.map((corpus) =>
      rowOf(
        corpus,
        name,
        told[i]!.filter(({ question }) => question.corpus === corpus),
      ),
    ),
    rowOf('all of them', name, told[i]!),
  ]);
  return { told, rows };
}

const rounded = <N extends string>(numbers: Readonly<Record<N, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries<number>(numbers).map(([name, value]) => [name, Number(value.toFixed(2))]));

function printRule(questions: readonly JudgedQuestion[]): void {
  const { told, rows } = rowsOf(
    questions,
    fit,
    Object.fromEntries(
      STAGES.map((stage) => [stage, (question, rule: ProbabilityRule) => tell(question, stage, rule)]),
    ),
  );
  printResult(
    'probability',
    {
      machine: describeMachine(),
      rows,
      threshold: leastThreshold(told),
      fitted: rounded(fit(questions)),
      ...rounded({ reach: reachOf(questions) }),
      calibration: Object.fromEntries(STAGES.map((stage, i) => [stage, calibrationOf(told[i]!)])),
    },
    ['corpus', 'strategy'],
  );
}

function printCalibration(model: string, questions: readonly JudgedQuestion[]): void {
  const { rows } = rowsOf(questions, fitCalibration, {
    RAG: (question) => tell(question, 'RAG', PROBABILITY),
    'AUTO, as its reader says': (question) => tell(question, 'AUTO', PROBABILITY),
    AUTO: (question, calibration) => tell(asCalibrated(question, calibration), 'AUTO', PROBABILITY),
  });
  printResult(
    'reader-calibration',
    {
      machine: describeMachine(),
      rows: rows.map((row) => ({ model, ...row })),
      calibration: { [model]: rounded({ ...fitCalibration(questions) }) },
    },
    ['model', 'corpus', 'strategy'],
  );
}

/** What nearly none of the read sentences that don't answer is given by the reader: `READING.reach`. */
function reachOf(questions: readonly JudgedQuestion[]): number {
  const said = questions.flatMap(({ read }) => read.filter(({ right }) => !right).map((each) => each.answerability!));
  return said.sort((a, b) => a - b)[Math.floor(BELOW_REACH * said.length)] ?? 1;
}

function kept(): RecordedQuestions {
  const recorded = JSON.parse(readFileSync(ROWS, 'utf8')) as Partial<RecordedQuestions>;
  if (recorded.model === undefined || !Array.isArray(recorded.questions))
    throw new Error(`${ROWS} holds no questions that this script wrote.`);
  return recorded as RecordedQuestions;
}

const isKept = ROWS !== '' && existsSync(ROWS);
const recorded = isKept ? kept() : await judgeQuestions(QUESTIONS, OFF);
if (ROWS !== '' && !isKept) writeFileSync(ROWS, JSON.stringify(recorded));
if (recorded.model === FITTED_TO) printRule(recorded.questions);
else printCalibration(recorded.model, recorded.questions);
