import { leastConfidence, type RiskCurve } from '../../../kernel/risk.js';
import type { RouteReason } from '../answer.js';
import { readsSentences, type Plan } from '../plan.js';
import type { Question } from '../question.js';
import { percent } from '../../../kernel/text.js';

/** The least confidence that a wanted error rate comes to, and what is to be said of it. */
export interface RiskBound {
  /** null where the rate can't be kept. */
  least: number | null;
  reason: RouteReason;
}

/**
 * What keeps the error rate of what a plan answers on held-out data: the least confidence in an adapter's answer that its last
 * evaluation allows. Only adapters are evaluated: what others answer is not known to be right often enough. Where a router chose the adapter, half of the
 * rate is the route's: an answer is wrong where either is, at most as often as both together (Boole's inequality).
 * @returns null where nobody asked for a rate
 */
export function answerBound({ maxErrorRate: requestedRate }: Question, plan: Plan, routed: boolean): RiskBound | null {
  if (requestedRate === null) return null;
  const maxErrorRate = routed ? requestedRate / 2 : requestedRate;
  const { adaptation, labelled, strategy } = plan;
  // Rows are asked without passages, but for an adapter that learned to read them.
  const besidePassages = plan.scope !== null && adaptation?.adapter.usage.reads === false;
  const otherwise = labelled
    ? ' together with labelled rows'
    : readsSentences(plan)
      ? ' on single sentences'
      : besidePassages
        ? ' beside passages'
        : null;
  const risk = otherwise === null ? (adaptation?.adapter.risk ?? null) : null;
  if (risk !== null) return boundOf(risk, maxErrorRate, 'answers to held-out rows');
  if (!adaptation) return notKept(maxErrorRate, `how often ${strategy} is wrong was never measured`);
  const { adapter, version } = adaptation.adapter;
  const unmeasured = otherwise
    ? `${otherwise} was never measured`
    : ' was never measured on held-out rows: evaluate it';
  return notKept(maxErrorRate, `${adapter}@${version}${unmeasured}`);
}

/**
 * The same of a route to one destination, for its half of the wanted rate: the answer has the other half.
 * @param risk null for a destination that no held-out question went to
 */
export const routeBound = (risk: RiskCurve | null, maxErrorRate: number): RiskBound =>
  risk === null
    ? notKept(maxErrorRate / 2, 'routes to it were never measured', 'router.risk')
    : boundOf(risk, maxErrorRate / 2, 'routes of held-out questions', 'router.risk');

function boundOf(risk: RiskCurve, rate: number, subject: string, feature = 'answer.risk'): RiskBound {
  const point = leastConfidence(risk, rate);
  const lastPoint = risk.at(-1);
  if (point === null) {
    const summary = lastPoint
      ? `${lastPoint.wrong} of ${lastPoint.decisions} ${subject} were wrong`
      : `there are no ${subject}`;
    return notKept(rate, `${summary}, and no confidence is shown to tell them apart well enough`, feature);
  }
  return {
    least: point.confidence,
    reason: {
      feature,
      value: point.confidence,
      contribution: 0,
      sentence: `At a confidence of ${point.confidence.toFixed(2)} and above, ${point.wrong} of ${point.decisions} ${subject} were wrong: no more than ${percent(rate, 1)} of all, in nine of ten cases.`,
    },
  };
}

const notKept = (rate: number, cause: string, feature = 'answer.risk'): RiskBound => ({
  least: null,
  reason: {
    feature: `${feature}.unknown`,
    value: 0,
    contribution: -1,
    sentence: `An error rate of ${percent(rate, 1)} can’t be kept: ${cause}.`,
  },
});

/** The question as it is answered under a bound: less sure answers than that are not given. */
export const boundQuestion = (question: Question, bound: RiskBound | null): Question =>
  bound?.least == null ? question : { ...question, minConfidence: Math.max(question.minConfidence ?? 0, bound.least) };
