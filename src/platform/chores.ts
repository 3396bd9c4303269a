import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './telemetry/index.js';

/** Work that is to be done again and again, a moment after it ended the last time. */
export interface Chore {
  name: string;
  everyMs: number;
  work(signal: AbortSignal): Promise<unknown>;
}

/**
 * After so long each is done first, since a gateway may not live for an hour; and so long a stop waits for one that doesn't heed it, since it goes on
 * from what it finds when it is done again.
 */
const MOMENT_MS = 5_000;
/** Failures in a row from which on a chore is more than put off; of one that is rarely done the first counts. */
const MANY_FAILURES = 4;
const RARELY_MS = 60_000;

/** Does chores beside each other for as long as a gateway lives. One that fails is done again like one that didn't. */
export class Housekeeper {
  readonly #stopping = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #working = new Set<Promise<void>>();
  /** Of a chore in a row. */
  readonly #failures = new Map<string, number>();

  constructor(private readonly parts: { chores: readonly Chore[]; log: Logger; momentMs?: number }) {}

  get #momentMs(): number {
    return this.parts.momentMs ?? MOMENT_MS;
  }

  start(): void {
    for (const chore of this.parts.chores) this.#plan(chore, Math.min(chore.everyMs, this.#momentMs));
  }

  /** Waits a moment for what is being done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    const late = sleep(this.#momentMs, undefined, { ref: false });
    await Promise.race([Promise.all(this.#working), late]);
  }

  #plan(chore: Chore, afterMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timers.set(chore.name, setTimeout(() => this.#do(chore), afterMs).unref());
  }

  #do(chore: Chore): void {
    const work = chore
      .work(this.#stopping.signal)
      .then(() => void this.#failures.delete(chore.name))
      .catch((err: unknown) => this.#tellFailure(chore, err))
      .then(() => {
        this.#working.delete(work);
        this.#plan(chore, chore.everyMs);
      });
    this.#working.add(work);
  }

  /** What fails once is done a moment later; what goes on failing is told again and again, each time after twice as many failures. */
  #tellFailure({ name: chore, everyMs }: Chore, err: unknown): void {
    const failures = (this.#failures.get(chore) ?? 0) + 1;
    this.#failures.set(chore, failures);
    const due = (failures >= MANY_FAILURES || everyMs >= RARELY_MS) && Number.isInteger(Math.log2(failures));
    if (due) this.parts.log.warn({ err, chore, failures }, 'a chore failed');
    else this.parts.log.debug({ err, chore, failures }, 'a chore was put off');
  }
}
