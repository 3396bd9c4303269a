import { ANSWERS_TOGETHER, type Spends } from '../../../kit/graphql/index.js';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Account } from '../../../platform/spending/index.js';
import type { ThreadCalibration } from '../../../worker-protocol/index.js';
import { Line, type Prior, type Size } from './line.js';

/** Nobody is told to come back sooner, in ms. */
const LEAST_RETRY_MS = 500;
/** Half of what the worker's queue holds: an answer has at most two calls there at once. */
export const MOST_UNDER_WAY = 256;
/**
 * Of what is still free one key may have so many times as much under way, and one workspace so many times (Choudhury and Hahne, "Dynamic queue length
 * thresholds", 1998): alone, a key fills two thirds and a workspace four fifths, and there is always room for those who have nothing under way.
 */
const SHARES = [
  { of: 'key', times: 2 },
  { of: 'workspace', times: 4 },
] as const;
/** Of a text that is embedded nothing behind this is read, in characters: embedders cut what is longer. */
const MOST_EMBEDDED = 2_048;
/** Strings of a request that are looked at. */
const MOST_VALUES = 10_000;

/** Of the tokens that an answer takes, so many are written; the others are read. */
const WRITTEN = 1 / 6;
const ANSWERING: Prior = { tokens: 300, pace: 2 };
const SEARCHING: Prior = { tokens: 16, pace: 2 };

type Waits = 'ANSWER' | 'ANSWERS' | 'SEARCH';

/** Answers that it comes to. */
const TIMES: Readonly<Record<Waits, number>> = { ANSWER: 1, ANSWERS: ANSWERS_TOGETHER, SEARCH: 1 };

/** Runs and training have a queue of their own and stand behind people. */
const waits = (work: Spends): work is Waits => work in TIMES;

/** A question of a line or two. */
const PLAIN: Size = { characters: 0, times: 1 };
const NOBODY: Account['caller'] = { workspaceId: '' as WorkspaceId, key: null };

/** How long the texts of a request are, in characters. @param maximum what counts of each */
export function charactersIn(request: unknown, maximum = Infinity): number {
  let characters = 0;
  const queue: unknown[] = [request];
  for (let count = 0; queue.length > 0 && count < MOST_VALUES; count += 1) {
    const value = queue.pop();
    if (typeof value === 'string') characters += Math.min(value.length, maximum);
    else if (Array.isArray(value)) queue.push(...(value as unknown[]).slice(0, MOST_VALUES));
    else if (typeof value === 'object' && value !== null) queue.push(...(Object.values(value) as unknown[]));
  }
  return characters;
}

/**
 * Lets in as much as can be begun within a time that people wait, and refuses the rest at once, before anything is reserved or done for it.
 * Answers and searches are lines of their own: what a newcomer has ahead of it in one, over how fast that has been getting on, is how long
 * it would wait. Nothing has to be set for a machine: the pace is what was seen, whatever else it does. No key and no workspace fills a line.
 */
export class Admission {
  readonly #answers = new Line(ANSWERING);
  readonly #searches = new Line(SEARCHING);

  /** @param maxWaitMs how long one may be expected to wait for those before it */
  constructor(
    private readonly parts: { clock: Pick<Clock, 'monotonic'>; maxWaitMs: number },
    private readonly most = MOST_UNDER_WAY,
  ) {}

  /**
   * @param account what the work comes to, while it goes on
   * @param request what was asked for; the lengths of its texts count
   * @returns what is called once, when it is over: `finished`, unless it failed or was given up
   * @throws OVERLOADED with `retryAfterSeconds`
   */
  enter(work: Spends | undefined, account: Account, request: unknown): (finished: boolean) => void {
    if (work === undefined || !waits(work)) return () => undefined;
    const line = work === 'SEARCH' ? this.#searches : this.#answers;
    const maximum = work === 'SEARCH' ? MOST_EMBEDDED : Infinity;
    const size = { characters: charactersIn(request, maximum), times: TIMES[work] };
    const now = this.parts.clock.monotonic();
    if (line.size > 0) line.look(now);
    if (this.#size > 0) this.#requireRoom(line, account, size, now);
    line.enter(account, size, now);
    return (finished) => line.leave(account, finished, this.parts.clock.monotonic());
  }

  /** How fast the model was when it was measured, until answers have shown it. */
  calibrated({ measurements, threads }: ThreadCalibration): void {
    const measurementFor = (count: number) => measurements.find((measurement) => measurement.threads === count);
    const read = measurementFor(threads.prefill)?.prefillTokensPerSecond ?? 0;
    const decodeSpeed = measurementFor(threads.decode)?.decodeTokensPerSecond ?? 0;
    if (read <= 0 || decodeSpeed <= 0) return;
    this.#answers.expect(1 / ((1 - WRITTEN) / read + WRITTEN / decodeSpeed) / 1000);
  }

  /** What `/metrics` shows, by kind: how many are waiting or running, and how long the next plain one would wait, in ms. */
  state(): Record<'answers' | 'searches', { underWay: number; waitMs: number }> {
    const now = this.parts.clock.monotonic();
    const figuresOf = (line: Line) => ({
      underWay: line.size,
      waitMs: line.ahead(PLAIN, { caller: NOBODY }, now).ms.all,
    });
    return { answers: figuresOf(this.#answers), searches: figuresOf(this.#searches) };
  }

  get #size(): number {
    return this.#answers.size + this.#searches.size;
  }

  /** @throws OVERLOADED */
  #requireRoom(line: Line, account: Account, size: Size, now: number): void {
    const { maxWaitMs } = this.parts;
    const { ms, many } = line.ahead(size, account, now);
    // Room for one comes up as often as one is done.
    const overloaded = (afterMs: number, message: string) =>
      this.#overloaded(Math.max(afterMs, line.takesMs(size)), message);
    const limitText = `${seconds(maxWaitMs)} s is the most that anybody is let wait.`;
    if (line.size > 0 && ms.all > maxWaitMs)
      throw overloaded(
        ms.all - maxWaitMs,
        `You would wait ${seconds(ms.all)} s for those before you, and ${limitText}`,
      );
    if (this.#size >= this.most) throw overloaded(0, `${this.most} requests are under way, the most that may be.`);
    for (const { of, times } of SHARES) {
      const overMs = ms[of] - times * (maxWaitMs - ms.all);
      if (overMs > 0)
        throw overloaded(
          overMs / (1 + times),
          `Your ${of} has ${seconds(ms[of])} s of work under way, all that one ${of} may: others are to find room, and ${limitText}`,
        );
      if (many[of] > times * (this.most - this.#size))
        throw overloaded(0, `Your ${of} has ${many[of]} requests under way; ${this.most} of all together may be.`);
    }
  }

  /** @param afterMs when there is room again, as far as can be told; nobody is told to stay away for longer than people are let wait */
  #overloaded(afterMs: number, message: string): GraftError {
    const retryAfterMs = Math.ceil(Math.max(LEAST_RETRY_MS, Math.min(afterMs, this.parts.maxWaitMs)));
    return new GraftError('OVERLOADED', message, {
      hint: `Send it again in ${seconds(retryAfterMs)} s.`,
      retryAfterSeconds: retryAfterMs / 1000,
    });
  }
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);
