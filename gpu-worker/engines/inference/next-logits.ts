import type { ControlledEvaluateInputItem, Token } from 'node-llama-cpp';
import { NoNumbers } from './no-numbers.js';

/** What one place of a prompt says of the token after it. */
interface NextResult {
  logits?: Map<Token, number>;
  totalLogitWeight?: number;
}

/** What the token after a place could be, each with its logit; and what turns logits into log-probabilities. */
export interface NextLogits {
  logits: Map<Token, number>;
  /** Natural logarithm of the sum of exp(logit) over the vocabulary. */
  normaliser: number;
}

/** A token after which the logits of `candidates`, and of the `top` most probable ones, are told. */
export const asking = (token: Token, candidates: readonly Token[], top: number): ControlledEvaluateInputItem => [
  token,
  {
    generateNext: {
      // A sampler that keeps every token shows every logit; its defaults hide most of them.
      options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
      logits: { filter: { tokens: [...new Set(candidates)], includeTop: Math.max(1, top) } },
      totalLogitWeight: true,
    },
  },
];

/** The answer to `asking`. @throws NoNumbers */
export function told(next: NextResult | undefined): NextLogits {
  if (next?.logits === undefined || next.totalLogitWeight === undefined) throw new Error('the model gave no logits');
  // The weight is the sum of exp(logit - largest logit) over the vocabulary.
  const normaliser = Math.max(...next.logits.values()) + Math.log(next.totalLogitWeight);
  if (!Number.isFinite(normaliser)) throw new NoNumbers();
  return { logits: next.logits, normaliser };
}

/** The logit of a token that was wanted. */
export function logitOf({ logits }: NextLogits, token: Token): number {
  const logit = logits.get(token);
  if (logit === undefined) throw new Error('the logit of a wanted token is missing');
  return logit;
}
