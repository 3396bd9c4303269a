import { z } from 'zod';
import { record, float, string, boolean } from '../../kernel/record.js';
import type { EvaluationFigures } from '../evaluations/figures.js';
import { LEAST_CLASS_ROWS } from '../metrics/classification.js';
import { normalQuantile, shareOfLook } from '../../kernel/statistics/distributions.js';
import { holm } from '../../kernel/statistics/holm.js';
import { mcnemarOf } from '../../kernel/statistics/mcnemar.js';
import { pairedPower, powerSentence, WORTH_FINDING } from '../../kernel/statistics/paired-power.js';
import { pairedShareInterval } from '../../kernel/statistics/shares.js';
import { signed } from './signed.js';

export const DEFAULT_BOUNDS = { leastGain: 0, perplexityRatio: 1.05, foreignAccepted: 0.15 };

/** What a version must keep to become candidate. Intervals are held against them by their worse ends, not by their values. */
export const bounds = z.object({
  leastGain: float(
    `The deciding metric must be better than that of what is replaced by more than this, by the lower end of the interval; ${DEFAULT_BOUNDS.leastGain} by default.`,
  ),
  perplexityRatio: float(
    `How many times the base model’s the perplexity of general text may be, by the upper end of the interval; ${DEFAULT_BOUNDS.perplexityRatio} by default.`,
  ),
  foreignAccepted: float(
    `The largest share of small talk and general questions that an adapter with labels may answer, by the lower end of the interval, 0 to 1; ${DEFAULT_BOUNDS.foreignAccepted} by default.`,
  ),
});
export type GateBounds = z.infer<typeof bounds>;

/** Fewer rows give no interval that one may rely on. */
const LEAST_ROWS = 50;
/** A class counts as worse where chance makes as much in one of so many comparisons with an equal version, over all classes. */
const WORSE_CLASS = 0.05;

export const check = record('GateCheck', 'One thing that the gate looks at.', {
  name: string(
    '`attestation`, `evaluation`, `rows`, `task`, `worst class`, `foreign`, `retention`; `rows before` where test rows have changed.',
  ),
  passed: boolean('Whether it lets the version through.'),
  measured: boolean(
    'Whether what it looks at was measured. Where not, nothing is said against the version: measure it.',
  ).default(true),
  undecided: boolean('Whether it fails only because the measurement is too coarse to tell.'),
  value: float('What was held against the bound: the end of an interval, rows, or a probability.').nullable(),
  bound: float('The bound.').nullable(),
  message: string('What was found, in words.'),
});
export type GateCheck = z.infer<typeof check>;

/** What is known of a version that wants to become candidate. */
interface GateCandidate {
  attested: boolean;
  /** Of the version as it is served now, on test rows, against what it would replace; null when there is none. */
  evaluation: { rows: number; figures: EvaluationFigures } | null;
  /** How many versions, each at each of its scales and on each sample of any dataset, were held against the same, this one with them. */
  tries: number;
  /** What it would replace, for messages: `routing@3`, `the base model`. */
  replaced: string;
}

/** Every check, those that can't be made for want of an evaluation left out. */
export function judge({ attested, evaluation, tries, replaced }: GateCandidate, limits: GateBounds): GateCheck[] {
  const checks = [
    attested
      ? plain('attestation', 'It was shown to act.')
      : unmeasured('attestation', 'It was not shown to act: attest it.'),
  ];
  if (!evaluation) {
    const missing = `It was not evaluated on TEST rows against ${replaced} as it is served now: evaluate it beside that (\`against\`; left out, it is the base model).`;
    return [...checks, unmeasured('evaluation', missing)];
  }
  const { rows, figures } = evaluation;
  checks.push(plain('evaluation', `It answered ${rows} test rows beside ${replaced}.${triesTold(tries, replaced)}`));
  checks.push(rowsCheck(rows, figures.metrics[0]!));
  checks.push(taskCheck(figures, rows, tries, replaced, limits.leastGain));
  const furtherChecks = [
    rowsBeforeCheck(figures, replaced),
    worstClassCheck(figures, replaced),
    foreignCheck(figures, limits.foreignAccepted),
  ];
  return [
    ...checks,
    ...furtherChecks.flatMap((gateCheck) => gateCheck ?? []),
    retentionCheck(figures, limits.perplexityRatio),
  ];
}

