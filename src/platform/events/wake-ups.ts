import { Client } from 'pg';
import type { Database, Transaction } from '../database/index.js';
import type { Logger } from '../telemetry/index.js';

const CHANNEL = 'graft';
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** Waits for news on one topic without missing any that came while nobody waited. */
interface Bell {
  /** Resolves at once if it rang since the last `wait`, else at the next ring, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Rings this bell alone. */
  ring(): void;
  release(): void;
}

/**
 * The gateway's one LISTEN connection. A notification says only "look again at this topic": what is new stands in the
 * tables, so a lost notification costs time (until the follower's next poll), never data. After every reconnect all
 * topics ring, because what was notified in between is lost.
 */
export class WakeUps {
  readonly #topics = new Map<string, Set<() => void>>();
  #client: Client | undefined;
  #loop: Promise<void> | undefined;
  readonly #closed = new AbortController();
  #connected = false;

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  /** Whether notifications arrive now; followers poll more often while they don't. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Calls `ring` at every notification of `topic` and after every reconnect. @returns the way to stop it */
  subscribe(topic: string, ring: () => void): () => void {
    this.#loop ??= this.#keepListening();
    const rings = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, rings.add(ring));
    return () => {
      rings.delete(ring);
      if (rings.size === 0 && this.#topics.get(topic) === rings) this.#topics.delete(topic);
    };
  }

  bell(topic: string): Bell {
    let rang = false;
    let wake: (() => void) | undefined;
    const ring = () => {
      rang = true;
      wake?.();
    };
    return {
      ring,
      release: this.subscribe(topic, ring),
      wait: async (timeoutMs, signal) => {
        if (!rang && !signal?.aborted)
          await new Promise<void>((resolve) => {
            const timer = setTimeout(() => wake?.(), timeoutMs);
            wake = () => {
              clearTimeout(timer);
              if (wake) signal?.removeEventListener('abort', wake);
              wake = undefined;
              resolve();
            };
            signal?.addEventListener('abort', wake, { once: true });
          });
        rang = false;
      },
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#client?.end().catch(() => undefined);
    await this.#loop;
  }

  async #keepListening(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.#closed.signal.aborted) {
      try {
        await this.#listenUntilLost(() => {
          retryMs = FIRST_RETRY_MS;
        });
      } catch (error) {
        this.log.debug({ err: error, retryMs }, 'the LISTEN connection is down');
      }
      this.#connected = false;
      await pause(retryMs, this.#closed.signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #listenUntilLost(established: () => void): Promise<void> {
    const client = new Client({
      connectionString: this.database.url,
      application_name: 'graft-listen',
      keepAlive: true,
      connectionTimeoutMillis: LONGEST_RETRY_MS,
    });
    this.#client = client;
    const disconnection = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    try {
      // `connect` alone never settles when `close` ends the client in the middle of it.
      await Promise.race([client.connect(), disconnection]);
      client.on('notification', ({ payload }) => this.#ring(payload ?? ''));
      await client.query(`LISTEN ${CHANNEL}`);
      this.#connected = true;
      established();
      for (const topic of [...this.#topics.keys()]) this.#ring(topic);
      await disconnection;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #ring(topic: string): void {
    for (const ring of [...(this.#topics.get(topic) ?? [])]) ring();
  }
}

/** Rings `topic` on every gateway when the transaction commits. */
export async function notify(tx: Transaction, topic: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${CHANNEL}, ${topic})`;
}

/** Resolves after `ms` or when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
