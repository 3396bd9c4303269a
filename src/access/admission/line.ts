import type { Account } from '../../platform/spending/index.js';

/** Characters to a token, near enough for what is only estimated. */
const CHARACTERS_PER_TOKEN = 4;
/** How much of what an answer takes beyond its question is learned from each one. */
const LEARNING = 1 / 16;
/** A pace is told from no less, in ms. */
const SAMPLE_MS = 1_000;
/** Half of a pace is forgotten after so long under load, in ms. Up as soon as down: else the pace would be the best of many, and promise too much. */
const MEMORY_MS = 10_000;
/**
 * One at a time shows little of what is done together, which may be more (they share batches) or less (they take each other's room): it moves the
 * pace so much more slowly. Nobody waits where one is alone, so nothing is lost meanwhile.
 */
const ALONE = 1 / 20;

/** Work as it stands in a line: see `Line`, which tells how long a newcomer would wait, tokens under way over the pace that was seen. */
export interface Size {
  /** Of its texts. */
  characters: number;
  /** Answers that it makes. */
  times: number;
}

/** What is taken to be so until it was seen, in tokens and tokens per ms. It lets many in: few would be refused that could be answered. */
export interface Prior {
  tokens: number;
  pace: number;
}

/** Work of one kind that is waiting or running, and how fast such work has been getting on. Amounts are tokens that models read or write. */
export class Line {
  readonly #underWay = new Map<Account, { expected: number; size: Size }>();
  #beyondQuestion: number;
  #pace: number;
  /** Whether a pace was seen. */
  #measured = false;
  /** Whether one came to its end. */
  #answered = false;
  /** Tokens of those that have left since the sample began. */
  #left = 0;
  /** What those under way had when the sample began. */
  #before = 0;
  #since = 0;
  #together = 0;

  constructor({ tokens, pace }: Prior) {
    this.#beyondQuestion = tokens;
    this.#pace = pace;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Until a pace was seen, this one is taken for it, in tokens per ms. */
  expect(pace: number): void {
    if (!this.#measured) this.#pace = pace;
  }

  /** Tokens that it is expected to come to. */
  #expected({ characters, times }: Size): number {
    return times * (this.#beyondQuestion + characters / CHARACTERS_PER_TOKEN);
  }

  /** Milliseconds until all that is waiting or running will have been done. What runs counts in full: many run at once, and slow each other down. */
  waitMs(): number {
    let tokens = 0;
    for (const { expected } of this.#underWay.values()) tokens += expected;
    return tokens / this.#pace;
  }

  /** Milliseconds that it would take of the machine. */
  takesMs(size: Size): number {
    return this.#expected(size) / this.#pace;
  }

  /**
   * Takes the pace from what was done since the sample began. Who comes has it looked at, and not only who leaves: where a machine has become
   * slow nobody leaves for long, and meanwhile as many would be let in as before. Before one came to its end there is nothing to learn: a
   * prompt counts as a whole when its reading begins, and what waits for a model to be loaded has come to next to nothing.
   */
  look(now: number): void {
    if (!this.#answered) return;
    const ms = now - this.#since;
    const tokens = this.#left + this.#spent() - this.#before;
    if (tokens <= 0 || (ms < SAMPLE_MS && this.#underWay.size > 0)) return;
    this.#learn(tokens / Math.max(1, ms), ms);
    this.#begin(now);
  }

  enter(account: Account, size: Size, now: number): void {
    if (this.#underWay.size === 0) this.#begin(now);
    this.#underWay.set(account, { expected: this.#expected(size), size });
    this.#together = Math.max(this.#together, this.#underWay.size);
  }

  /** @param finished whether it came to its end: only then it shows what such work takes */
  leave(account: Account, finished: boolean, now: number): void {
    const entry = this.#underWay.get(account);
    if (!entry) return;
    this.#underWay.delete(account);
    this.#left += account.tokens;
    if (finished) {
      const { times, characters } = entry.size;
      const beyond = Math.max(1, account.tokens / times - characters / CHARACTERS_PER_TOKEN);
      this.#beyondQuestion += (beyond - this.#beyondQuestion) * (this.#answered ? LEARNING : 1);
      this.#answered = true;
    }
    this.look(now);
  }

  #learn(pace: number, ms: number): void {
    const remembered = (1 - 2 ** (-ms / MEMORY_MS)) * (this.#together === 1 ? ALONE : 1);
    this.#pace += (pace - this.#pace) * (this.#measured ? remembered : 1);
    this.#measured = true;
  }

  #begin(now: number): void {
    this.#since = now;
    this.#left = 0;
    this.#before = this.#spent();
    this.#together = this.#underWay.size;
  }

  #spent(): number {
    let tokens = 0;
    for (const { tokens: one } of this.#underWay.keys()) tokens += one;
    return tokens;
  }
}
