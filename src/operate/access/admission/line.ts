import type { Account } from '../../../platform/spending/index.js';

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
/** What has more tokens of its own to read is long: the worker reads it in slices, between which quick work goes on (`SLOW_TOKENS` there). */
const LONG_TOKENS = 640;

/** Work as it stands in a line: see `Line`, which tells how long a newcomer would wait, tokens ahead of it over the pace that was seen. */
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

/** By whose it is: everybody's, the caller's workspace's, the caller's key's. */
type Shares = Readonly<Record<'all' | 'workspace' | 'key', number>>;

interface Ahead {
  /** How long a newcomer would wait for it. */
  ms: Shares;
  /** How many are waiting or running. */
  many: Shares;
}

interface Entry {
  account: Account;
  size: Size;
  /** Tokens that it was expected to come to. */
  expected: number;
  /** Monotonic ms when it came. */
  since: number;
}

/** Work of one kind that is waiting or running, and how fast such work has been getting on. Amounts are tokens that models read or write. */
export class Line {
  readonly #underWay = new Map<Account, Entry>();
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

  /** What a newcomer has ahead of it: what is waiting or running for everybody, for its own workspace and for its own key. */
  ahead(newcomer: Size, { caller }: Pick<Account, 'caller'>, now: number): Ahead {
    const newcomerTokens = this.#expected(newcomer);
    const tokenLimit = this.#isLong(newcomerTokens, newcomer.times) ? Infinity : newcomerTokens;
    const tokens = { all: 0, workspace: 0, key: 0 };
    const counts = { all: this.size, workspace: 0, key: 0 };
    for (const entry of this.#underWay.values()) {
      const entryTokens = this.#tokensAhead(entry, tokenLimit, now);
      tokens.all += entryTokens;
      const otherCaller = entry.account.caller;
      if (otherCaller.workspaceId !== caller.workspaceId) continue;
      tokens.workspace += entryTokens;
      counts.workspace += 1;
      if (otherCaller.key?.lineId !== caller.key?.lineId) continue;
      tokens.key += entryTokens;
      counts.key += 1;
    }
    const ms = (scope: keyof typeof tokens) => tokens[scope] / this.#pace;
    return { ms: { all: ms('all'), workspace: ms('workspace'), key: ms('key') }, many: counts };
  }

  /**
   * What of it the machine does before it is through with a newcomer. Quick work counts in full: many run at once and slow each other down, and who
   * comes later takes from both. Long work counts with what is left of it, and beside a quick newcomer with no more than a share as large as that
   * one's own: the worker gives it slices in between.
   * @param tokenLimit tokens of long work that count
   */
  #tokensAhead({ account, size, expected, since }: Entry, tokenLimit: number, now: number): number {
    const whole = Math.max(expected, account.tokens);
    if (!this.#isLong(whole, size.times)) return expected;
    // A prompt is charged as a whole when its reading begins, so time bounds how far it can be.
    const rest = Math.max(0, whole - Math.min(account.tokens, (now - since) * this.#pace));
    return Math.min(rest, tokenLimit);
  }

  #isLong(tokens: number, times: number): boolean {
    return tokens / times - this.#beyondQuestion > LONG_TOKENS;
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
    this.#underWay.set(account, { account, size, expected: this.#expected(size), since: now });
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
      const answerTokens = Math.max(1, account.tokens / times - characters / CHARACTERS_PER_TOKEN);
      this.#beyondQuestion += (answerTokens - this.#beyondQuestion) * (this.#answered ? LEARNING : 1);
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
    for (const { tokens: accountTokens } of this.#underWay.keys()) tokens += accountTokens;
    return tokens;
  }
}
