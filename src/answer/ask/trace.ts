import { currentSpan, GEN_AI, GRAFT, tracesText } from '../../platform/tracing/index.js';
import type { Answer, Assignment } from './answer.js';
import { nameOf } from './plan.js';
import type { PlannedQuestion } from './planned-question.js';

/** Says what was decided of a question on the span of its answer: names, ids and numbers, and what was asked where text is wanted. */
export function tellPlanned(answerId: string, plannedQuestion: PlannedQuestion, assignment: Assignment | null): void {
  const span = currentSpan();
  if (!span.recording) return;
  const { plan, route, question } = plannedQuestion;
  span.set({
    [GRAFT.ANSWER]: answerId,
    [GRAFT.ROUTE]: plan.strategy,
    [GRAFT.CHOSEN_BY]: route.chosenBy,
    [GRAFT.TEST]: assignment?.kind,
    [GRAFT.TEST_ID]: assignment?.subjectId,
    [GRAFT.ARM]: assignment?.arm,
    [GRAFT.PROPENSITY]: assignment?.probability,
    [GEN_AI.MODEL]: nameOf(plan),
    [GEN_AI.CONVERSATION]: question.conversationId,
    ...(tracesText() && { [GRAFT.QUESTION]: question.text }),
  });
}

/** Says how it ended. */
export function tellFinished({ configuration, usage, wording, abstention, citations }: Answer): void {
  const span = currentSpan();
  if (!span.recording) return;
  span.set({
    [GRAFT.CONFIGURATION]: configuration.digest,
    [GRAFT.WORDING]: wording,
    [GRAFT.REFUSED]: abstention?.reason,
    [GRAFT.CITATIONS]: citations.length,
    [GEN_AI.INPUT_TOKENS]: usage.promptTokens,
    [GEN_AI.CACHED_TOKENS]: usage.reusedTokens,
    [GEN_AI.OUTPUT_TOKENS]: usage.generatedTokens,
  });
}
