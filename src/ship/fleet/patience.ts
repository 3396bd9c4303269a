import { GraftError } from '../../kernel/errors.js';
import type { CallOptions } from '../../platform/worker/index.js';
import { EngineFault } from './fault.js';

const DEFAULT_DEADLINE_MS = 120_000;

/** How long a call may take: until its deadline, which for what streams counts from the last piece, or until its caller withdraws it. */
export class Patience {
  readonly #began = performance.now();
  readonly #deadlineMs: number | null;

  constructor(private readonly options: Pick<CallOptions, 'signal' | 'deadlineMs'>) {
    this.#deadlineMs = options.deadlineMs === undefined ? DEFAULT_DEADLINE_MS : options.deadlineMs;
  }

  /** What is left of it for whoever is asked next, in ms; null: as long as it takes. @throws DEADLINE_EXCEEDED, CANCELLED */
  left(): number | null {
    if (this.options.signal?.aborted) throw withdrawn();
    if (this.#deadlineMs === null) return null;
    const remainingMs = this.#deadlineMs - (performance.now() - this.#began);
    if (remainingMs <= 0) throw tooLong();
    return remainingMs;
  }

  /** One try. @param quietMs how long an engine may say nothing before another one is tried */
  try(quietMs: number): Try {
    return new Try(this.options.signal, this.left(), quietMs, this.#deadlineMs);
  }
}

/** A try at one engine: its signal ends the engine's work, with the reason as an error. */
class Try {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  readonly #withdraw = () => this.#controller.abort(withdrawn());
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outer: AbortSignal | undefined,
    leftMs: number | null,
    quietMs: number,
    private readonly deadlineMs: number | null,
  ) {
    outer?.addEventListener('abort', this.#withdraw, { once: true });
    if (leftMs !== null && leftMs <= quietMs) this.#after(leftMs, tooLong);
    else this.#after(quietMs, () => new EngineFault('SLOW', `it said nothing for ${quietMs} ms`));
  }

  /** Something came: from now on only the deadline counts, anew. */
  moved(): void {
    clearTimeout(this.#timer);
    if (this.deadlineMs !== null) this.#after(this.deadlineMs, tooLong);
  }

  /** Ends what is still under way. */
  end(): void {
    clearTimeout(this.#timer);
    this.outer?.removeEventListener('abort', this.#withdraw);
    this.#controller.abort(withdrawn());
  }

  #after(ms: number, reason: () => Error): void {
    this.#timer = setTimeout(() => this.#controller.abort(reason()), ms);
    this.#timer.unref();
  }
}

const withdrawn = (): GraftError => new GraftError('CANCELLED', 'The caller withdrew the request.');
const tooLong = (): GraftError => new GraftError('DEADLINE_EXCEEDED', 'The answer took longer than it was allowed.');
