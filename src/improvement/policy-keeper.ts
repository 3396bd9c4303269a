import type { Clock } from '../kernel/clock.js';
import type { Logger } from '../platform/telemetry/index.js';
import type { ImprovementService } from './improvement-service.js';

const LOOK_MS = 60_000;

/** Looks again and again whether a policy has something to begin. Every gateway looks; see `ImprovementService.look`. */
export class PolicyKeeper {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(private readonly parts: { improving: Pick<ImprovementService, 'look'>; clock: Clock; log: Logger }) {}

  start(): void {
    const again = (): void => {
      this.#looking = this.#look().finally(() => {
        if (this.#timer) this.#timer = setTimeout(again, LOOK_MS).unref();
      });
    };
    this.#timer ??= setTimeout(again, LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { improving, clock, log } = this.parts;
    await improving.look(clock.now()).catch((err: unknown) => log.debug({ err }, 'policies were not looked at'));
  }
}
