import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { badInput, GraftError } from '../../../src/kernel/errors.js';
import type { PromptSegment } from '../../../src/worker-protocol/index.js';
import type { HostedModel } from './model-host.js';
import { tokenizePrompt } from './prompt.js';

/** Tokens of a prompt that leaves room for at least one more. @throws BAD_USER_INPUT when it is empty, QUESTION_TOO_LONG */
export function checkedPrompt(hosted: HostedModel, segments: readonly PromptSegment[]): Token[] {
  const prompt = tokenizePrompt(hosted.model, segments);
  if (prompt.length === 0) throw badInput('prompt', 'The prompt is empty.');
  requireRoom(hosted, prompt.length);
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

/** Trims a sequence to what it has in common with a prompt, except for the last token, whose result is wanted. @returns tokens kept */
export async function reuse(sequence: LlamaContextSequence, prompt: readonly Token[]): Promise<number> {
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  return sequence.nextTokenIndex;
}

/** Evaluates whole batches and returns the tokens of the last one, which belongs to what follows. @throws the signal's reason */
export async function evaluateAllButLastBatch(
  sequence: LlamaContextSequence,
  tokens: Token[],
  batchSize: number,
  signal: AbortSignal,
): Promise<Token[]> {
  let from = 0;
  for (; tokens.length - from > batchSize; from += batchSize) {
    signal.throwIfAborted();
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(from, from + batchSize));
  }
  signal.throwIfAborted();
  return tokens.slice(from);
}