const plain = (name: string, message: string): GateCheck => ({
  name,
  passed: true,
  measured: true,
  message,
  undecided: false,
  value: null,
  bound: null,
});

const unmeasured = (name: string, message: string): GateCheck => ({
  ...plain(name, message),
  passed: false,
  measured: false,
});

/** Whether rows are enough for an interval, and what they can tell. */
function rowsCheck(rows: number, { pairs }: EvaluationFigures['metrics'][number]): GateCheck {
  const passed = rows >= LEAST_ROWS;
  const enough = passed
    ? `${rows} rows are enough for an interval.`
    : `The test set is too small to tell: ${rows} rows, and an interval needs ${LEAST_ROWS}.`;
  const differing = pairs && (pairs.gained + pairs.lost) / rows;
  const power = pairs ? ` ${powerSentence(pairedPower(rows, WORTH_FINDING.gain, differing))}` : '';
  return { ...plain('rows', enough + power), passed, undecided: !passed, value: rows, bound: LEAST_ROWS };
}

/** A metric's gain over what is replaced, larger is better whichever way the metric counts. */
interface Gain {
  value: number;
  low: number;
  high: number;
}

/**
 * The best of several tries looks better than it is, on whatever rows: who may choose among twenty datasets has twenty tries. The first has the
 * interval of 95 %, whose lower end is wrong in one of 40; the further ones share as much, so that one that is no better passes in one of 20
 * series, however long.
 */
function gainOf(
  { higherIsBetter, difference, pairs }: EvaluationFigures['metrics'][number],
  rows: number,
  tries: number,
): Gain | null {
  if (!difference) return null;
  const alpha = 0.05 * (tries === 1 ? 1 : shareOfLook(tries - 1));
  const { value } = difference;
  if (pairs) return { value, ...pairedShareInterval({ rows, ...pairs }, alpha) };
  const times = normalQuantile(1 - alpha / 2) / normalQuantile(0.975);
  const [lowerSpan, upperSpan] = [times * (value - difference.low), times * (difference.high - value)];
  return higherIsBetter
    ? { value, low: value - lowerSpan, high: value + upperSpan }
    : { value: -value, low: -value - upperSpan, high: -value + lowerSpan };
}

const triesTold = (tries: number, replaced: string): string =>
  tries > 1
    ? ` Versions of this adapter were held against ${replaced} ${tries} times, on whatever test rows, and the best of many is no proof: intervals are wider.`
    : '';

function taskCheck(
  { metrics }: EvaluationFigures,
  rows: number,
  tries: number,
  replaced: string,
  leastGain: number,
): GateCheck {
  const metric = metrics[0]!;
  const gain = gainOf(metric, rows, tries);
  if (!gain) return unmeasured('task', `Its ${metric.name} was not compared with that of ${replaced}.`);
  const passed = gain.low > leastGain;
  const undecided = !passed && gain.high > leastGain;
  const comparison = `${metric.name} ${metric.value.toFixed(3)}, ${signed(gain.value)} against ${replaced} (${signed(gain.low)} to ${signed(gain.high)})`;
  const rowsHint = undecided ? ` ${rowsNeeded(rows, gain, leastGain)}` : '';
  const finding = gain.low > 0 ? 'is better' : 'is not worse by more than is allowed';
  const verdict = passed ? finding : undecided ? `can’t be told to be better on ${rows} rows` : 'is not better';
  const message = `It ${verdict}: ${comparison}; the lower end must be above ${leastGain}.${rowsHint}`;
  return { ...plain('task', message), passed, undecided, value: gain.low, bound: leastGain };
}

