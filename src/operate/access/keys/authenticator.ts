import { LRUCache } from 'lru-cache';
import { localCaller, type Caller, type Role } from '../../../kernel/caller.js';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { isJwt, type TokenVerifier } from '../oidc/token-verifier.js';
import { isToken, prefixOf, type KeyInUse } from './api-key.js';
import type { ApiKeyStore } from './api-key-store.js';
import { Attempts } from './attempts.js';
import { KeyWatch } from './key-watch.js';

/** For how long a key is taken as it was read, in ms: what changes elsewhere holds here within that time. */
const FRESH_MS = 500;
const MOST_KEYS = 10_000;
/** `last_used_at` is written no more often, in ms. */
const NOTE_USE_MS = 60_000;

/** What a client sends that has to send some key, where none is needed. */
const NO_KEY = 'none';

interface CachedKey {
  key: KeyInUse;
  caller: Caller;
  /** Monotonic ms. */
  readAt: number;
  notedAt: number;
}

interface AuthenticatorParts {
  store: ApiKeyStore;
  clock: Clock;
  log: Logger;
  /** Whether a caller without a key is let in: on loopback only. */
  keyless: boolean;
  /** Null where no provider's tokens are taken. */
  tokens?: Pick<TokenVerifier, 'verify'> | null;
}

const unauthenticated = (message: string, hint = 'Send `Authorization: Bearer <key>`.'): GraftError =>
  new GraftError('UNAUTHENTICATED', message, { hint });

const expired = (): GraftError => unauthenticated('The token has expired.', 'Sign in again.');

/** Timers hold no more, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `callback` after so many ms. @returns what stops that */
function atTime(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (restMs: number): void => {
    const now = Math.min(restMs, LONGEST_TIMER_MS);
    timer = setTimeout(() => (restMs > now ? wait(restMs - now) : callback()), Math.max(0, now)).unref();
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Says who sends a request, by its `Authorization` header. */
export class Authenticator {
  readonly #known = new LRUCache<string, CachedKey>({ max: MOST_KEYS });
  readonly #reading = new Map<string, Promise<CachedKey | null>>();
  readonly #attempts: Attempts;
  readonly #watch: KeyWatch;
  /** When the token ends that a caller came with, in ms since 1970. */
  readonly #expiries = new WeakMap<Caller, number>();

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
    if (this.parts.tokens && token !== undefined && isJwt(token))
      return this.#byToken(this.parts.tokens, token, address);
    const prefix = token === undefined ? null : prefixOf(token);
    // OpenAI's clients always send something. Any other word is a key that was copied wrongly, whose owner is not to be an administrator.
    if (this.parts.keyless && token === NO_KEY) return localCaller();
    if (token === undefined || prefix === null) throw this.#withoutKey(address);
    const cachedKey = this.#known.get(prefix);
    if (cachedKey && this.#isFresh(cachedKey)) return this.#letIn(token, cachedKey, address);
    // A key that was let in before is looked up again, whatever others at its address send.
    if (!cachedKey) this.#refuseWhenMany(address);
    return this.#read(prefix).then((read) => this.#letIn(token, read, address));
  }

  /** @throws TOO_MANY_ATTEMPTS after many wrong ones */
  #withoutKey(address: string): GraftError {
    this.#refuseWhenMany(address);
    this.#attempts.failed(address);
    return unauthenticated(
      'The Authorization header holds no key of Graft.',
      this.parts.keyless ? `None is needed here: leave the header out, or send the word \`${NO_KEY}\`.` : undefined,
    );
  }

  /**
   * Calls `end` once, within a second after the caller's key was revoked, has expired, or has less than the role that is needed.
   * @returns what stops watching
   */
  watch(caller: Caller, requiredRole: Role, end: (error: GraftError) => void): () => void {
    if (caller.key === null) return () => undefined;
    const expiresAt = this.#expiries.get(caller);
    return expiresAt === undefined
      ? this.#watch.add(caller.key.id, requiredRole, end)
      : atTime(expiresAt - this.parts.clock.now().getTime(), () => end(expired()));
  }

  /** How many sockets and streams would end with their keys. */
  get watched(): number {
    return this.#watch.size;
  }

  /** The next request with this key has it read again, and what it streams is looked at now. */
  forget(prefix: string): void {
    this.#known.delete(prefix);
    this.#reading.delete(prefix);
    this.#watch.look();
  }

  close(): void {
    this.#watch.close();
  }

  async #byToken(tokens: Pick<TokenVerifier, 'verify'>, token: string, address: string): Promise<Caller> {
    try {
      const { caller, expiresAt } = await tokens.verify(token, this.parts.clock.now());
      this.#expiries.set(caller, expiresAt);
      return caller;
    } catch (error) {
      if (isGraftError(error, 'UNAUTHENTICATED')) {
        this.#refuseWhenMany(address);
        this.#attempts.failed(address);
      }
      throw error;
    }
  }

  #isFresh({ readAt }: CachedKey): boolean {
    return this.parts.clock.monotonic() - readAt < FRESH_MS;
  }

  /** Requests that come together share one look at the row. */
  #read(prefix: string): Promise<CachedKey | null> {
    const pendingRead = this.#reading.get(prefix);
    if (pendingRead) return pendingRead;
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
        const cachedKey = {
          key,
          readAt,
          notedAt,
          caller: { workspaceId, role, groups, key: { id, lineId, prefix, name } },
        };
        // What changed while it was read may not be in it: then it holds for those who asked before.
        if (this.#reading.get(prefix) === reading) this.#known.set(prefix, cachedKey);
        return cachedKey;
      })
      .finally(() => {
        if (this.#reading.get(prefix) === reading) this.#reading.delete(prefix);
      });
    this.#reading.set(prefix, reading);
    return reading;
  }

  #letIn(token: string, cachedKey: CachedKey | null, address: string): Caller {
    if (!isToken(token, cachedKey?.key.digest) || cachedKey === null) {
      this.#refuseWhenMany(address);
      this.#attempts.failed(address);
      throw unauthenticated('The key is not known here.', 'Look whether it was copied as a whole.');
    }
    const { key, caller } = cachedKey;
    if (key.revoked) throw unauthenticated(`The key ${key.prefix} was revoked.`, 'Ask for a new one.');
    if (key.expired) throw unauthenticated(`The key ${key.prefix} has expired.`, 'Ask for a new one.');
    this.#noteUse(cachedKey);
    return caller;
  }

  #noteUse(cachedKey: CachedKey): void {
    const now = this.parts.clock.monotonic();
    if (now - cachedKey.notedAt < NOTE_USE_MS) return;
    cachedKey.notedAt = now;
    this.parts.store
      .used(cachedKey.key.id)
      .catch((err: unknown) => this.parts.log.debug({ err }, 'use of a key not noted'));
  }

  #refuseWhenMany(address: string): void {
    const seconds = this.#attempts.wait(address);
    if (seconds === 0) return;
    throw new GraftError('TOO_MANY_ATTEMPTS', 'Too many wrong keys came from your address.', {
      hint: `Wait ${seconds} s.`,
      retryAfterSeconds: seconds,
    });
  }
}
