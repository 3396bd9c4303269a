import type { Logger } from '../../platform/telemetry/index.js';
import type { AuditStore } from './audit-store.js';

const HOUR_MS = 60 * 60 * 1000;

/** Removes entries by age, once an hour, by whichever gateway comes to it; twice does no harm. */
export class AuditRetention {
  #timer: NodeJS.Timeout | undefined;

  /** @param parts.days for how long entries are kept; 0 for good */
  constructor(private readonly parts: { store: AuditStore; log: Logger; days: number }) {}

  async expire(): Promise<void> {
    const { store, log, days } = this.parts;
    if (days === 0) return;
    const removed = await store.removeOlderThan(days);
    if (removed > 0) log.info({ removed, days }, 'entries of the audit log removed by age');
  }

  start(): void {
    const expire = () =>
      void this.expire().catch((err: unknown) => this.parts.log.debug({ err }, 'removing by age was put off'));
    this.#timer = setInterval(expire, HOUR_MS).unref();
    expire();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
