import { z } from 'zod';
import { meaningsOf, metricsFor } from '../../../answer/ask/index.js';
import { badInput } from '../../../kernel/errors.js';
import { record, choice, oneOf, float, int, boolean, string, date } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { evidenceOf, noEvidence, observeMean, type MeanBound } from '../../../kernel/sequential/mean.js';
import type { AnswerFacts } from '../series/facts.js';
import type { SeriesKey } from '../series/metric.js';

const METRICS = metricsFor('rule');
export const RuleMetric = choice('RuleMetric', 'What a rule looks at in each answer.', meaningsOf(METRICS));
export type RuleMetric = keyof typeof RuleMetric;

export const Side = choice('Side', 'On which side of a threshold something is not as it should be.', {
  ABOVE: 'Above it.',
  BELOW: 'Below it.',
});
export type Side = keyof typeof Side;

const rule = {
  metric: oneOf(RuleMetric, 'What it looks at.'),
  side: oneOf(Side, 'On which side of the threshold the mean should not be.'),
  /** Of the mean, or of the share of answers beyond `limit`. */
  threshold: float('The threshold of the mean, above 0 and below 1.'),
  /** In the metric's unit. */
  limit: float('What an answer counts beyond; null where it is a share by itself.').nullable().meta({ name: 'beyond' }),
  where: z.record(z.string(), z.string()),
  answersPerFalseAlert: int('An alert without a cause is raised once in so many answers on average, at most.'),
  quietMinutes: float('How long its cause must be gone before an alert is resolved, in minutes.'),
};
const ruleForm = z.object(rule);
export type Rule = Omit<z.infer<typeof ruleForm>, 'where'> & { where: Partial<SeriesKey> };
export const storedRule = storedJson(ruleForm);

const state = {
  raised: boolean('Whether it has raised an alert and not seen that its cause is gone.'),
  /** For what would change that. */
  shown: z.object({ seen: z.number().int(), stakes: z.array(z.number()) }),
  recent: float('Mean of recent answers, the newest weighing a fiftieth, 0 to 1; null before the first.').nullable(),
};
const stateForm = z.object(state);
export type RuleState = z.infer<typeof stateForm>;
export const storedState = storedJson(stateForm);

/** A rule with how its test stands. */
export const shownRule = record('AlertRule', 'When answers are to raise an alert.', {
  row: z.custom<{ id: string; name: string; enabled: boolean; updatedAt: Date }>(),
  name: string('Unique in the workspace.'),
  ...rule,
  enabled: boolean('Whether it looks at answers.'),
  ...state,
  evidence: float('Evidence that this is to change, 0 or more: it does at `answersPerFalseAlert`.'),
  observations: int('Answers that the evidence is from.'),
  updatedAt: date('When it was set.'),
});

export const FRESH: RuleState = { raised: false, shown: noEvidence(), recent: null };

export const DEFAULT_ANSWERS_PER_FALSE_ALERT = 20_000;

const KEYS = ['model', 'adapter', 'strategy', 'collection', 'subject', 'arm'];
const MOST_QUIET_MINUTES = 10_080;
const [LEAST_PER_ALERT, MOST_PER_ALERT] = [100, 1_000_000_000];

/** @throws BAD_USER_INPUT */
export function checkRule({ metric, threshold, limit, answersPerFalseAlert, quietMinutes, where }: Rule): void {
  if (!(threshold > 0 && threshold < 1))
    throw badInput(
      'input.threshold',
      `threshold must be above 0 and below 1, not ${threshold}.`,
      'It is a share or a mean of values from 0 to 1.',
    );
  // What has no upper end counts as beyond a limit or not.
  if ((METRICS[metric].kind === 'GEOMETRIC') !== (limit !== null))
    throw badInput(
      'input.beyond',
      limit === null ? `${metric} needs beyond.` : `${metric} takes no beyond.`,
      'With 2000, a threshold of 0.05 and ABOVE, LATENCY alerts when more than 5 % of answers take longer than 2 seconds.',
    );
  if (limit !== null && !(limit > 0 && limit <= 1e9))
    throw badInput('input.beyond', 'beyond must be above 0 and at most 1e9.');
  if (!(answersPerFalseAlert >= LEAST_PER_ALERT && answersPerFalseAlert <= MOST_PER_ALERT))
    throw badInput(
      'input.answersPerFalseAlert',
      `answersPerFalseAlert must be between ${LEAST_PER_ALERT} and ${MOST_PER_ALERT}.`,
    );
  if (!(quietMinutes >= 0 && quietMinutes <= MOST_QUIET_MINUTES))
    throw badInput('input.quietMinutes', `quietMinutes must be between 0 and ${MOST_QUIET_MINUTES}.`);
  if (metric === 'ERROR_RATE' && where.collection !== undefined)
    throw badInput(
      'input.where.collection',
      'ERROR_RATE takes no collection: an answer is of the one that it cites, and a failure cites none.',
      'Leave it out, or narrow the rule by strategy, adapter or model.',
    );
  const long = Object.entries(where).find(([key, value]) => !KEYS.includes(key) || value.length > 200);
  if (long) throw badInput(`input.where.${long[0]}`, 'A value of where is longer than 200 characters.');
}

