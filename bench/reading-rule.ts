/**
 * How `src/ask/judge/reading-rule.ts` weighs what the reader says of a sentence: fits the probability that the best sentence holds the answer, each
 * corpus left out once; and shows what the reader's word in the order of sentences is worth, and what a least probability refuses. Those two are
 * chosen by looking at all of the corpora. Nobody is refused for anything here.
 *
 * Corpora: XQuAD's unseen articles, COVID-QA and the example handbook, each in halves (`near`), and the sets of `own-words` but the fourth, which is
 * in no fit and told beside. Of the sentences that were read an answer tells the best three: the order is told among those, and
 * relevance is that of the one which stood first before. Questions of each set of `own-words` are asked of the next set's documents, too (foreign).
 *
 *   npm run bench -- reading-rule [--questions 60]   (of each halved corpus at most)
 */
import {
  answerabilityOf,
  DOUBTED,
  leastAnswerability,
  LEAST_PROBABILITY,
  LEAST_READ,
  READING,
  readingLogOdds,
  relevance,
  type Evidence,
} from '../src/ask/index.js';
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { halvedTexts, ownWords, type AskedCorpus } from './support/asked-corpora.js';
import { auroc } from './support/auroc.js';
import { fitLogistic } from './support/logistic.js';
import { numberOption } from './support/options.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';

const QUESTIONS = numberOption('questions', 60);
const UNFITTED: ReadonlySet<string> = new Set(['fourth']);
/** Nobody is refused below it: the check runs. */
const ANY = 1e-9;
/** Of the reader's word in a sentence's score. */
const WEIGHTS = [0, 0.05, 0.07, 0.1, 0.13, 0.16];
const LEAST = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55];
/** Of what is answered where relevance doubts it. */
const LEAST_DOUBTED = [0.35, 0.5, 0.6, 0.7, 1];
const FOREIGN = 40;

/** A sentence that the reader was asked about. */
interface Judged {
  /** Without what the reader adds. */
  score: number;
  answerability: number;
  similarity: number;
  holds: boolean;
}

