import type { LlamaModel, Token } from 'node-llama-cpp';
import type { PromptSegment } from '../../../src/worker-protocol/index.js';

/** Tokens of a prompt. Special tokens are recognised only in segments that say so, so users' text can't forge a turn. */
export function tokenizePrompt(model: LlamaModel, segments: readonly PromptSegment[]): Token[] {
  const tokens = segments.flatMap((segment) => model.tokenize(segment.text, segment.special));
  const { bos, shouldPrependBosToken } = model.tokens;
  if (shouldPrependBosToken && bos !== null && tokens[0] !== bos) tokens.unshift(bos);
  return tokens;
}

/** Tokens of a text that stands in the middle of a prompt. */
export const tokenizeText = (model: LlamaModel, text: string): Token[] => model.tokenize(text, false);
