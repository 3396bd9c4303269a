import type { Degradation, Passage } from '../../sources/knowledge/index.js';
import type { WrittenToken } from '../../worker-protocol/index.js';
import type { Answer, Conflict, RouteDecision } from './answer.js';

/** What a caller sees of an answer in the making, in this order; deltas are provisional, `answer` is authoritative. */
export type AskEvent =
  | { type: 'route'; answerId: string; route: RouteDecision }
  | { type: 'passages'; passages: Passage[]; degraded: Degradation | null }
  | { type: 'conflicts'; conflicts: Conflict[] }
  | { type: 'delta'; text: string }
  | { type: 'replaced'; text: string; reason: string }
  /** `tokens`: those of the text as the model wrote them, where they were asked for and it wrote the text; no record keeps them. */
  | { type: 'answer'; answer: Answer; tokens?: readonly WrittenToken[] };

/** The events of an answer that was made before. Its passages are not kept, only what it cites of them. */
export function* replay(answer: Answer): Generator<AskEvent, void> {
  yield { type: 'route', answerId: answer.id, route: answer.route };
  if (answer.conflicts.length > 0) yield { type: 'conflicts', conflicts: answer.conflicts };
  yield { type: 'delta', text: answer.text };
  yield { type: 'answer', answer };
}

/** The last event, where nothing failed. */
export type AnswerEvent = Extract<AskEvent, { type: 'answer' }>;