interface Seen {
  near: boolean;
  /** Of the best sentence, before any is read; 0 where there is none. */
  relevance: number;
  /** None where the check is left out, as for another language: that is answered. */
  sentences: Judged[];
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

async function look(
  { service, workspaceId, ingest }: Answering,
  { name, collections, asked }: AskedCorpus,
): Promise<Seen[]> {
  for (const each of collections) await ingest(each.name, each.documents);
  const { signal } = new AbortController();
  const seen: Seen[] = [];
  for (const { question, answers, of, near } of asked) {
    const generation = { maxTokens: 1 };
    const input = { question, collections: of, strategy: 'AUTO', minConfidence: ANY, generation } as const;
    const { evidence } = await service.ask({ workspaceId }, input, signal);
    const sentences = evidence.flatMap((each): Judged[] => {
      const { quote, answerability, similarity } = each;
      if (answerability === undefined || similarity === null) return [];
      const holds = !near && holdsGold({ gold: answers, answer: quote });
      return [{ score: scoreOf(each), answerability, similarity, holds }];
    });
    const first = [...evidence].sort((a, b) => scoreOf(b) - scoreOf(a))[0];
    seen.push({ near, relevance: first === undefined ? 0 : relevance(first), sentences });
    if (seen.length % 40 === 0) console.log(`${name}: ${seen.length} of ${asked.length}`);
  }
  return seen;
}

/** Without what the reader adds. */
const scoreOf = ({ score, answerability }: Pick<Evidence, 'score' | 'answerability'>): number =>
  answerability === undefined ? score : score - READING.weight * readingLogOdds(answerability);

/** What is less relevant is refused unread. */
const isRead = (each: Seen): boolean => each.relevance >= LEAST_READ;

/** The sentence that is answered from where the reader's word counts so much. */
const bestOf = ({ sentences }: Seen, weight: number): Judged | undefined =>
  [...sentences].sort((a, b) => weighed(b, weight) - weighed(a, weight))[0];

const weighed = ({ score, answerability }: Judged, weight: number): number =>
  score + weight * readingLogOdds(answerability);

const percent = (share: number): number => Math.round(1000 * share) / 10;
const shareIn = <T>(rows: readonly T[], holds: (row: T) => boolean): number =>
  rows.filter(holds).length / Math.max(1, rows.length);

type Rule = (best: Judged) => number;

const featuresOf = ({ answerability, similarity }: Judged): number[] => [readingLogOdds(answerability), similarity];

/** Fitted to the best sentences of these corpora: of each as many with the answer as without, and each counting the same. */
function fit(corpora: readonly (readonly Judged[])[]): { weights: number[]; rule: Rule } {
  const most = Math.max(...corpora.map((each) => each.length));
  const of = (holds: boolean): number[][] =>
    corpora.flatMap((each) => {
      const rows = each.filter((row) => row.holds === holds);
      const repeated = rows.length === 0 ? 0 : most;
      return Array.from({ length: repeated }, (_, at) => featuresOf(rows[Math.floor((at * rows.length) / most)]!));
    });
  const { weights, probability } = fitLogistic(of(true), of(false));
  return { weights, rule: (best) => probability(featuresOf(best)) };
}

const judgedBest = (seen: readonly Seen[]): Judged[] =>
  seen.filter(isRead).flatMap((each) => bestOf(each, READING.weight) ?? []);

/** How well a rule tells the best sentences that hold the answer from those that don't. */
function told(rule: Rule, rows: readonly Judged[]): string {
  const of = (holds: boolean): number[] => rows.filter((row) => row.holds === holds).map(rule);
  return auroc(of(true), of(false)).toFixed(3);
}

/** The least probability that is answered from, by relevance. */
type Least = (relevance: number) => number;

/** Whether nothing is answered. */
const refuses =
  (rule: Rule, least: Least) =>
  (each: Seen): boolean => {
    const best = bestOf(each, READING.weight);
    return !isRead(each) || (best !== undefined && rule(best) < least(each.relevance));
  };

/** What is refused of near questions, and of those whose best sentence holds the answer. */
function refused(rule: Rule, seen: readonly Seen[], least: Least): string {
  const right = seen.filter((each) => bestOf(each, READING.weight)?.holds === true);
  const near = seen.filter((each) => each.near);
  return [near, right].map((these) => percent(shareIn(these, refuses(rule, least)))).join(' / ');
}

/** Questions of each set, asked of the next set's documents. */
function foreignTo(sets: readonly AskedCorpus[]): AskedCorpus[] {
  return sets.map(({ name, asked }, at) => {
    const of = sets[(at + 1) % sets.length]!.collections.map((collection) => collection.name);
    const answered = every(asked.filter(({ near }) => !near), FOREIGN); // prettier-ignore
    return { name, collections: [], asked: answered.map((each) => ({ ...each, of, near: true })) };
  });
}

const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  const [seen, foreign] = [new Map<string, Seen[]>(), new Map<string, Seen[]>()];
  for (const corpus of [...ownWords(), ...(await halvedTexts(QUESTIONS))])
    seen.set(corpus.name, await look(answering, corpus));
  for (const corpus of foreignTo(ownWords())) foreign.set(corpus.name, await look(answering, corpus));
  const fitted = [...seen.keys()].filter((name) => !UNFITTED.has(name));
  const bestOfOthers = (name: string): Judged[][] =>
    fitted.filter((other) => other !== name).map((other) => judgedBest(seen.get(other)!));
  const all = fit(bestOfOthers(''));
  printResult('reading-rule', {
    machine: describeMachine(),
    fitted: { corpora: fitted, weights: all.weights.map((weight) => Math.round(100 * weight) / 100) },
    rows: [...seen].map(([corpus, each]) => {
      const answerable = each.filter(({ near }) => !near);
      const leftOut = fit(bestOfOthers(corpus)).rule;
      const rows = judgedBest(each);
      return {
        ...{ corpus, answerable: answerable.length, near: each.length - answerable.length },
        'refused by relevance alone, near / answerable': [each.filter(({ near }) => near), answerable]
          .map((these) => percent(shareIn(these, (one) => one.relevance < LEAST_PROBABILITY)))
          .join(' / '),
        unjudged: each.filter(({ sentences }) => sentences.length === 0).length,
        'AUROC by the reader alone': told(({ answerability }) => answerability, rows),
        'by the cosine alone': told(({ similarity }) => similarity, rows),
        'by a rule fitted to the others': told(leftOut, rows),
        'by the rule that is used': told(answerabilityOf, rows),
        'refused, near / right, as used': refused(answerabilityOf, each, leastAnswerability),
      };
    }),
    foreign: [...foreign].map(([corpus, each]) => ({
      ...{ corpus, asked: each.length, unread: percent(shareIn(each, (one) => !isRead(one))) },
      'refused, as used': percent(shareIn(each, refuses(answerabilityOf, leastAnswerability))),
    })),
    doubted: [...seen].map(([corpus, each]) => ({
      corpus,
      ...Object.fromEntries(
        LEAST_DOUBTED.map((doubted) => {
          const least: Least = (one) => (one < DOUBTED.below ? doubted : leastAnswerability(one));
          const others = foreign.get(corpus);
          const strange = others ? ` / ${percent(shareIn(others, refuses(answerabilityOf, least)))}` : '';
          return [doubted, refused(answerabilityOf, each, least) + strange];
        }),
      ),
    })),
    leasts: [...seen].map(([corpus, each]) => ({
      corpus,
      ...Object.fromEntries(LEAST.map((least) => [least, refused(fit(bestOfOthers(corpus)).rule, each, () => least)])),
    })),
    weights: [...seen].map(([corpus, each]) => {
      const answerable = each.filter(({ near }) => !near);
      const right = (weight: number): number =>
        percent(shareIn(answerable, (one) => bestOf(one, weight)?.holds === true));
      return { corpus, ...Object.fromEntries(WEIGHTS.map((weight) => [weight, right(weight)])) };
    }),
  });
} finally {
  await answering.stop();
}
