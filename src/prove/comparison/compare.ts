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
  const known: Metric<Attempt> = { ...metric, statistics: ({ statistics }) => statistics };
  const strategies = [...attempts].map(([strategy, made]): Figures => {
    const { value, low, high } = estimate(known, made);
    const times = made.map(({ ms }) => ms).sort((a, b) => a - b);
    const abstained = made.filter((each) => each.abstained).length;
    return { strategy, value, low, high, abstained, medianMs: quantile(times, 0.5) };
  });
  const each = [...attempts].flatMap(([first, before], i) =>
    [...attempts].slice(i + 1).map(([second, after]) => {
      const { value, low, high, p } = pairedDifference(known, before, after);
      return { first, second, value, low, high, p, mcnemar: rightOrWrong(before, after) };
    }),
  );
  // The best is chosen by the same rows, so that any two may be those that are told apart.
  const raised = holm(each.map(({ p }) => p));
  const pairs = each.map((pair, i): Pair => ({ ...pair, adjustedP: raised[i]! }));
  const rows = [...attempts.values()][0]?.length ?? 0;
  return { metric: metric.name, rows, strategies, pairs, ...verdict(metric, rows, strategies, pairs) };
}

const chanceOf = ({ p, adjustedP = p }: Pair): number => adjustedP;

/** McNemar's test where each answer is right or wrong and nothing between. */
function rightOrWrong(before: readonly Attempt[], after: readonly Attempt[]): Pair['mcnemar'] {
  if ([...before, ...after].some(({ score }) => score !== 0 && score !== 1)) return null;
  return mcnemar(
    before.map(({ score }) => score === 1),
    after.map(({ score }) => score === 1),
  );
}

function verdict(
  { name, higherIsBetter }: DecidingMetric,
  rows: number,
  strategies: readonly Figures[],
  pairs: readonly Pair[],
): Pick<StrategyComparison, 'recommended' | 'decided' | 'sentence'> {
  const better = (a: Figures, b: Figures): number => (higherIsBetter ? b.value - a.value : a.value - b.value);
  const [best, ...others] = [...strategies].sort(better) as [Figures, ...Figures[]];
  const against = (one: Figures): Pair =>
    pairs.find(({ first, second }) =>
      [first, second].every((each) => each === best.strategy || each === one.strategy),
    )!;
  const worse = (one: Figures): boolean => chanceOf(against(one)) < SIGNIFICANT;
  const rivals = others.filter((one) => !worse(one));
  const [chosen] = [best, ...rivals].sort((a, b) => a.medianMs - b.medianMs) as [Figures];
  const decided = rivals.length === 0;
  const said = `${best.strategy} has the best ${name}: ${figure(best.value)} (${figure(best.low)} to ${figure(best.high)}) on ${rows} rows.`;
  const next = others.filter(worse)[0];
  const margin = next
    ? ` That is ${figure(Math.abs(best.value - next.value))} from ${next.strategy} (p ${chanceOf(against(next)).toFixed(3)}${pairs.length > 1 ? `, for ${pairs.length} comparisons` : ''}).`
    : '';
  if (decided)
    return { recommended: best.strategy, decided, sentence: `${said}${margin} Use it${costOf(best, next)}.` };
  const names = list(rivals.map(({ strategy }) => strategy));
  const doubt = ` It can’t be told from ${names} on so few rows${rowsNeeded(rows, rivals.map(against))}.`;
  return {
    recommended: chosen.strategy,
    decided,
    sentence: `${said}${doubt} Use ${chosen.strategy}, the quickest of them (${duration(chosen.medianMs)} an answer), until more rows tell.`,
  };
}

/** What the best one costs beside the next. */
function costOf(best: Figures, next: Figures | undefined): string {
  const took = ` at ${duration(best.medianMs)} an answer`;
  return next ? `${took}; ${next.strategy} takes ${duration(next.medianMs)}` : took;
}

/** Intervals shrink with the root of the rows: as many as would take the widest of these differences off 0. */
function rowsNeeded(rows: number, pairs: readonly Pair[]): string {
  const needed = pairs.map(({ value, low, high }) =>
    value === 0 ? Infinity : rows * ((high - low) / 2 / Math.abs(value)) ** 2,
  );
  const most = Math.max(...needed);
  return most > 1e6 ? '' : `: about ${(Math.ceil(most / 10) * 10).toLocaleString('en')} would tell`;
}

const figure = (value: number): string => value.toFixed(3);
const duration = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);
const list = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