/** What the version is worth by the answers that test rows had before; it is shown, and a person judges. Null where none has changed. */
function rowsBeforeCheck({ asBefore }: EvaluationFigures, replaced: string): GateCheck | null {
  if (!asBefore) return null;
  const { rows, changed, metric } = asBefore;
  const { name, value, difference } = metric;
  const gain = difference
    ? `, ${signed(difference.value)} against ${replaced} (${signed(difference.low)} to ${signed(difference.high)})`
    : '';
  return plain(
    'rows before',
    `${changed} of ${rows} test rows have another answer than when ${replaced} learned. By their answers then, its ${name} is ${value.toFixed(3)}${gain}.`,
  );
}

/**
 * Whether a class is shown to be told worse: McNemar's exact test on the rows that have the label, Holm over all classes that have rows enough. Intervals of
 * the worst class refused 87 of 100 versions that were 3 points better, with 77 labels and 500 rows.
 */
function worstClassCheck({ classes }: EvaluationFigures, replaced: string): GateCheck | null {
  const judgedClasses = classes.filter(({ support, lost }) => support >= LEAST_CLASS_ROWS && lost !== null);
  const few = classes.length - judgedClasses.length;
  if (classes.length === 0) return null;
  const unjudged =
    few > 0 ? ` ${few} of ${classes.length} classes have fewer than ${LEAST_CLASS_ROWS} rows and are not judged.` : '';
  const raised = holm(judgedClasses.map(({ gained, lost }) => mcnemarOf(lost!, gained!)));
  const [worst] = judgedClasses
    .map((figures, i) => ({ ...figures, p: raised[i]! }))
    .filter(({ gained, lost }) => lost! > gained!)
    .sort((a, b) => a.p - b.p);
  if (!worst) return plain('worst class', `No class that is judged is told worse than by ${replaced}.${unjudged}`);
  const passed = worst.p >= WORSE_CLASS;
  const { label, support, gained, lost, p } = worst;
  const counts = `of the ${support} rows of ${JSON.stringify(label)} it alone has ${gained} right, ${replaced} alone ${lost} (p ${p.toFixed(3)}, for ${judgedClasses.length} classes)`;
  const message = `${passed ? 'No class is shown to be told worse' : 'A class is told worse'}: ${counts}; p must not be below ${WORSE_CLASS}.${unjudged}`;
  return { ...plain('worst class', message), passed, value: p, bound: WORSE_CLASS };
}

/**
 * An adapter is refused only where the lower end shows that it answers too many. A small workspace has few foreign texts: by the upper end most
 * first versions would be refused. An adapter that writes text has no foreign messages: it takes any text.
 */
function foreignCheck({ foreign, classes }: EvaluationFigures, limit: number): GateCheck | null {
  if (!foreign || classes.length === 0) return null;
  const { value, low, high } = foreign.foreignAccepted;
  const passed = low <= limit;
  const verdict = high <= limit ? 'refuses' : passed ? 'can’t be told to refuse' : 'doesn’t refuse';
  const sets = foreign.sets.map(({ name, texts, accepted }) => `${accepted} of ${texts} ${name}`).join(', ');
  const message = `It ${verdict} messages that are nobody’s: it answers ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) of those that belong nowhere; the lower end must not be above ${limit}. Answered are ${sets}.`;
  return { ...plain('foreign', message), passed, value: low, bound: limit };
}

function retentionCheck({ retention }: EvaluationFigures, limit: number): GateCheck {
  if (!retention) return unmeasured('retention', 'What it has forgotten was not measured: evaluate it with retention.');
  const { value, low, high } = retention.perplexity.ratio;
  const passed = high <= limit;
  const undecided = !passed && low <= limit;
  const verdict = passed ? 'keeps' : undecided ? 'can’t be told to keep' : 'has forgotten';
  const message = `It ${verdict} general text: perplexity ${value.toFixed(3)} times the base model’s (${low.toFixed(3)} to ${high.toFixed(3)}); the upper end must not be above ${limit}.`;
  return { ...plain('retention', message), passed, undecided, value: high, bound: limit };
}

/** Intervals shrink with the root of the rows. */
function rowsNeeded(rows: number, { value, low }: Gain, bound: number): string {
  if (value <= bound) return 'It measured no better than that: another version is called for, not more rows.';
  const times = ((value - low) / (value - bound)) ** 2;
  return `The test set is too small: about ${Math.ceil((rows * times) / 10) * 10} rows would tell.`;
}
