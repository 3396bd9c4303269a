import type { Token } from 'node-llama-cpp';
import type { WrittenToken } from '../../../src/worker-protocol/index.js';
import type { Vocabulary } from './copying/vocabulary.js';

/** What is too improbable for a number. */
const NEVER = -9_999;

interface Chosen {
  token: Token;
  confidence: number;
  /** Of every token that could be drawn, the most probable first. */
  probabilities: Map<Token, number>;
}

/** Notes of each token that passes how probable it was, and what was most probable in its place. */
export class ProbableTokens {
  readonly #noted: WrittenToken[] = [];

  /** @param top how many of the most probable ones are noted */
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly top: number,
  ) {}

  async *follow(tokens: AsyncGenerator<Chosen, void>): AsyncGenerator<Chosen, void> {
    for await (const token of tokens) {
      this.#noted.push({ ...this.#told(token.token, token.confidence), top: this.#first(token.probabilities) });
      yield token;
    }
  }

  /** Those that begin before a place of the text. @param begins where each begins */
  within(begins: readonly number[], end: number): WrittenToken[] {
    return this.#noted.filter((_, i) => begins[i] !== undefined && begins[i] < end);
  }

  #first(probabilities: ReadonlyMap<Token, number>): WrittenToken['top'] {
    const first: WrittenToken['top'] = [];
    for (const [token, share] of probabilities) {
      // A grammar leaves what it forbids in the list, without a share.
      if (first.length >= this.top || share === 0) break;
      first.push(this.#told(token, share));
    }
    return first;
  }

  #told(token: Token, share: number): Omit<WrittenToken, 'top'> {
    return {
      bytes: this.vocabulary.bytes.get(token) ?? '',
      logProbability: Math.min(0, Math.max(NEVER, Math.log(share))),
    };
  }
}
