/** What to do after a crash: start again after `delayMs`, and whether calls meanwhile wait (`restarting`) or fail at once (`broken`). */
interface RestartPlan {
  state: 'restarting' | 'broken';
  delayMs: number;
}

export interface CrashLimits {
  /** This many crashes within `windowMs` open the breaker. */
  crashes: number;
  windowMs: number;
  /** An open breaker tries one start after this long. */
  trialMs: number;
  firstDelayMs: number;
  longestDelayMs: number;
}

export const CRASH_LIMITS: CrashLimits = {
  crashes: 3,
  windowMs: 60_000,
  trialMs: 30_000,
  firstDelayMs: 100,
  longestDelayMs: 5_000,
};

/**
 * Backoff that doubles, and a breaker. Once it has opened, one crash of the trial opens it again, until a worker has
 * lived for a whole window. Times are monotonic milliseconds.
 */
export class CrashPolicy {
  private crashes: number[] = [];
  private onTrial = false;

  constructor(private readonly limits: CrashLimits = CRASH_LIMITS) {}

  /** @param startedAt when the worker that crashed was started */
  crashed(now: number, startedAt: number): RestartPlan {
    if (now - startedAt >= this.limits.windowMs) this.onTrial = false;
    this.crashes = [...this.crashes.filter((time) => now - time < this.limits.windowMs), now];
    if (this.onTrial || this.crashes.length >= this.limits.crashes) {
      this.onTrial = true;
      return { state: 'broken', delayMs: this.limits.trialMs };
    }
    const delay = this.limits.firstDelayMs * 2 ** (this.crashes.length - 1);
    return { state: 'restarting', delayMs: Math.min(delay, this.limits.longestDelayMs) };
  }
}
