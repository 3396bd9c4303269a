import type { LlamaModel, Token } from 'node-llama-cpp';
import type { PromptSegment } from '../../../src/worker-protocol/index.js';

/**
 * Tokens of segments that were seen lately, the oldest first. Most of a prompt is a frame that stands in every other one too, and
 * tokenizing it anew takes a third of a millisecond before the model can begin.
 */
const SEEN = new WeakMap<LlamaModel, Map<string, readonly Token[]>>();
const MOST_SEEN = 256;
const LONGEST_SEEN = 2_000;

/** Tokens of a prompt. Special tokens are recognised only in segments that say so, so users' text can't forge a turn. */
export function tokenizePrompt(model: LlamaModel, segments: readonly PromptSegment[]): Token[] {
  const tokens = segments.flatMap((segment) => tokensOf(model, segment));
  const { bos, shouldPrependBosToken } = model.tokens;
  if (shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos);
  return tokens;
}

function tokensOf(model: LlamaModel, { text, special }: PromptSegment): readonly Token[] {
  if (text.length > LONGEST_SEEN) return model.tokenize(text, special);
  const tokensByText = SEEN.get(model) ?? new Map<string, readonly Token[]>();
  SEEN.set(model, tokensByText);
  const key = `${special ? 'special' : 'text'} ${text}`;
  const tokens = tokensByText.get(key) ?? model.tokenize(text, special);
  tokensByText.delete(key);
  tokensByText.set(key, tokens);
  if (tokensByText.size > MOST_SEEN) tokensByText.delete(tokensByText.keys().next().value as string);
  return tokens;
}

/** Tokens of a text that stands in the middle of a prompt. */
export const tokenizeText = (model: LlamaModel, text: string): Token[] => model.tokenize(text, false);
