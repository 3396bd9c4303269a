import type { Logger } from '../../platform/telemetry/index.js';
import type { ShadowService } from './shadow-service.js';

/** How often it is looked for shadows that nobody works on. */
const EVERY_MS = 5_000;

/** Ends shadows whose runs have ended without them. */
export class ShadowKeeper {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(private readonly parts: { service: Pick<ShadowService, 'endAbandoned'>; log: Logger }) {}

  start(): void {
    this.#timer ??= setInterval(() => (this.#looking = this.#look()), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { service, log } = this.parts;
    await service.endAbandoned().catch((err: unknown) => log.debug({ err }, 'shadows were not looked at'));
  }
}
