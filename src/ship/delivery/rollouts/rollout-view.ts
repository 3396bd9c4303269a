import { rateDifferenceSequence } from '../../../prove/index.js';
import { make, toGlobalId } from '../../../kit/graphql/index.js';
import { z } from 'zod';
import { couldSee } from './could-see.js';
import { alphaOf, SAMPLE_RATIO_ALPHA, type Guardrail, type RolloutPlan } from './plan.js';
import { ROLLOUT_METRICS, RolloutMetric, type RolloutBounds } from './measures.js';
import {
  isLive,
  storedDecisionEvidence,
  storedPlan,
  storedState,
  type RolloutDecisionRow,
  type RolloutRow,
} from './rollout.js';
import {
  Rollout,
  type DecisionFigure,
  type Guard,
  type GuardDifference,
  type GuardFigure,
  type HealthCheck,
  type RolloutDecision,
} from './rollout-types.js';
import type { RolloutStatus } from './decide.js';
import type { RolloutAction } from './rollout.js';
import { evidenceOf, type RolloutEvidence, type Watch } from './watch.js';
import { MINUTE_MS } from '../../../kernel/duration.js';

export function toRollout(row: RolloutRow): Rollout {
  const plan = storedPlan.decode(row.plan);
  const { state, watch, bounds } = storedState.decode(row.state);
  const evidence = evidenceOf(watch, plan);
  const guards = { plan, watch, evidence, bounds };
  return make(Rollout, {
    ...row,
    id: toGlobalId('Rollout', row.id),
    status: row.status as RolloutStatus,
    steps: [...plan.steps],
    alpha: plan.alpha,
    guardrails: plan.guardrails.map((guardrail) => toGuard(guardrail, guards)),
    health: healthOf(row, guards),
    candidateAnswers: evidence.answers.candidate,
    controlAnswers: evidence.answers.control,
    minutes: Math.max(state.elapsedMs, row.watchedMs - state.enteredAt) / MINUTE_MS,
    row,
  });
}

interface RolloutSnapshot {
  plan: RolloutPlan;
  watch: Watch;
  evidence: RolloutEvidence;
  bounds: RolloutBounds;
}

function toGuard({ name, margin }: Guardrail, { plan, watch, evidence, bounds }: RolloutSnapshot): Guard {
  const measure = evidence.measures[name];
  const { bound } = ROLLOUT_METRICS[name as RolloutMetric];
  const alpha = alphaOf(plan);
  const decidesAt = -Math.log(alpha);
  return {
    metric: name as RolloutMetric,
    margin,
    alpha,
    decidesAt,
    bound: bound ? bounds[bound] : null,
    candidate: figure(measure?.candidate),
    control: figure(measure?.control),
    difference: differenceOf(measure),
    evidenceWorse: measure?.worse ?? 0,
    crossed: (measure?.worse ?? 0) >= decidesAt,
    couldSee: couldSee(plan, watch, name),
  };
}

interface Compared {
  candidate: Side;
  control: Side;
}
interface Side {
  answers: number;
  value: number;
}

const figure = (arm: Side | undefined): GuardFigure => ({
  answers: arm?.answers ?? 0,
  value: arm && arm.answers > 0 ? arm.value : null,
});

/** Of intervals that are shown. */
const SHOWN_ALPHA = 0.05;

function differenceOf(measure: Compared | undefined): GuardDifference | null {
  if (!measure || measure.candidate.answers === 0 || measure.control.answers === 0) return null;
  const counts = ({ answers, value }: Side) => ({ answers, good: Math.round(answers * value) });
  const interval = rateDifferenceSequence(counts(measure.control), counts(measure.candidate), SHOWN_ALPHA);
  return { estimate: measure.candidate.value - measure.control.value, ...interval };
}

/** Of the evidence of a decision, what its figures are made of. */
const side = z.object({ answers: z.number(), value: z.number() });
const decided = z.object({ measures: z.record(z.string(), z.object({ candidate: side, control: side })) });

function figuresOf(evidence: unknown): DecisionFigure[] {
  const result = decided.safeParse(evidence);
  if (!result.success) return [];
  return Object.entries(result.data.measures).flatMap(([name, compared]) =>
    name in RolloutMetric
      ? [
          {
            metric: name as RolloutMetric,
            difference: differenceOf(compared),
            candidate: figure(compared.candidate),
            control: figure(compared.control),
          },
        ]
      : [],
  );
}

function healthOf(row: RolloutRow, { plan, evidence }: RolloutSnapshot): HealthCheck[] {
  const { sampleRatio, judgedRatio, lastAnswerAt, answers, down } = evidence;
  const { noTrafficMinutes } = plan;
  const silentMinutes = (row.watchedMs - (lastAnswerAt ?? 0)) / MINUTE_MS;
  const total = answers.candidate + answers.control;
  return [
    {
      name: 'traffic',
      healthy: !isLive(row.status) || silentMinutes < noTrafficMinutes,
      message: `The candidate answered last ${Math.floor(silentMinutes)} watched minutes ago; ${noTrafficMinutes} hold.`,
    },
    {
      name: 'sample ratio',
      healthy: sampleRatio.logE < -Math.log(SAMPLE_RATIO_ALPHA),
      message: `${(100 * sampleRatio.observed).toFixed(1)} % of ${total} answers are the candidate’s; ${(100 * sampleRatio.expected).toFixed(1)} % of the units were drawn.`,
    },
    {
      name: 'judged',
      healthy: judgedRatio.logE < -Math.log(SAMPLE_RATIO_ALPHA),
      message: `${(100 * judgedRatio.observed).toFixed(1)} % of the judged units are the candidate’s where ${(100 * judgedRatio.expected).toFixed(1)} % were due. Where one arm is judged more often, FEEDBACK compares unlike answers, which no decision knows.`,
    },
    {
      name: 'outage',
      healthy: !down.candidate,
      message: down.candidate
        ? `Most of the newest answers of ${down.control ? 'both arms' : 'the candidate'} failed.`
        : 'The candidate’s newest answers were given.',
    },
  ];
}

export const toDecision = (row: RolloutDecisionRow): RolloutDecision => ({
  ...row,
  action: row.action as RolloutAction,
  figures: figuresOf(storedDecisionEvidence.decode(row.evidence)),
});
