import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { seededRandom } from '../../../../src/kernel/random.js';
import { asking, logitOf, told, type NextLogits } from '../next-logits.js';
import type { Cursor } from './copy-cursor.js';

export interface CopySettings {
  cursor: Cursor;
  /** Tokens that end an answer. */
  ends: readonly Token[];
  maxTokens: number;
  /** 0 takes the most probable of what is allowed. */
  temperature: number;
  seed: number;
}

/** What became of a copy, filled in while it is made. */
export interface CopyOutcome {
  reason: 'eos' | 'length';
  /** Share of the refusal among all that could begin the answer, 0 to 1; null when nothing could. */
  refusalProbability: number | null;
}

/**
 * Token after token of an answer that the cursor holds to a text. What is half said, such as a word, the refusal or a mark, is never
 * given out: where the limit cuts it, it is left out.
 * @param prompt what is still to be evaluated; at least one token
 */
export async function* copyTokens(
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  { cursor, ends, maxTokens, temperature, seed }: CopySettings,
  outcome: CopyOutcome,
  signal: AbortSignal,
): AsyncGenerator<Token, void> {
  const random = seededRandom(seed);
  let unread = [...prompt];
  let held: Token[] = [];
  for (let taken = 0; ; taken++) {
    signal.throwIfAborted();
    const { options, mayEnd } = cursor;
    const candidates = [...options.keys(), ...(mayEnd ? ends : [])];
    if (candidates.length === 0) return;
    if (taken >= maxTokens) {
      outcome.reason = 'length';
      return;
    }
    let [chosen] = candidates as [Token];
    // Where there is no choice nothing need be asked, unless the first token is to be weighed.
    if (candidates.length > 1 || taken === 0) {
      const results = await sequence.controlledEvaluate([
        ...unread.slice(0, -1),
        asking(unread.at(-1)!, candidates, 1),
      ]);
      const next = told(results.at(-1)?.next);
      unread = [];
      const refusal = taken === 0 ? shareOf(candidates, next, (token) => cursor.refuses(token)) : null;
      if (refusal !== null) outcome.refusalProbability = refusal;
      // All spans together are held against the refusal: each alone has but a part of what is probable of an answer.
      const likely =
        refusal !== null && temperature === 0
          ? candidates.filter((token) => cursor.refuses(token) === refusal > 0.5)
          : candidates;
      chosen = choose(likely, next, temperature, random);
    }
    if (ends.includes(chosen) && mayEnd && !options.has(chosen)) return;
    cursor.advance(chosen);
    unread.push(chosen);
    held.push(chosen);
    if (!cursor.isWhole) continue;
    yield* held;
    held = [];
  }
}

function choose(candidates: readonly Token[], next: NextLogits, temperature: number, random: () => number): Token {
  const best = candidates.reduce((a, b) => (logitOf(next, b) > logitOf(next, a) ? b : a));
  if (temperature === 0) return best;
  const weights = candidates.map((token) => Math.exp((logitOf(next, token) - logitOf(next, best)) / temperature));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return candidates.find((_, index) => (left -= weights[index]!) < 0) ?? best;
}

/** The part of the candidates' probability that those have for which something holds. */
function shareOf(candidates: readonly Token[], next: NextLogits, holds: (token: Token) => boolean): number {
  const most = Math.max(...candidates.map((token) => logitOf(next, token)));
  const weight = (some: readonly Token[]): number =>
    some.reduce((sum, token) => sum + Math.exp(logitOf(next, token) - most), 0);
  return weight(candidates.filter(holds)) / weight(candidates);
}
