import { z } from 'zod';
import { record } from '../../kernel/record.js';
import type { EvaluationFigures } from '../evaluations/figures.js';
import { normalQuantile, shareOfLook } from '../statistics/distributions.js';
import { signed } from './signed.js';

export const DEFAULT_BOUNDS = { leastGain: 0, worstClassDrop: 0.1, perplexityRatio: 1.05, foreignAccepted: 0.15 };

/** What a version must keep to become candidate. Intervals are held against them by their worse ends, not by their values. */
export const bounds = z.object({
  leastGain: z
    .number()
    .describe(
      `The deciding metric must be better than that of what is replaced by more than this, by the lower end of the interval; ${DEFAULT_BOUNDS.leastGain} by default.`,
    ),
  worstClassDrop: z
    .number()
    .describe(
      `How far the F1 of the worst class may fall, by the lower end of the interval, 0 to 1; ${DEFAULT_BOUNDS.worstClassDrop} by default.`,
    ),
  perplexityRatio: z
    .number()
    .describe(
      `How many times the base model’s the perplexity of general text may be, by the upper end of the interval; ${DEFAULT_BOUNDS.perplexityRatio} by default.`,
    ),
  foreignAccepted: z
    .number()
    .describe(
      `The largest share of foreign messages that an adapter with labels may answer, by the upper end of the interval, 0 to 1; ${DEFAULT_BOUNDS.foreignAccepted} by default.`,
    ),
});
export type GateBounds = z.infer<typeof bounds>;

/** Fewer rows give no interval that one may rely on: a bootstrap draws only from what was seen. */
export const LEAST_ROWS = 50;

export const check = record('GateCheck', 'One thing that the gate looks at.', {
  name: z.string().describe('`attestation`, `evaluation`, `rows`, `task`, `worst class`, `foreign`, `retention`.'),
  passed: z.boolean().describe('Whether it lets the version through.'),
  undecided: z.boolean().describe('Whether it fails only because the measurement is too coarse to tell.'),
  value: z.number().nullable().describe('The end of the interval that was held against the bound.'),
  bound: z.number().nullable().describe('The bound.'),
  message: z.string().describe('What was found, in words.'),
});
export type GateCheck = z.infer<typeof check>;

/** What is known of a version that wants to become candidate. */
export interface GateCandidate {
  attested: boolean;
  /** Of the version as it is served now, on test rows, against what it would replace; null when there is none. */
  evaluation: { rows: number; figures: EvaluationFigures } | null;
  /** How many versions, each at each of its scales, were held against the same on the same test rows, this one with them. */
  tries: number;
  /** What it would replace, for messages: `routing@3`, `the base model`. */
  replaced: string;
}

/** Every check, those that can't be made for want of an evaluation left out. */
export function judge({ attested, evaluation, tries, replaced }: GateCandidate, limits: GateBounds): GateCheck[] {
  const checks = [
    plain('attestation', attested, attested ? 'It was shown to act.' : 'It was not shown to act: attest it.'),
  ];
  if (!evaluation) {
    const missing = `It was not evaluated on TEST rows against ${replaced} as it is served now: evaluate it beside that (\`against\`; left out, it is the base model).`;
    return [...checks, plain('evaluation', false, missing)];
  }
  const { rows, figures } = evaluation;
  checks.push(plain('evaluation', true, `It answered ${rows} test rows beside ${replaced}.${triesTold(tries)}`));
  checks.push(rowsCheck(rows));
  checks.push(taskCheck(figures, rows, tries, replaced, limits.leastGain));
  const worst = worstClassCheck(figures, rows, tries, replaced, limits.worstClassDrop);
  const foreign = foreignCheck(figures, limits.foreignAccepted);
  return [
    ...checks,
    ...[worst, foreign].flatMap((each) => each ?? []),
    retentionCheck(figures, limits.perplexityRatio),
  ];
}

const plain = (name: string, passed: boolean, message: string): GateCheck => ({
  name,
  passed,
  message,
  undecided: false,
  value: null,
  bound: null,
});

const rowsCheck = (rows: number): GateCheck => ({
  name: 'rows',
  passed: rows >= LEAST_ROWS,
  undecided: rows < LEAST_ROWS,
  value: rows,
  bound: LEAST_ROWS,
  message:
    rows >= LEAST_ROWS
      ? `${rows} rows are enough for an interval.`
      : `The test set is too small to tell: ${rows} rows, and an interval needs ${LEAST_ROWS}.`,
});

/** A metric's gain over what is replaced, larger is better whichever way the metric counts. */
interface Gain {
  value: number;
  low: number;
  high: number;
}

function gainOf({ higherIsBetter, difference }: EvaluationFigures['metrics'][number], tries: number): Gain | null {
  if (!difference) return null;
  const { value, low, high } = difference;
  return widened(higherIsBetter ? { value, low, high } : { value: -value, low: -high, high: -low }, tries);
}

