import { qualityOf } from '../../src/learn/feedback/index.js';
import { seededRandom, shuffled } from '../../src/kernel/random.js';
import { rateSequence } from '../../src/kernel/statistics/sequential/rate-sequence.js';
import type { Topic } from './line.js';
import { isRight, questions, TRAFFIC, type Traffic } from './traffic.js';

const ANSWERS = 4_000;
const RATE = 0.75;
const REVIEWED = [30, 100, 300] as const;
/** Reviews between two looks. */
const STEP = 10;
/** From so many reviews on it is narrower than from the reviewed alone, whose exact sequence is the tighter one before. */
const NARROWER_FROM = 100;

/** What an answer that is right with this probability predicts of itself. */
const CONFIDENCES = {
  calibrated: (p: number) => p,
  'over-confident': (p: number) => 1 - (1 - p) ** 3,
  useless: (_p: number, random: number) => random,
};
type Confidences = keyof typeof CONFIDENCES;

/** Answers whose questions differ in difficulty more than by their traffic alone, in the order in which they are drawn. */
function drawn(traffic: Traffic, confidences: Confidences, seed: number): { predicted: number; right: number }[] {
  const random = seededRandom(seed + 1);
  const stream = questions(traffic, { seed });
  const answers = Array.from({ length: ANSWERS }, () => {
    const question = stream.next().value!;
    const harder = { ...question, ease: question.ease + 0.7 * random() ** 2 - 0.35 };
    const p = Math.min(1, Math.max(0, RATE + harder.ease));
    return { predicted: CONFIDENCES[confidences](p, random()), right: Number(isRight(harder, RATE)) };
  });
  return shuffled(answers, random);
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What the product says after so many reviews. */
function look(answers: ReturnType<typeof drawn>, sums: { sum: number; sumSquares: number }, reviewed: number) {
  const first = answers
    .slice(0, reviewed + 1)
    .map((one, number) => ({ ...one, number, reviewed: number < reviewed, right: one.right }));
  return qualityOf([{ drawnFrom: true, answers: ANSWERS, ...sums, drawn: first }]);
}

/** How often the share leaves its interval at any look up to so many reviews, and how wide it is there, beside that of the reviewed alone. */
function measure(traffic: Traffic, confidences: Confidences, streams: number) {
  const missed = REVIEWED.map(() => 0);
  const widths = REVIEWED.map(() => ({ own: 0, alone: 0 }));
  for (let i = 0; i < streams; i++) {
    const answers = drawn(traffic, confidences, 41 + i * 7_919);
    const predicted = answers.map((one) => one.predicted);
    const sums = { sum: sumOf(predicted), sumSquares: sumOf(predicted.map((value) => value ** 2)) };
    const share = sumOf(answers.map(({ right }) => right)) / ANSWERS;
    let out = false;
    for (let reviewed = 10; reviewed <= REVIEWED.at(-1)!; reviewed += STEP) {
      const { low, high } = look(answers, sums, reviewed);
      out ||= share < low! || share > high!;
      const at = REVIEWED.findIndex((count) => count === reviewed);
      if (at < 0) continue;
      missed[at]! += Number(out);
      const good = sumOf(answers.slice(0, reviewed).map(({ right }) => right));
      const alone = rateSequence({ answers: reviewed, good }, 0.05, 100);
      widths[at]!.own += high! - low!;
      widths[at]!.alone += alone.high - alone.low;
    }
  }
  return { missed, widths };
}

export const quality: Topic = {
  name: 'quality',
  *lines(streams) {
    for (const traffic of TRAFFIC)
      for (const confidences of Object.keys(CONFIDENCES) as Confidences[]) {
        const { missed, widths } = measure(traffic, confidences, streams);
        for (const [i, reviewed] of REVIEWED.entries()) {
          const of = { streams, traffic, judged: reviewed / ANSWERS };
          yield {
            ...of,
            promise: `the share of right answers leaves its interval at any look, ${confidences} confidences`,
            promised: { atMost: 0.05 },
            measured: missed[i]! / streams,
          };
          if (confidences !== 'useless' && reviewed >= NARROWER_FROM)
            yield {
              ...of,
              promise: `width of the interval, as a share of that from the reviewed alone, ${confidences} confidences`,
              promised: { atMost: 1 },
              measured: widths[i]!.own / widths[i]!.alone,
            };
        }
      }
  },
};
