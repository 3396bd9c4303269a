import { isAllowed, type Role } from '../../../kernel/caller.js';
import { GraftError } from '../../../kernel/errors.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import type { KeyInUse } from './api-key.js';
import type { ApiKeyStore } from './api-key-store.js';

/** How often the keys of open streams are looked at, in ms; one query for all of them. */
const LOOK_MS = 400;

interface Watched {
  needed: Role;
  end: (error: GraftError) => void;
}

/** Why a key, as it is now, may no longer what it began with; null where it may. */
function whyEnded(key: KeyInUse | undefined, requiredRole: Role): GraftError | null {
  const hint = 'Ask for a new one.';
  if (key === undefined || key.revoked) return new GraftError('UNAUTHENTICATED', 'The key was revoked.', { hint });
  if (key.expired) return new GraftError('UNAUTHENTICATED', `The key ${key.prefix} has expired.`, { hint });
  if (isAllowed(key.role, requiredRole)) return null;
  return new GraftError('FORBIDDEN', `This needs role ${requiredRole}; the key ${key.prefix} has ${key.role} now.`);
}

/**
 * Ends what goes on with a key that no longer allows it. Asking is what works whatever gateway changed the key and whether or not a
 * notification got lost; nothing is asked while no stream has a key.
 */
export class KeyWatch {
  readonly #watched = new Map<string, Set<Watched>>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(private readonly parts: { store: ApiKeyStore; log: Logger }) {}

  add(id: string, requiredRole: Role, end: Watched['end']): () => void {
    const watched: Watched = { needed: requiredRole, end };
    const watches = this.#watched.get(id) ?? new Set();
    this.#watched.set(id, watches.add(watched));
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    return () => {
      watches.delete(watched);
      if (watches.size === 0 && this.#watched.get(id) === watches) this.#watched.delete(id);
      if (this.#watched.size === 0) this.close();
    };
  }

  get size(): number {
    return [...this.#watched.values()].reduce((sum, { size }) => sum + size, 0);
  }

  look(): void {
    if (this.#looking || this.#watched.size === 0) return;
    this.#looking = true;
    void this.#look()
      // The database is away: whoever asks it for something hears so; what streams goes on until it can be asked.
      .catch((err: unknown) => this.parts.log.debug({ err }, 'keys of streams not looked at'))
      .finally(() => (this.#looking = false));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const ids = [...this.#watched.keys()];
    const keys = new Map((await this.parts.store.inUseByIds(ids)).map((key) => [key.id as string, key]));
    for (const id of ids)
      for (const watched of [...(this.#watched.get(id) ?? [])]) {
        const error = whyEnded(keys.get(id), watched.needed);
        if (error) watched.end(error);
      }
  }
}