/**
 * The best of several tries on the same rows looks better than it is. The first has the interval of 95 %, whose lower end is wrong in one of 40; the
 * further ones share as much, so that one that is no better passes in one of 20 series, however long. At their level by the normal's quantiles.
 */
function widened({ value, low, high }: Gain, tries: number): Gain {
  const share = tries === 1 ? 1 : shareOfLook(tries - 1);
  const times = normalQuantile(1 - 0.025 * share) / normalQuantile(0.975);
  return { value, low: value - (value - low) * times, high: value + (high - value) * times };
}

const triesTold = (tries: number): string =>
  tries > 1
    ? ` These rows judged ${tries} tries against it, and the best of many is no proof: intervals are wider.`
    : '';

function taskCheck(
  { metrics }: EvaluationFigures,
  rows: number,
  tries: number,
  replaced: string,
  leastGain: number,
): GateCheck {
  const metric = metrics[0]!;
  const gain = gainOf(metric, tries);
  if (!gain) return plain('task', false, `Its ${metric.name} was not compared with that of ${replaced}.`);
  const passed = gain.low > leastGain;
  const undecided = !passed && gain.high > leastGain;
  const told = `${metric.name} ${metric.value.toFixed(3)}, ${signed(gain.value)} against ${replaced} (${signed(gain.low)} to ${signed(gain.high)})`;
  const needed = undecided ? ` ${rowsNeeded(rows, gain, leastGain)}` : '';
  const shown = gain.low > 0 ? 'is better' : 'is not worse by more than is allowed';
  const verdict = passed ? shown : undecided ? `can’t be told to be better on ${rows} rows` : 'is not better';
  return {
    name: 'task',
    passed,
    undecided,
    value: gain.low,
    bound: leastGain,
    message: `It ${verdict}: ${told}; the lower end must be above ${leastGain}.${needed}`,
  };
}

function worstClassCheck(
  { metrics }: EvaluationFigures,
  rows: number,
  tries: number,
  replaced: string,
  drop: number,
): GateCheck | null {
  const metric = metrics.find(({ name }) => name === 'worst-class F1');
  const gain = metric && gainOf(metric, tries);
  if (!metric || !gain) return null;
  const passed = gain.low >= -drop;
  const undecided = !passed && gain.high >= -drop;
  const needed = undecided ? ` ${rowsNeeded(rows, gain, -drop)}` : '';
  return {
    name: 'worst class',
    passed,
    undecided,
    value: gain.low,
    bound: -drop,
    message: `The F1 of its worst class is ${metric.value.toFixed(3)}, ${signed(gain.value)} against ${replaced} (${signed(gain.low)} to ${signed(gain.high)}); the lower end must not be below ${-drop}.${needed}`,
  };
}

/** An adapter that writes text takes what any text is: there is no message that is none of its own. */
function foreignCheck({ foreign, classes }: EvaluationFigures, most: number): GateCheck | null {
  if (!foreign || classes.length === 0) return null;
  const { value, low, high } = foreign.foreignAccepted;
  const passed = high <= most;
  const undecided = !passed && low <= most;
  const verdict = passed ? 'refuses' : undecided ? 'can’t be told to refuse' : 'doesn’t refuse';
  const sets = foreign.sets.map(({ name, texts }) => `${texts} ${name}`).join(', ');
  return {
    name: 'foreign',
    passed,
    undecided,
    value: high,
    bound: most,
    message: `It ${verdict} messages that are not its own: it answers ${value.toFixed(3)} of ${foreign.texts} (${low.toFixed(3)} to ${high.toFixed(3)}; ${sets}); the upper end must not be above ${most}.`,
  };
}

function retentionCheck({ retention }: EvaluationFigures, most: number): GateCheck {
  if (!retention)
    return plain('retention', false, 'What it has forgotten was not measured: evaluate it with retention.');
  const { value, low, high } = retention.perplexity.ratio;
  const passed = high <= most;
  const undecided = !passed && low <= most;
  const verdict = passed ? 'keeps' : undecided ? 'can’t be told to keep' : 'has forgotten';
  return {
    name: 'retention',
    passed,
    undecided,
    value: high,
    bound: most,
    message: `It ${verdict} general text: perplexity ${value.toFixed(3)} times the base model’s (${low.toFixed(3)} to ${high.toFixed(3)}); the upper end must not be above ${most}.`,
  };
}

/** Intervals shrink with the root of the rows. */
function rowsNeeded(rows: number, { value, low }: Gain, bound: number): string {
  if (value <= bound) return 'It measured no better than that: another version is called for, not more rows.';
  const times = ((value - low) / (value - bound)) ** 2;
  return `The test set is too small: about ${Math.ceil((rows * times) / 10) * 10} rows would tell.`;
}
