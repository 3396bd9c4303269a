import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../kernel/clock.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { asSystem, inWorkspace } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import type { BudgetStore } from './budget-store.js';

const TRIES = 5;
/** How often reservations whose time is over are looked for, in ms; until then they count as they were made. */
const SWEEP_MS = 5_000;
/** Before the second try, in ms; before each other so much more. */
const PAUSE_MS = 200;

/**
 * Settles reservations behind the answers that they were made for. What an answer came to is known before the next question of the same
 * workspace is looked at, though no answer waits for it.
 */
export class Settlements {
  readonly #firstTries = new Map<WorkspaceId, Set<Promise<unknown>>>();
  readonly #untilGivenUp = new Set<Promise<void>>();
  #sweptAt = -Infinity;

  constructor(private readonly parts: { store: Pick<BudgetStore, 'settle' | 'sweep'>; clock: Clock; log: Logger }) {}

  /**
   * Begins once the answer is on its way, and tries again for a moment; what is not settled by then counts as it was reserved, when its time
   * is over. @returns once it is settled or given up; never rejects
   */
  settle(workspaceId: WorkspaceId, id: string, tokens: number): Promise<void> {
    // Wherever it is called: a client that leaves ends its answer from outside the request.
    const settle = () => inWorkspace(workspaceId, () => this.parts.store.settle(id, tokens));
    const settled = (): Promise<unknown> => settle().then(() => null, asError);
    const first = turn().then(settled);
    const firstTries = this.#firstTries.get(workspaceId) ?? new Set();
    this.#firstTries.set(workspaceId, firstTries.add(first));
    const attempt = first.finally(() => {
      firstTries.delete(first);
      if (firstTries.size === 0) this.#firstTries.delete(workspaceId);
    });
    return this.#kept(attempt.then((failed) => this.#again(failed, settled)));
  }

  /** Now and then has settled what gateways that are gone had reserved. No request waits for that: these reservations are others'. */
  sweep(): void {
    const now = this.parts.clock.monotonic();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    const failed = (err: unknown): void => this.parts.log.debug({ err }, 'reservations not swept');
    void this.#kept(turn().then(() => asSystem(() => this.parts.store.sweep()).catch(failed)));
  }

  /** Once everything of a workspace that was answered so far was tried to be settled, once: what fails is no reason to wait for others. */
  async firstTriesOf(workspaceId: WorkspaceId): Promise<void> {
    const first = this.#firstTries.get(workspaceId);
    if (first) await Promise.all(first);
  }

  async drained(): Promise<void> {
    // One that was given up may be settled while others are waited for.
    while (this.#untilGivenUp.size > 0) await Promise.all(this.#untilGivenUp);
  }

  /** What `drained` waits for. */
  #kept(work: Promise<void>): Promise<void> {
    const whole = work.finally(() => this.#untilGivenUp.delete(whole));
    this.#untilGivenUp.add(whole);
    return whole;
  }

  async #again(failed: unknown, settled: () => Promise<unknown>): Promise<void> {
    let err = failed;
    for (let tries = 1; err !== null && tries < TRIES; tries += 1) {
      await sleep(PAUSE_MS * tries);
      err = await settled();
    }
    if (err !== null) this.parts.log.warn({ err }, 'spending not settled');
  }
}

const asError = (error: unknown): unknown => error ?? new Error('It failed without a reason.');
