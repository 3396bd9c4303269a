import type { Token } from 'node-llama-cpp';
import { seededRandom } from '../../../../src/kernel/random.js';
import type { SequenceLease } from '../lease.js';
import { asking, logitOf, told, type NextLogits } from '../next-logits.js';
import type { Cursor } from './copy-cursor.js';

/** The sequence that is written to. */
type Evaluated = Pick<SequenceLease, 'sequence' | 'evaluate'>;

interface CopySettings {
  /** Where the answer begins. */
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
 * given out: where the limit cuts it, it is left out. What the cursor drafts is read at once and kept as far as each token is the
 * one that would have been chosen (Leviathan et al. 2023, with the text as the draft).
 * @param prompt what is still to be evaluated; at least one token
 */
export async function* copyTokens(
  lease: Evaluated,
  prompt: readonly Token[],
  { cursor: start, ends, maxTokens, temperature, seed }: CopySettings,
  outcome: CopyOutcome,
  signal: AbortSignal,
): AsyncGenerator<Token, void> {
  const random = seededRandom(seed);
  let unread = [...prompt];
  let pendingTokens: Token[] = [];
  let tokenCount = 0;
  for (let currentCursor = start; ;) {
    signal.throwIfAborted();
    const steps = lookAhead(currentCursor, ends, unread.length === 1);
    if (tokenCount >= maxTokens && steps[0]!.candidates.length > 0) {
      outcome.reason = 'length';
      return;
    }
    const read = await evaluate(lease, unread, steps, tokenCount === 0);
    if (read) unread = [];
    for (const [index, { cursor, candidates, drafted }] of steps.entries()) {
      if (candidates.length === 0) return;
      if (tokenCount >= maxTokens) {
        outcome.reason = 'length';
        return;
      }
      let likely = candidates;
      if (read && tokenCount === 0) {
        const refusal = shareOf(candidates, read[0]!, (token) => cursor.refuses(token));
        outcome.refusalProbability = refusal;
        // All spans together are held against the refusal: each alone has but a part of what is probable of an answer.
        if (temperature === 0) likely = candidates.filter((token) => cursor.refuses(token) === refusal > 0.5);
      }
      const choice = read ? choose(likely, read[index]!, temperature, random) : candidates[0]!;
      if (ends.includes(choice) && cursor.mayEnd && !cursor.options.has(choice)) return;
      currentCursor = choice === drafted ? steps[index + 1]!.cursor : cursor.after(choice);
      tokenCount += 1;
      pendingTokens.push(choice);
      if (currentCursor.isWhole) {
        yield* pendingTokens;
        pendingTokens = [];
      }
      if (choice === drafted) continue;
      const end = lease.sequence.nextTokenIndex;
      const inVain = steps.length - 1 - index;
      if (inVain > 0) await lease.sequence.eraseContextTokenRanges([{ start: end - inVain, end }]);
      unread.push(choice);
      break;
    }
  }
}

/** A place of the answer, what may be said there, and what the draft says. */
interface Ahead {
  cursor: Cursor;
  candidates: Token[];
  /** null at the end of the draft. */
  drafted: Token | null;
}

/** This place and those behind each token of its draft, if it is drafted: with a prompt's last slice it would make a batch of another size. */
function lookAhead(start: Cursor, ends: readonly Token[], drafting: boolean): Ahead[] {
  const steps: Ahead[] = [];
  let cursor = start;
  for (const token of [...(drafting ? start.draft() : []), null]) {
    const candidates = [...cursor.options.keys(), ...(cursor.mayEnd ? ends : [])];
    const drafted = token !== null && cursor.options.has(token) ? token : null;
    steps.push({ cursor, candidates, drafted });
    if (drafted === null) break;
    cursor = cursor.after(drafted);
  }
  return steps;
}

/** What the model says of each place; null where nothing need be asked, because there is no choice and no draft. */
async function evaluate(
  lease: Evaluated,
  unread: readonly Token[],
  steps: readonly Ahead[],
  first: boolean,
): Promise<NextLogits[] | null> {
  // The first token is weighed in any case.
  if (steps.length === 1 && steps[0]!.candidates.length <= 1 && !(first && steps[0]!.candidates.length === 1))
    return null;
  const [firstStep, ...draftSteps] = steps;
  const results = await lease.evaluate([
    ...unread.slice(0, -1),
    asking(unread.at(-1)!, firstStep!.candidates, 1),
    ...draftSteps.map(({ candidates }, index) => asking(steps[index]!.drafted!, candidates, 1)),
  ]);
  return results.slice(unread.length - 1).map((result) => told(result?.next));
}

function choose(candidates: readonly Token[], next: NextLogits, temperature: number, random: () => number): Token {
  const best = candidates.reduce((a, b) => (logitOf(next, b) > logitOf(next, a) ? b : a));
  if (temperature === 0) return best;
  const weights = candidates.map((token) => Math.exp((logitOf(next, token) - logitOf(next, best)) / temperature));
  let remainder = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return candidates.find((_, index) => (remainder -= weights[index]!) < 0) ?? best;
}

/** The part of the candidates' probability that those have for which something holds. */
function shareOf(candidates: readonly Token[], next: NextLogits, holds: (token: Token) => boolean): number {
  const maximum = Math.max(...candidates.map((token) => logitOf(next, token)));
  const weight = (tokens: readonly Token[]): number =>
    tokens.reduce((sum, token) => sum + Math.exp(logitOf(next, token) - maximum), 0);
  return weight(candidates.filter(holds)) / weight(candidates);
}
