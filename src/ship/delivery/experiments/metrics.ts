import {
  meaningsOf,
  metricsFor,
  type AnswerMetric,
  type AnswerOutcome,
  type LateMetricName,
} from '../../../answer/ask/index.js';
import { choice } from '../../../kernel/record.js';

/** What of answers an experiment can compare; the margins are those of plans that name none. */
export const METRICS = metricsFor('experiment');

export const ExperimentMetricName = choice(
  'ExperimentMetric',
  'What of answers is compared between arms.',
  meaningsOf(METRICS),
);
export type ExperimentMetricName = keyof typeof ExperimentMetricName;

/** Those that feedback tells, and what it says of an answer then. */
export const LATE_METRICS = { FEEDBACK: 'opinion', AGREEMENT: 'expected' } as const satisfies Record<
  LateMetricName<'experiment'>,
  'opinion' | 'expected'
>;

/** How a metric's mean is made to vary less, by what was known before anything differed. */
export const Adjustment = choice(
  'ExperimentAdjustment',
  'How a mean or share is made to vary less, by what was known before the arms differed.',
  {
    NONE: 'Not at all.',
    CUPED: 'By how each unit was before (Deng, Xu, Kohavi and Walker, 2013).',
  },
);
export type Adjustment = keyof typeof Adjustment;

/** An answer of an experiment as its row’s columns tell it. `tokens` is null where the experiment doesn’t compare them. */
export interface ExperimentOutcome extends Pick<
  AnswerOutcome,
  'status' | 'abstained' | 'latencyMs' | 'confidence' | 'tokens'
> {
  /** Its number among all answers that count. */
  sequence: bigint;
  arm: string;
  stage: number;
  /** null: the request named none, and is a unit of its own. */
  unitHash: string | null;
}

/** A metric as an experiment compares it: as the table has it, or as the share of answers above a limit. */
export interface Measure {
  name: ExperimentMetricName;
  beyond: number | null;
}

export const kindOf = ({ name, beyond }: Measure): AnswerMetric<never>['kind'] =>
  beyond === null ? METRICS[name].kind : 'RATE';

/** How it is told. */
export const titleOf = ({ name, beyond }: Measure): string => (beyond === null ? name : `${name} beyond ${beyond}`);

/** What an answer says of a metric at once; null where it says nothing. Of a geometric mean the logarithm: below one ms or token nothing is told apart. */
export function valueOf({ name, beyond }: Measure, outcome: ExperimentOutcome): number | null {
  const { kind, read } = METRICS[name];
  // Of an error only the error counts, and what was withdrawn says nothing.
  const value = kind === 'RATE' || outcome.status === 'COMPLETE' ? read(outcome) : null;
  if (value === null) return null;
  if (beyond !== null) return Number(value > beyond);
  return kind === 'GEOMETRIC' ? Math.log(Math.max(1, value)) : value;
}
