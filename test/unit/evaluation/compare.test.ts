import { compareAttempts, type DecidingMetric } from '../../../src/prove/comparison/compare.js';
import type { Strategy } from '../../../src/answer/ask/index.js';
import type { Attempt } from '../../../src/prove/comparison/comparison-run.js';

const accuracy: DecidingMetric = { name: 'accuracy', higherIsBetter: true, value: ([right, rows]) => right! / rows! };

/** Rows of which those are right whose number `isRight` takes. */
const attempts = (rows: number, ms: number, isRight: (i: number) => boolean): Attempt[] =>
  Array.from({ length: rows }, (_, i) => {
    const score = isRight(i) ? 1 : 0;
    return { statistics: [score, 1], score, abstained: false, ms };
  });
const compare = (all: [Strategy, Attempt[]][]) => compareAttempts(accuracy, new Map(all));

describe('comparing strategies', () => {
  it('names the best where it is shown to be the best, with its figure, interval and cost', () => {
    const report = compare([
      ['RAG', attempts(300, 20, (i) => i % 2 === 0)],
      ['HYBRID', attempts(300, 120, (i) => i % 10 !== 0)],
    ]);
    expect(report).toMatchObject({ metric: 'accuracy', rows: 300, recommended: 'HYBRID', decided: true });
    expect(report.pairs[0]!.mcnemar).toMatchObject({ onlyFirst: 30, onlySecond: 150 });
    expect(report.sentence).toMatch(
      /^HYBRID has the best accuracy: 0\.900 \(0\.8\d\d to 0\.9\d\d\) on 300 rows\. That is 0\.400 from RAG \(p 0\.00\d\)\. Use it at 120 ms an answer; RAG takes 20 ms\.$/,
    );
  });

  it('says that two can’t be told apart, how many rows would tell, and takes the quicker', () => {
    const report = compare([
      ['RAG', attempts(40, 20, (i) => i % 4 !== 0)],
      ['ADAPTER', attempts(40, 60, (i) => i % 4 !== 1 || i === 1)],
    ]);
    expect(report).toMatchObject({ recommended: 'RAG', decided: false });
    expect(report.sentence).toMatch(/It can’t be told from RAG on so few rows: about [\d,]+ would tell\. Use RAG/);
  });

  it('takes no difference for one that so many comparisons make by chance', () => {
    const right = (wrong: number) => attempts(200, 20, (i) => i >= wrong);
    const two = compare([
      ['ADAPTER', right(0)],
      ['HYBRID', right(4)],
    ]);
    expect(two.decided).toBe(true);
    const four = compare([
      ['ADAPTER', right(0)],
      ['HYBRID', right(4)],
      ['RAG', right(5)],
      ['BASE', right(4)],
    ]);
    expect(four.pairs[0]!.p).toBe(two.pairs[0]!.p);
    expect(four.pairs[0]!.adjustedP).toBeGreaterThan(four.pairs[0]!.p);
    expect(four.decided).toBe(false);
  });

  it('asks no test of right and wrong where answers are right in part', () => {
    const half = attempts(20, 1, () => true).map((each) => ({ ...each, score: 0.5 }));
    const report = compare([
      ['BASE', half],
      ['RAG', half],
    ]);
    expect(report.pairs[0]!.mcnemar).toBeNull();
    expect(report.decided).toBe(false);
  });

  it('counts what got no answer, and the median time', () => {
    const some = attempts(5, 10, () => true).map((each, i) => ({
      ...each,
      abstained: i < 2,
      ms: [1, 2, 3, 4, 900][i]!,
    }));
    const { strategies } = compare([
      ['BASE', some],
      ['RAG', some],
    ]);
    expect(strategies[0]).toMatchObject({ abstained: 2, medianMs: 3 });
  });
});
