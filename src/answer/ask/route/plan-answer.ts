import type { Abstention } from '../answer.js';
import { unproven } from '../abstention.js';
import { embedderReason, languageReason } from '../languages/question-language.js';
import type { Work } from '../parts.js';
import { makePlan, type Plan } from '../plan.js';
import type { PlannedQuestion } from '../planned-question.js';
import { changeOf, isGone } from './assignment.js';
import { foreignRefusal } from './membership/foreign.js';
import { originReason } from './origin.js';
import { answerBound, boundQuestion, type RiskBound } from './risk.js';
import { chooseWording } from './choose-wording.js';
import { unreadReason, withReason } from './route.js';
import type { RoutedQuestion } from './route-question.js';

/**
 * Resolves what the route names, and says what is to be known of it.
 * @returns null where a version or a model is gone that only a draw named: then the question is to be answered as if nothing were tried
 * @throws what `makePlan` throws
 */
export async function planAnswer(work: Work, routed: RoutedQuestion): Promise<PlannedQuestion | null> {
  const { drawn } = routed;
  try {
    return await work.watch.time('plan', () => planned(work, routed));
  } catch (error) {
    if (!isGone(error, drawn)) throw error;
    const { subjectId: subject, arm } = drawn.assignment;
    work.log.debug({ subject, arm }, 'an arm names what is gone');
    return null;
  }
}

/** The plan, under what is measured of its model and the error rate that is wanted, with a reason for each. */
async function planned(work: Work, routed: RoutedQuestion): Promise<PlannedQuestion> {
  const { question, route, sources, drawn, vector, passages } = routed;
  const { workspaceId, origins, registry } = work;
  const initialPlan = await makePlan(work, workspaceId, question, route.strategy, sources);
  const [originNote, measurement] = await Promise.all([
    originReason(origins, workspaceId, initialPlan),
    initialPlan.scope === null ? null : registry.measuredWording(workspaceId, initialPlan.variant.modelId),
  ]);
  const plan: Plan = { ...initialPlan, material: initialPlan.material ?? measurement?.material ?? null };
  const wording = chooseWording(question, plan, measurement);
  const bound = routed.refused ? null : answerBound(question, plan, routed.routed);
  const reasons = [
    unreadReason(plan),
    originNote,
    languageReason(plan, question.text),
    initialPlan.scope === null ? null : embedderReason(registry.embedderLanguages(), question.text),
    bound?.reason ?? null,
    wording?.reason ?? null,
  ];
  return {
    plan,
    vector,
    passages,
    denseWeight: changeOf(drawn).denseWeight,
    question: boundQuestion(question, bound),
    wording: wording?.by ?? null,
    refusal: routed.refused ?? unprovenBy(bound) ?? (await foreignRefusal(work, plan, question, vector)),
    route: reasons.reduce(withReason, route),
  };
}

/** Refuses where an error rate is wanted that nothing shows to be kept. */
const unprovenBy = (bound: RiskBound | null): Abstention | null =>
  bound?.least === null ? unproven(bound.reason.sentence) : null;
