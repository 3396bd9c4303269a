import type { WorkerClient } from '../../../platform/worker/index.js';
import { modelFileOf, type ServedVariant } from '../../../sources/registry/index.js';
import type { Work } from '../parts.js';
import { writesFreely, type Plan } from '../plan.js';
import type { Facts } from '../read/facts.js';
import type { PlannedQuestion } from '../planned-question.js';
import { answerTokens, frameOf, measureRoom, type Frame, type PromptTokenCounter } from './compose.js';

/** How the question is put, and how much fits beside it. */
export interface PromptRoom {
  frame: Frame;
  count: PromptTokenCounter;
  /** Most tokens of the answer. */
  maxTokens: number;
  /** Tokens that excerpts may take. */
  left: number;
}

/** @throws QUESTION_TOO_LONG where not even the question fits */
export async function measurePrompt(
  work: Work,
  { plan, wording, question: { text, generation, system } }: PlannedQuestion,
  facts: Facts,
): Promise<PromptRoom> {
  const frame = frameOf(plan, text, facts.text, writesFreely(plan, wording) ? system : undefined);
  const count = tokenCounter(work, plan);
  const maxTokens = await answerTokens(plan, generation.maxTokens, count);
  const room = { context: contextOf(work, plan.variant), answer: maxTokens };
  return { frame, count, maxTokens, left: await measureRoom(text, frame, room, count) };
}

/** Tokens that a prompt and its answer may have together: the model's own limit or the worker's. */
export const contextOf = ({ worker }: Pick<Work, 'worker'>, { contextLength }: ServedVariant): number =>
  Math.min(contextLength, worker.status.hello?.limits.contextTokens ?? contextLength);

/** Counts as the model reads; adapters change no token. */
export const tokenCounter =
  (
    { worker, workspaceId, signal }: Pick<Work, 'worker' | 'workspaceId' | 'signal'>,
    { variant }: Plan,
  ): PromptTokenCounter =>
  (texts: Parameters<WorkerClient['countTokens']>[0]['texts']): Promise<number[]> =>
    worker.countTokens({ workspaceId, model: modelFileOf(variant), texts }, { signal });
