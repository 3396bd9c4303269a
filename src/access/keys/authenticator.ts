import { LRUCache } from 'lru-cache';
import { localCaller, type Caller, type Role } from '../../kernel/caller.js';
import type { Clock } from '../../kernel/clock.js';
import { GraftError } from '../../kernel/errors.js';
import type { Logger } from '../../platform/telemetry/index.js';
import { isToken, prefixOf, type KeyInUse } from './api-key.js';
import type { ApiKeyStore } from './api-key-store.js';
import { Attempts } from './attempts.js';
import { KeyWatch } from './key-watch.js';

/** For how long a key is taken as it was read, in ms: what changes elsewhere holds here within that time. */
const FRESH_MS = 500;
const MOST_KEYS = 10_000;
/** `last_used_at` is written no more often, in ms. */
const NOTE_USE_MS = 60_000;

interface Known {
  key: KeyInUse;
  caller: Caller;
  /** Monotonic ms. */
  readAt: number;
  notedAt: number;
}

export interface AuthenticatorParts {
  store: ApiKeyStore;
  clock: Clock;
  log: Logger;
  /** Whether a caller without a key is let in: on loopback only. */
  keyless: boolean;
}

const unauthenticated = (message: string, hint = 'Send `Authorization: Bearer <key>`.'): GraftError =>
  new GraftError('UNAUTHENTICATED', message, { hint });

/** Says who sends a request, by its `Authorization` header. */
export class Authenticator {
  readonly #known = new LRUCache<string, Known>({ max: MOST_KEYS });
  readonly #reading = new Map<string, Promise<Known | null>>();
  readonly #attempts: Attempts;
  readonly #watch: KeyWatch;

  constructor(private readonly parts: AuthenticatorParts) {
    this.#attempts = new Attempts(parts.clock);
    this.#watch = new KeyWatch(parts);
  }

  /** Whether every caller needs a key. */
  get required(): boolean {
    return !this.parts.keyless;
  }

  /**
   * At once where the key was read within half a second, else after the database has said.
   * @param address where the request comes from
   * @throws UNAUTHENTICATED without a key, or with one that is wrong, expired or revoked; TOO_MANY_ATTEMPTS after many wrong ones
   */
  authenticate(authorization: string | undefined, address: string): Caller | Promise<Caller> {
    if (authorization === undefined) {
      if (this.parts.keyless) return localCaller();
      throw unauthenticated('This gateway asks for a key.');
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    const prefix = token === undefined ? null : prefixOf(token);
    // OpenAI's clients always send some key: where nobody needs one, a word that is none of ours says nothing.
    if (this.parts.keyless && token !== undefined && prefix === null) return localCaller();
    if (token === undefined || prefix === null) {
      this.#refuseWhenMany(address);
      this.#attempts.failed(address);
      throw unauthenticated('The Authorization header holds no key of Graft.');
    }
    const known = this.#known.get(prefix);
    if (known && this.#isFresh(known)) return this.#letIn(token, known, address);
    // A key that was let in before is looked up again, whatever others at its address send.
    if (!known) this.#refuseWhenMany(address);
    return this.#read(prefix).then((read) => this.#letIn(token, read, address));
  }

  /**
   * Calls `end` once, within a second after the caller's key was revoked, has expired, or has less than the role that is needed.
   * @returns what stops watching
   */
  watch(caller: Caller, needed: Role, end: (error: GraftError) => void): () => void {
    return caller.key === null ? () => undefined : this.#watch.add(caller.key.id, needed, end);
  }

  /** How many sockets and streams would end with their keys. */
  get watched(): number {
    return this.#watch.size;
  }

  /** The next request with this key has it read again, and what it streams is looked at now. */
  forget(prefix: string): void {
    this.#known.delete(prefix);
    this.#watch.look();
  }

  close(): void {
    this.#watch.close();
  }

  #isFresh({ readAt }: Known): boolean {
    return this.parts.clock.monotonic() - readAt < FRESH_MS;
  }

  /** Requests that come together share one look at the row. */
  #read(prefix: string): Promise<Known | null> {
    const under = this.#reading.get(prefix);
    if (under) return under;
    const { store, clock } = this.parts;
    const readAt = clock.monotonic();
    const reading = store
      .inUseByPrefix(prefix)
      .then((key) => {
        if (key === null) {
          this.#known.delete(prefix);
          return null;
        }
        const { id, lineId, workspaceId, role, name } = key;
        // An administrator could join any group.
        const groups = role === 'ADMIN' ? null : key.groups;
        const notedAt = this.#known.get(prefix)?.notedAt ?? -Infinity;
        const known = {
          key,
          readAt,
          notedAt,
          caller: { workspaceId, role, groups, key: { id, lineId, prefix, name } },
        };
        this.#known.set(prefix, known);
        return known;
      })
      .finally(() => this.#reading.delete(prefix));
    this.#reading.set(prefix, reading);
    return reading;
  }

  #letIn(token: string, known: Known | null, address: string): Caller {
    if (!isToken(token, known?.key.digest) || known === null) {
      this.#refuseWhenMany(address);
      this.#attempts.failed(address);
      throw unauthenticated('The key is not known here.', 'Look whether it was copied as a whole.');
    }
    const { key, caller } = known;
    if (key.revoked) throw unauthenticated(`The key ${key.prefix} was revoked.`, 'Ask for a new one.');
    if (key.expired) throw unauthenticated(`The key ${key.prefix} has expired.`, 'Ask for a new one.');
    this.#noteUse(known);
    return caller;
  }

  #noteUse(known: Known): void {
    const now = this.parts.clock.monotonic();
    if (now - known.notedAt < NOTE_USE_MS) return;
    known.notedAt = now;
    this.parts.store
      .used(known.key.id)
      .catch((err: unknown) => this.parts.log.debug({ err }, 'use of a key not noted'));
  }

  #refuseWhenMany(address: string): void {
    const seconds = this.#attempts.wait(address);
    if (seconds === 0) return;
    throw new GraftError('TOO_MANY_ATTEMPTS', 'Too many wrong keys came from your address.', {
      hint: `Wait ${seconds} s.`,
      retryAfterSeconds: Math.ceil(seconds),
    });
  }
}
