import type { Token } from 'node-llama-cpp';
import { duration } from '../../../src/kernel/duration.js';
import { badInput, GraftError } from '../../../src/kernel/errors.js';
import type { PromptSegment } from '../../../src/worker-protocol/index.js';
import type { HostedModel } from './model-host.js';
import { tokenizePrompt } from './prompt.js';

/** Tokens of a prompt that leaves room for at least one more. @throws BAD_USER_INPUT when it is empty, QUESTION_TOO_LONG */
export function checkedPrompt(hostedModel: HostedModel, segments: readonly PromptSegment[]): Token[] {
  const prompt = tokenizePrompt(hostedModel.model, segments);
  if (prompt.length === 0) throw badInput('prompt', 'The prompt is empty.');
  requireRoom(hostedModel, prompt.length);
  return prompt;
}

/** @throws QUESTION_TOO_LONG unless so many tokens leave room for one more */
export function requireRoom({ context }: HostedModel, tokens: number): void {
  if (tokens >= context.contextSize)
    throw new GraftError(
      'QUESTION_TOO_LONG',
      `The prompt has ${tokens} tokens; the model’s context holds ${context.contextSize} with the answer.`,
    );
}

/** What would take less, in ms, is tried in any case. */
const TRIED_MS = 1_000;

/**
 * @param reused tokens that are not read again
 * @param timeLeft milliseconds
 * @throws QUESTION_TOO_LONG when the rest can't be read in that time, even if nothing else is done meanwhile
 */
export function requireTime(
  { pace }: HostedModel,
  { tokens, reused }: { tokens: number; reused: number },
  timeLeft: number,
): void {
  const timeNeeded = pace.ms(reused, tokens);
  if (timeNeeded <= Math.max(timeLeft, TRIED_MS)) return;
  throw new GraftError(
    'QUESTION_TOO_LONG',
    `Its ${tokens} tokens would take about ${duration(timeNeeded)} to read here, ${duration(timeLeft)} are left.`,
    { hint: 'Shorten it, or ask a smaller model.' },
  );
}

/** More tokens than that, and more time, make a call slow: it goes behind quick ones. */
const SLOW_TOKENS = 640;
const SLOW_MS = 2_000;

/** Whether it takes long to read so many tokens. */
export const isSlow = ({ pace }: HostedModel, { tokens, reused }: { tokens: number; reused: number }): boolean =>
  tokens - reused > SLOW_TOKENS && pace.ms(reused, tokens) > SLOW_MS;
