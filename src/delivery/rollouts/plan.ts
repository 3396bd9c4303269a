/** What is compared of each answer: whether it was good (a share), or how much of something it took (a mean). */
export interface ArmMeasure {
  name: string;
  kind: 'RATE' | 'MEAN';
  /**
   * By how much the candidate may be worse. Of a rate: percentage points over 100 (.02). Of a mean: its unit, or with `logarithm` a
   * share of the control's (.1 = a tenth more).
   */
  margin: number;
  /** Of a mean, which way is better; latency and cost: LOWER, the default. A rate counts good answers. */
  better?: 'HIGHER' | 'LOWER';
  /** Compares means of logarithms, as geometric means: for latencies, whose few long ones would hide the rest. */
  logarithm?: boolean;
}

/** Crossed, the rollout goes back at once. */
export interface Guardrail extends ArmMeasure {
  /** Of the shared alpha, in proportion to the others' weights; 1 by default. */
  weight?: number;
}

/** Bad, the rollout holds: a person looks. */
export interface HealthSignal extends ArmMeasure {
  /** `NOT_SHOWN_WORSE`: holds while the candidate is shown to be worse; `SHOWN_NO_WORSE`: holds until it is shown not to be. */
  demand: 'NOT_SHOWN_WORSE' | 'SHOWN_NO_WORSE';
}

export interface RolloutStep {
  /** Of the units that the candidate answers, 0 to 1; each step's is more than the last's. */
  share: number;
  /** Controls a candidate's answer, 4 to 9, as far as the rest of the units goes. */
  controls: number;
  /** Of the candidate in this step, before the next. */
  leastAnswers: number;
  leastMinutes: number;
  /** A person must approve before the step is left. */
  approval: boolean;
  /** Its own answers decide. One that isn't may be caught up with others when it is overdue. */
  monitored: boolean;
}

export interface HealthPolicy {
  /** Without an answer of the candidate's for so long there is no traffic. */
  noTrafficMinutes: number;
  /** What a sample ratio that isn't what was drawn does. */
  sampleRatio: 'HOLD' | 'WARN';
  /** What too many units that were answered by both arms in one step do. */
  exposure: 'HOLD' | 'WARN';
  /** Share of units in both, 0 to 1, above which there are too many. */
  mostInBoth: number;
}

export interface RolloutPlan {
  steps: readonly RolloutStep[];
  /** Probability with which an equally good candidate is rolled back, in all and however often it is looked at; .05. */
  alpha: number;
  guardrails: readonly Guardrail[];
  signals: readonly HealthSignal[];
  health: HealthPolicy;
  /**
   * Which outcomes are compared. `EVERY` (the default) takes answers for independent, as they are where each request is its own unit.
   * Where few users ask a lot and some ask harder questions than others, an arm that drew those looks worse and alpha isn't kept: then
   * `FIRST_OF_UNIT` takes one answer a unit and step, which keeps it exactly.
   */
  counting?: 'EVERY' | 'FIRST_OF_UNIT';
}

const SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 1];

export const STANDARD_STEPS: readonly RolloutStep[] = SHARES.map((share, i) => ({
  share,
  controls: 9,
  leastAnswers: i === 0 ? 20 : 50,
  leastMinutes: 10,
  // Approval comes last: what nobody watches has been everywhere but in production by then.
  approval: i === SHARES.length - 1,
  monitored: true,
}));

export const STANDARD_HEALTH: HealthPolicy = {
  noTrafficMinutes: 60,
  sampleRatio: 'HOLD',
  exposure: 'WARN',
  mostInBoth: 0.01,
};

/** A signal holds on evidence that chance gives one rollout in twenty; a broken sample ratio must be beyond doubt. */
export const SIGNAL_ALPHA = 0.05;
export const SAMPLE_RATIO_ALPHA = 0.001;

/** The guardrail's part of alpha: the parts add up to it, so that all guardrails together keep it (Bonferroni). */
export function alphaOf({ alpha, guardrails }: Pick<RolloutPlan, 'alpha' | 'guardrails'>, name: string): number {
  const total = guardrails.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return (alpha * (guardrails.find((each) => each.name === name)?.weight ?? 1)) / total;
}

/** What is wrong with a plan, as pairs of the field and what to do; none where it can be followed. */
export function flawsOf({ steps, alpha, guardrails, signals, health }: RolloutPlan): { field: string; hint: string }[] {
  const flaws: { field: string; hint: string }[] = [];
  const check = (holds: boolean, field: string, hint: string): void => {
    if (!holds) flaws.push({ field, hint });
  };
  check(steps.length > 0, 'steps', 'Give at least one step.');
  steps.forEach((step, i) => {
    const before = steps[i - 1]?.share ?? 0;
    check(step.share > before && step.share <= 1, `steps[${i}].share`, `Give more than ${before} and at most 1.`);
    check(step.controls >= 1 && step.controls <= 9, `steps[${i}].controls`, 'Give 1 to 9 controls a candidate answer.');
    check(step.leastAnswers >= 0, `steps[${i}].leastAnswers`, 'Give 0 or more answers.');
    check(step.leastMinutes >= 0, `steps[${i}].leastMinutes`, 'Give 0 or more minutes.');
  });
  check(alpha > 0 && alpha < 1, 'alpha', 'Give more than 0 and less than 1; .05 is usual.');
  const measures = [...guardrails, ...signals];
  check(new Set(measures.map(({ name }) => name)).size === measures.length, 'guardrails', 'Give each name once.');
  measures.forEach(({ name, kind, margin }) =>
    check(margin >= 0 && (kind === 'MEAN' || margin < 1), `${name}.margin`, 'Give 0 to below 1.'),
  );
  signals.forEach(({ name, margin, demand }) =>
    check(
      demand === 'NOT_SHOWN_WORSE' || margin > 0,
      `${name}.margin`,
      'Give more than 0: that two are exactly equal can never be shown.',
    ),
  );
  check(
    guardrails.every(({ weight = 1 }) => weight > 0),
    'guardrails.weight',
    'Give weights above 0.',
  );
  check(health.mostInBoth >= 0 && health.mostInBoth <= 1, 'health.mostInBoth', 'Give 0 to 1.');
  return flaws;
}

/** Whether anything that is said of answers is compared. */
export const listens = ({ guardrails, signals }: Pick<RolloutPlan, 'guardrails' | 'signals'>): boolean =>
  [...guardrails, ...signals].some(({ name }) => name === 'FEEDBACK');