/** What an answer says of a metric, from 0 to 1; null where it says nothing. */
export function valueOf({ metric, limit }: Rule, facts: AnswerFacts): number | null {
  if (facts.status === 'CANCELLED') return null;
  const value = METRICS[metric].read(facts);
  return value === null || limit === null ? value : Number(value > limit);
}

/** An adapter without a version is any of its versions, so that a rule on it stands when production names the next. */
export const concerns = ({ where }: Rule, key: SeriesKey): boolean =>
  Object.entries(where).every(([name, value]) => {
    const keyValue = key[name as keyof SeriesKey];
    const everyVersion = name === 'adapter' && value !== '' && !value.includes('@');
    return everyVersion ? keyValue.startsWith(`${value}@`) : keyValue === value;
  });

export type RuleChange = 'RAISED' | 'RECOVERED' | null;

/**
 * The state after a value. Raised when the mean was shown to be beyond the threshold, recovered when it was shown to be on its right side:
 * a mean near the threshold shows neither, so that it makes no alert flap.
 */
export function stepRule(
  { side, threshold, answersPerFalseAlert }: Rule,
  previousState: RuleState,
  value: number,
): { state: RuleState; change: RuleChange; evidence: number } {
  const wrong: MeanBound = { side, threshold };
  const right: MeanBound = { side: side === 'ABOVE' ? 'BELOW' : 'ABOVE', threshold };
  const meanTest = observeMean(previousState.shown, value, previousState.raised ? right : wrong);
  const recent = previousState.recent === null ? value : previousState.recent + (value - previousState.recent) / 50;
  const evidence = evidenceOf(meanTest);
  if (evidence < answersPerFalseAlert)
    return { state: { raised: previousState.raised, shown: meanTest, recent }, change: null, evidence };
  return {
    state: { raised: !previousState.raised, shown: noEvidence(), recent },
    change: previousState.raised ? 'RECOVERED' : 'RAISED',
    evidence,
  };
}

/**
 * What the test has shown: that since it began the mean was beyond the threshold, if only for a while. The mean of the last answers is told beside it, for
 * whoever looks at a chart; the test doesn’t compare that, so that it may lie on either side.
 * `banking errors: the share of failures has been above 0.05 (shown by a test of 64 answers, strategy RAG, with one false alert in 20000 at most). The mean of about the last 50 was then 0.21.`
 */
export function sentenceOf(
  name: string,
  { metric, side, threshold, limit, where, answersPerFalseAlert }: Rule,
  recent: number | null,
  observationCount: number,
): string {
  const { subject, unit } = METRICS[metric];
  const subjectText = `${subject}${limit === null ? '' : ` ${limit}${unit === 'ms' ? ' ms' : ''}`}`;
  const conditions = Object.entries(where).map(([key, value]) => `, ${key} ${value === '' ? 'none' : value}`);
  const proof = `shown by a test of ${observationCount} answers${conditions.join('')}, with one false alert in ${answersPerFalseAlert} at most`;
  return `${name}: ${subjectText} has been ${side.toLowerCase()} ${threshold} (${proof}). The mean of about the last 50 was then ${(recent ?? 0).toFixed(2)}.`;
}

/** Whether a rule speaks of answers that a series is about: of the same metric, and of nothing that the series leaves out. */
export const speaksOf = ({ metric, where }: Rule, metricName: string, series: Partial<SeriesKey>): boolean =>
  metric === metricName &&
  Object.entries(where).every(([name, value]) => {
    const seriesValue = series[name as keyof SeriesKey];
    return seriesValue === undefined || concerns({ where: { [name]: value } } as Rule, series as SeriesKey);
  });
