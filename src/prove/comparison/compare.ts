import { quantile } from '../../kernel/statistics.js';
import type { Metric } from '../metrics/metric.js';
import { estimate, pairedDifference } from '../bootstrap.js';
import { holm } from '../../kernel/statistics/holm.js';
import { mcnemar } from '../../kernel/statistics/mcnemar.js';
import type { Strategy } from '../../answer/ask/index.js';
import type { Attempt, StrategyComparison } from './comparison-run.js';

/** A metric of rows whose statistics are known already. */
export type DecidingMetric = Omit<Metric<never>, 'statistics'>;

/** Differences that chance makes more often than this, among all that are looked at, are none. */
const SIGNIFICANT = 0.05;

type Figures = StrategyComparison['strategies'][number];
type Pair = StrategyComparison['pairs'][number];

/**
 * What each strategy is worth on the same rows, what it costs, and which to use: the quickest of those that are not shown to be worse
 * than the best.
 * @param attempts by strategy, each in the order of the rows
 */
export function compareAttempts(
  metric: DecidingMetric,
  attempts: ReadonlyMap<Strategy, readonly Attempt[]>,
): StrategyComparison {
  const attemptMetric: Metric<Attempt> = { ...metric, statistics: ({ statistics }) => statistics };
  const strategies = [...attempts].map(([strategy, strategyAttempts]): Figures => {
    const { value, low, high } = estimate(attemptMetric, strategyAttempts);
    const times = strategyAttempts.map(({ ms }) => ms).sort((a, b) => a - b);
    const abstained = strategyAttempts.filter((attempt) => attempt.abstained).length;
    return { strategy, value, low, high, abstained, medianMs: quantile(times, 0.5) };
  });
  const comparisons = [...attempts].flatMap(([first, firstAttempts], i) =>
    [...attempts].slice(i + 1).map(([second, secondAttempts]) => {
      const { value, low, high, p } = pairedDifference(attemptMetric, firstAttempts, secondAttempts);
      return { first, second, value, low, high, p, mcnemar: rightOrWrong(firstAttempts, secondAttempts) };
    }),
  );
  // The best is chosen by the same rows, so that any two may be those that are told apart.
  const raised = holm(comparisons.map(({ p }) => p));
  const pairs = comparisons.map((pair, i): Pair => ({ ...pair, adjustedP: raised[i]! }));
  const rows = [...attempts.values()][0]?.length ?? 0;
  return { metric: metric.name, rows, strategies, pairs, ...verdict(metric, rows, strategies, pairs) };
}

const chanceOf = ({ p, adjustedP = p }: Pair): number => adjustedP;

/** McNemar's test where each answer is right or wrong and nothing between. */
function rightOrWrong(firstAttempts: readonly Attempt[], secondAttempts: readonly Attempt[]): Pair['mcnemar'] {
  if ([...firstAttempts, ...secondAttempts].some(({ score }) => score !== 0 && score !== 1)) return null;
  return mcnemar(
    firstAttempts.map(({ score }) => score === 1),
    secondAttempts.map(({ score }) => score === 1),
  );
}

function verdict(
  { name, higherIsBetter }: DecidingMetric,
  rows: number,
  strategies: readonly Figures[],
  pairs: readonly Pair[],
): Pick<StrategyComparison, 'recommended' | 'decided' | 'sentence'> {
  const better = (a: Figures, b: Figures): number => (higherIsBetter ? b.value - a.value : a.value - b.value);
  const [best, ...rest] = [...strategies].sort(better) as [Figures, ...Figures[]];
  const pairWith = (rival: Figures): Pair =>
    pairs.find(({ first, second }) =>
      [first, second].every((strategy) => strategy === best.strategy || strategy === rival.strategy),
    )!;
  const worse = (rival: Figures): boolean => chanceOf(pairWith(rival)) < SIGNIFICANT;
  const rivals = rest.filter((rival) => !worse(rival));
  const [quickest] = [best, ...rivals].sort((a, b) => a.medianMs - b.medianMs) as [Figures];
  const decided = rivals.length === 0;
  const opening = `${best.strategy} has the best ${name}: ${figure(best.value)} (${figure(best.low)} to ${figure(best.high)}) on ${rows} rows.`;
  const next = rest.filter(worse)[0];
  const margin = next
    ? ` That is ${figure(Math.abs(best.value - next.value))} from ${next.strategy} (p ${chanceOf(pairWith(next)).toFixed(3)}${pairs.length > 1 ? `, for ${pairs.length} comparisons` : ''}).`
    : '';
  if (decided)
    return { recommended: best.strategy, decided, sentence: `${opening}${margin} Use it${costOf(best, next)}.` };
  const names = list(rivals.map(({ strategy }) => strategy));
  const doubt = ` It can’t be told from ${names} on so few rows${rowsNeeded(rows, rivals.map(pairWith))}.`;
  return {
    recommended: quickest.strategy,
    decided,
    sentence: `${opening}${doubt} Use ${quickest.strategy}, the quickest of them (${duration(quickest.medianMs)} an answer), until more rows tell.`,
  };
}

/** What the best one costs beside the next. */
function costOf(best: Figures, next: Figures | undefined): string {
  const took = ` at ${duration(best.medianMs)} an answer`;
  return next ? `${took}; ${next.strategy} takes ${duration(next.medianMs)}` : took;
}

/** Intervals shrink with the root of the rows: as many as would take the widest of these differences off 0. */
function rowsNeeded(rows: number, pairs: readonly Pair[]): string {
  const counts = pairs.map(({ value, low, high }) =>
    value === 0 ? Infinity : rows * ((high - low) / 2 / Math.abs(value)) ** 2,
  );
  const maximum = Math.max(...counts);
  return maximum > 1e6 ? '' : `: about ${(Math.ceil(maximum / 10) * 10).toLocaleString('en')} would tell`;
}

const figure = (value: number): string => value.toFixed(3);
const duration = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);
const list = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
