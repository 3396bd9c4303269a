import { isGraftError } from '../../../kernel/errors.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { EarlierTurn } from '../../../sources/prompting/index.js';
import { modelFileOf, type ServedVariant } from '../../../sources/registry/index.js';
import type { Work } from '../parts.js';
import { writesFreely, type Plan } from '../plan.js';
import type { Facts } from '../read/facts.js';
import type { PlannedQuestion } from '../planned-question.js';
import { answerTokens, frameOf, measureRoom, type Frame, type PromptTokenCounter } from './compose.js';

/** UTF-16 units of a conversation that the base model reads before a question: some thousand tokens. */
const MOST_CHARACTERS = 4_000;

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
  { plan, wording, question }: PlannedQuestion,
  facts: Facts,
): Promise<PromptRoom> {
  const system = writesFreely(plan, wording) ? question.system : undefined;
  const count = tokenCounter(work, plan);
  const maxTokens = await answerTokens(plan, question.generation.maxTokens, count);
  const room = { context: contextOf(work, plan.variant), answer: maxTokens };
  const isBase = plan.scope === null && plan.adaptation === null;
  // A follow-up is put behind what it follows, unless the model sees that itself.
  const visibleTurns = isBase && question.earlier ? newest(question.earlier) : [];
  const text = visibleTurns.length > 0 ? (question.latest ?? question.text) : question.text;
  for (let earlier = visibleTurns; ; earlier = earlier.slice(Math.ceil(earlier.length / 2))) {
    const frame = frameOf(plan, text, facts.text, { system, earlier, tools: question.tools });
    try {
      return { frame, count, maxTokens, left: await measureRoom(text, frame, room, count) };
    } catch (error) {
      if (earlier.length === 0 || !isGraftError(error) || error.code !== 'QUESTION_TOO_LONG') throw error;
    }
  }
}

/** The newest turns of a conversation, as many as are read beside a question. */
function newest(turns: readonly EarlierTurn[]): readonly EarlierTurn[] {
  let characters = 0;
  const first = turns.findLastIndex(({ question, answer, steps = [] }) => {
    characters += question.length + (answer?.length ?? 0) + steps.reduce((sum, { content }) => sum + content.length, 0);
    return characters > MOST_CHARACTERS;
  });
  return turns.slice(first + 1);
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
