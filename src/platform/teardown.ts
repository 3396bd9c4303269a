import type { Logger } from './telemetry/index.js';

/** Steps to undo what was started, last first; each runs even if another fails. */
export class Teardown {
  private readonly steps: (() => Promise<unknown> | unknown)[] = [];

  add(step: () => Promise<unknown> | unknown): void {
    this.steps.unshift(step);
  }

  async run(log: Logger): Promise<void> {
    for (const step of this.steps.splice(0))
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'a part did not stop cleanly');
      }
  }
}
