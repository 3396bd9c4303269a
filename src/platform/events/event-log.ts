import { isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { mapDatabaseError, type Database, type Prisma, type Transaction } from '../database/index.js';
import type { Logger } from '../telemetry/index.js';
import { notify, pause, WakeUps } from './wake-ups.js';

export type Json = Prisma.JsonValue;

export interface StoredEvent {
  /** Place in its stream: 1, 2, 3… without gaps. */
  sequence: bigint;
  type: string;
  payload: Json;
  createdAt: Date;
}

export interface FollowOptions {
  /** Continue behind this event; from the first one by default. */
  after?: bigint;
  signal: AbortSignal;
}

/** How a stream that comes to an end is followed. */
interface FollowToEndOptions<T> extends FollowOptions {
  /** Whether its last event was written already. */
  ended: boolean;
  /** What is made of an event. */
  read: (event: StoredEvent) => T | Promise<T>;
  /** Whether nothing follows. */
  isLast: (value: T) => boolean;
}

const PAGE = 500;
/** Only insurance while notifications arrive; the way to learn of events while they don't. */
const POLL_CONNECTED_MS = 5_000;
const POLL_DISCONNECTED_MS = 500;

/**
 * Events as rows, numbered without gaps per stream, so that any gateway can serve any subscriber and a client that
 * comes back with the last number it saw misses nothing.
 *
 * Why not a PostgreSQL sequence: its numbers become visible out of order and a rollback leaves a hole, so "everything
 * after 7" could skip an 8 that commits later. Here a writer holds the stream's advisory lock until it commits.
 */
export class EventLog {
  readonly wakeUps: WakeUps;

  constructor(private readonly parts: { database: Database; log: Logger }) {
    this.wakeUps = new WakeUps(parts.database, parts.log.child({ part: 'events' }));
  }

  /**
   * Appends an event, in `tx` if given (READ COMMITTED): it then exists if and only if the transaction commits.
   * @returns its sequence number
   */
  async append(
    workspaceId: WorkspaceId,
    stream: string,
    type: string,
    payload: Json,
    tx?: Transaction,
  ): Promise<bigint> {
    if (!tx)
      return this.#prisma.$transaction((transaction) => this.append(workspaceId, stream, type, payload, transaction));
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`event:${stream}`}, 0))`;
    // A statement of its own: under READ COMMITTED it sees what was committed while we waited for the lock.
    const rows = await tx.$queryRaw<{ sequence: bigint }[]>`
      INSERT INTO event (stream, sequence, workspace_id, type, payload)
      SELECT ${stream}, coalesce(max(sequence), 0) + 1, ${workspaceId}::uuid, ${type}, ${JSON.stringify(payload)}::jsonb
      FROM event WHERE stream = ${stream}
      RETURNING sequence`;
    await notify(tx, topicOf(stream));
    return rows[0]!.sequence;
  }

  /**
   * The events of a stream, first those stored, then new ones as they come. Survives lost notifications, reconnects
   * and a database that is gone for a while. Ends when `signal` aborts or the consumer returns, never by itself.
   */
  follow(workspaceId: WorkspaceId, stream: string, options: FollowOptions): AsyncIterableIterator<StoredEvent> {
    const returned = new AbortController();
    const signal = AbortSignal.any([options.signal, returned.signal]);
    const events = this.#follow(workspaceId, stream, options.after ?? 0n, signal);
    return {
      next: () => events.next(),
      // A generator's own `return` would wait for the pending `next`, which may not settle for seconds.
      return: () => {
        returned.abort();
        return events.return(undefined);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Follows a stream up to its last event; completes at once where it has ended and all of it was seen. */
  async *followToEnd<T>(
    workspaceId: WorkspaceId,
    stream: string,
    { ended, read, isLast, ...options }: FollowToEndOptions<T>,
  ): AsyncGenerator<T, void> {
    if (ended && (options.after ?? 0n) >= (await this.last(workspaceId, stream))) return;
    for await (const event of this.follow(workspaceId, stream, options)) {
      const value = await read(event);
      yield value;
      if (isLast(value)) return;
    }
  }

  /** So many stored events behind `lastSequence`, in order. */
  async page(workspaceId: WorkspaceId, stream: string, lastSequence: bigint, limit: number): Promise<StoredEvent[]> {
    return this.#prisma.event.findMany({
      where: { workspaceId, stream, sequence: { gt: lastSequence } },
      orderBy: { sequence: 'asc' },
      take: limit,
      select: STORED,
    });
  }

  /** Number of a stream's last event, 0 for an empty one. */
  async last(workspaceId: WorkspaceId, stream: string): Promise<bigint> {
    const { _max } = await this.#prisma.event.aggregate({ where: { workspaceId, stream }, _max: { sequence: true } });
    return _max.sequence ?? 0n;
  }

  async close(): Promise<void> {
    await this.wakeUps.close();
  }

  async *#follow(
    workspaceId: WorkspaceId,
    stream: string,
    lastSequence: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<StoredEvent, undefined> {
    const bell = this.wakeUps.bell(topicOf(stream));
    try {
      let last = lastSequence;
      while (!signal.aborted) {
        const events = await this.#read(workspaceId, stream, last);
        if (events === 'unavailable') await pause(POLL_DISCONNECTED_MS, signal);
        else if (events.length === 0)
          await bell.wait(this.wakeUps.connected ? POLL_CONNECTED_MS : POLL_DISCONNECTED_MS, signal);
        else
          for (const event of events) {
            if (signal.aborted) return;
            yield event;
            last = event.sequence;
          }
      }
    } finally {
      bell.release();
    }
  }

  async #read(workspaceId: WorkspaceId, stream: string, lastSequence: bigint): Promise<StoredEvent[] | 'unavailable'> {
    try {
      return await this.#prisma.event.findMany({
        where: { workspaceId, stream, sequence: { gt: lastSequence } },
        orderBy: { sequence: 'asc' },
        take: PAGE,
        select: STORED,
      });
    } catch (error) {
      const mapped = mapDatabaseError(error);
      if (isGraftError(mapped, 'DATABASE_UNAVAILABLE')) return 'unavailable';
      throw mapped;
    }
  }

  get #prisma() {
    return this.parts.database.prisma;
  }
}

const STORED = { sequence: true, type: true, payload: true, createdAt: true } as const;

const topicOf = (stream: string): string => `stream:${stream}`;
