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

  /** Times a stage that tells what happens meanwhile; the time that its reader takes is part of it. */
  async *follow<T, R>(name: string, stage: Generator<T, R> | AsyncGenerator<T, R>): AsyncGenerator<T, R> {
    const started = this.clock.monotonic();
    try {
      return yield* stage;
    } finally {
      this.stages.push({ name, ms: this.clock.monotonic() - started });
    }
  }

  get totalMs(): number {
    return this.stages.reduce((sum, { ms }) => sum + ms, 0);
  }
}
