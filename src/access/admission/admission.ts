import { ANSWERS_TOGETHER, type Spends } from '../../graphql-kit/index.js';
import type { Clock } from '../../kernel/clock.js';
import { GraftError } from '../../kernel/errors.js';
import type { Account } from '../../platform/spending/index.js';
import type { ThreadCalibration } from '../../worker-protocol/index.js';
import { Line, type Prior } from './line.js';

/** Nobody is told to come back sooner, in ms. */
const LEAST_RETRY_MS = 500;
/** Half of what the worker's queue holds: an answer has at most two calls there at once. */
export const MOST_UNDER_WAY = 256;
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

/** How long the texts of a request are, in characters. @param most what counts of each */
export function charactersIn(request: unknown, most = Infinity): number {
  let characters = 0;
  const left: unknown[] = [request];
  for (let seen = 0; left.length > 0 && seen < MOST_VALUES; seen += 1) {
    const value = left.pop();
    if (typeof value === 'string') characters += Math.min(value.length, most);
    else if (Array.isArray(value)) left.push(...(value as unknown[]).slice(0, MOST_VALUES));
    else if (typeof value === 'object' && value !== null) left.push(...(Object.values(value) as unknown[]));
  }
  return characters;
}

/**
 * Lets in as much as can be begun within a time that people wait, and refuses the rest at once, before anything is reserved or done for it.
 * Answers and searches are lines of their own: what is waiting or running in one, over how fast it has been getting on, is how long
 * the next would wait. Nothing has to be set for a machine: the pace is what was seen, whatever else it does.
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
    const most = work === 'SEARCH' ? MOST_EMBEDDED : Infinity;
    const size = { characters: charactersIn(request, most), times: TIMES[work] };
    const now = this.parts.clock.monotonic();
    if (line.size > 0) line.look(now);
    const waitMs = line.waitMs();
    if (line.size > 0 && (waitMs > this.parts.maxWaitMs || this.#size >= this.most))
      throw this.#overloaded(waitMs, line.takesMs(size));
    line.enter(account, size, now);
    return (finished) => line.leave(account, finished, this.parts.clock.monotonic());
  }

  /** How fast the model was when it was measured, until answers have shown it. */
  calibrated({ measurements, threads }: ThreadCalibration): void {
    const at = (count: number) => measurements.find((one) => one.threads === count);
    const read = at(threads.prefill)?.prefillTokensPerSecond ?? 0;
    const written = at(threads.decode)?.decodeTokensPerSecond ?? 0;
    if (read <= 0 || written <= 0) return;
    this.#answers.expect(1 / ((1 - WRITTEN) / read + WRITTEN / written) / 1000);
  }

  /** What `/metrics` shows, by kind: how many are waiting or running, and how long the next would wait, in ms. */
  state(): Record<'answers' | 'searches', { underWay: number; waitMs: number }> {
    const of = (line: Line) => ({ underWay: line.size, waitMs: line.waitMs() });
    return { answers: of(this.#answers), searches: of(this.#searches) };
  }

  get #size(): number {
    return this.#answers.size + this.#searches.size;
  }

  /** Sent again when room for one will have come up. */
  #overloaded(waitMs: number, takesMs: number): GraftError {
    const { maxWaitMs } = this.parts;
    const retryAfterMs = Math.ceil(Math.max(LEAST_RETRY_MS, waitMs - maxWaitMs, takesMs));
    return new GraftError(
      'OVERLOADED',
      waitMs > maxWaitMs
        ? `You would wait ${seconds(waitMs)} s for those before you, and ${seconds(maxWaitMs)} s is the most that anybody is let wait.`
        : `${this.most} requests are under way, the most that may be.`,
      { hint: `Send it again in ${seconds(retryAfterMs)} s.`, retryAfterSeconds: retryAfterMs / 1000 },
    );
  }
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);
