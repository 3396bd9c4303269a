import type { Clock } from '../kernel/clock.js';
import type { StageTiming } from './answer.js';

/** Times the stages of one answer. */
export class Stopwatch {
  readonly stages: StageTiming[] = [];

  constructor(private readonly clock: Clock) {}

  async time<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const started = this.clock.monotonic();
    try {
      return await work();
    } finally {
      this.stages.push({ name, ms: this.clock.monotonic() - started });
    }
  }

  /** Milliseconds of a stage so far; 0 when it didn't run. */
  of(name: string): number {
    return this.stages.find((stage) => stage.name === name)?.ms ?? 0;
  }

  get totalMs(): number {
    return this.stages.reduce((sum, { ms }) => sum + ms, 0);
  }
}
