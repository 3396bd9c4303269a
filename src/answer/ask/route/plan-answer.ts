import type { QueryVector } from '../../../sources/knowledge/index.js';
import type { Abstention, RouteDecision } from '../answer.js';
import { unproven } from '../judge/abstain.js';
import { embedderReason, languageReason } from '../judge/language.js';
import type { Work } from '../parts.js';
import { makePlan, type Plan } from '../plan.js';
import type { Question } from '../question.js';
import type { RetrievalResult } from '../read/retrieve.js';
import { changeOf, isGone } from './assignment.js';
import { foreignRefusal } from './membership/foreign.js';
import { originReason } from './origin.js';
import { answerBound, boundQuestion, type RiskBound } from './risk.js';
import { chooseWording, type ChosenWording } from '../word/choose-wording.js';
import { unreadReason, withReason } from './route.js';
import type { RoutedQuestion } from './route-question.js';

/** A question of which all is decided: the stages that follow run from this alone. */
export interface PlannedQuestion {
  plan: Plan;
  /** Under the bound that an error rate comes to. */
  question: Question;
  /** Why nothing is read: nobody is to be asked, an error rate is wanted that nothing shows to be kept, or the message is none of the adapter's. */
  refusal: Abstention | null;
  route: RouteDecision;
  vector: () => Promise<QueryVector>;
  /** Passages that were looked at already; null when none were. */
  passages: RetrievalResult | null;
  /** Whose words the answer has; null where no base model words one from documents. */
  wording: ChosenWording['by'] | null;
  /** The weight of meaning that a draw gave; null where collections have their own. */
  denseWeight: number | null;
}

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
  const made = await makePlan(work, workspaceId, question, route.strategy, sources);
  const [learned, measured] = await Promise.all([
    originReason(origins, workspaceId, made),
    made.scope === null ? null : registry.measuredWording(workspaceId, made.variant.modelId),
  ]);
  const plan: Plan = { ...made, material: made.material ?? measured?.material ?? null };
  const wording = chooseWording(question, plan, measured);
  const bound = routed.refused ? null : answerBound(question, plan, routed.routed);
  const reasons = [
    unreadReason(plan),
    learned,
    languageReason(plan, question.text),
    made.scope === null ? null : embedderReason(registry.embedderLanguages(), question.text),
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
