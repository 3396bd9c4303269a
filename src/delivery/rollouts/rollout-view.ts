import { make, toGlobalId } from '../../graphql-kit/index.js';
import { alphaOf, SAMPLE_RATIO_ALPHA, SIGNAL_ALPHA, type Measure, type RolloutPlan } from './plan.js';
import type { Bounds, RolloutMetric } from './measures.js';
import { isLive, storedPlan, storedState, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import {
  Guard,
  GuardFigure,
  HealthCheck,
  Rollout,
  RolloutDecision,
  RolloutStepType,
  type SignalDemand,
} from './rollout-types.js';
import type { RolloutAction, RolloutStatus } from './rollout.js';
import { evidenceOf, type Evidence } from './watch.js';

const MINUTE_MS = 60_000;

export function toRollout(row: RolloutRow): Rollout {
  const plan = storedPlan.decode(row.plan);
  const { state, watch, bounds } = storedState.decode(row.state);
  const evidence = evidenceOf(watch, plan);
  const guards = { plan, evidence, bounds };
  return make(Rollout, {
    id: toGlobalId('Rollout', row.id),
    ...{ adapterName: row.adapter, candidateVersion: row.candidateVersion, againstVersion: row.againstVersion },
    ...{ status: row.status as RolloutStatus, awaitsApproval: row.awaitsApproval, current: row.step },
    ...{ steps: plan.steps.map((step) => make(RolloutStepType, step)), alpha: plan.alpha },
    guardrails: plan.guardrails.map((each) => toGuard(each, alphaOf(plan, each.name), null, guards)),
    signals: plan.signals.map((each) => toGuard(each, null, each.demand, guards)),
    health: healthOf(row, guards),
    ...{ candidateAnswers: evidence.answers.candidate, controlAnswers: evidence.answers.control },
    minutes: Math.max(state.elapsedMs, row.watchedMs - state.enteredAt) / MINUTE_MS,
    ...{ startedBy: row.startedBy, reason: row.reason, createdAt: row.createdAt, finishedAt: row.finishedAt, row },
  });
}

interface Known {
  plan: RolloutPlan;
  evidence: Evidence;
  bounds: Bounds;
}

function toGuard(
  { name, margin }: Measure,
  alpha: number | null,
  demand: keyof typeof SignalDemand | null,
  { evidence, bounds }: Known,
): Guard {
  const found = evidence.measures[name];
  const decidesAt = -Math.log(alpha ?? SIGNAL_ALPHA);
  const figure = (arm: { answers: number; value: number } | undefined) =>
    make(GuardFigure, { answers: arm?.answers ?? 0, value: arm && arm.answers > 0 ? arm.value : null });
  return make(Guard, {
    ...{ metric: name as RolloutMetric, margin, alpha, demand, decidesAt },
    bound: name === 'LATENCY' ? bounds.latencyMs : name === 'CONFIDENCE' ? bounds.confidence : null,
    ...{ candidate: figure(found?.candidate), control: figure(found?.control) },
    ...{ evidenceWorse: found?.worse ?? 0, evidenceNoWorse: found?.noWorse ?? 0 },
    crossed: (found?.worse ?? 0) >= decidesAt,
  });
}

function healthOf(row: RolloutRow, { plan, evidence }: Known): HealthCheck[] {
  const { sampleRatio, exposure, lastAnswerAt, answers } = evidence;
  const { noTrafficMinutes, mostInBoth } = plan.health;
  const silentMinutes = (row.watchedMs - (lastAnswerAt ?? 0)) / MINUTE_MS;
  const total = answers.candidate + answers.control;
  return [
    make(HealthCheck, {
      name: 'traffic',
      healthy: !isLive(row.status) || silentMinutes < noTrafficMinutes,
      message: `The candidate answered last ${Math.floor(silentMinutes)} watched minutes ago; ${noTrafficMinutes} hold.`,
    }),
    make(HealthCheck, {
      name: 'sample ratio',
      healthy: sampleRatio.logE < -Math.log(SAMPLE_RATIO_ALPHA),
      message: `${(100 * sampleRatio.observed).toFixed(1)} % of ${total} answers are the candidate’s; ${(100 * sampleRatio.expected).toFixed(1)} % of the units were drawn.`,
    }),
    make(HealthCheck, {
      name: 'exposure',
      healthy: exposure.units === 0 || exposure.inBoth / exposure.units <= mostInBoth,
      message: `${exposure.inBoth} of ${exposure.units} units were answered by both arms within the step.`,
    }),
  ];
}

export const toDecision = (row: RolloutDecisionRow): RolloutDecision =>
  make(RolloutDecision, {
    id: row.id,
    ...{
      action: row.action as RolloutAction,
      check: row.check,
      reasons: row.reasons,
      step: row.step,
      share: row.share,
    },
    ...{ decidedBy: row.decidedBy, reason: row.reason, evidence: row.evidence, decidedAt: row.createdAt, row },
  });
