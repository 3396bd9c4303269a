import { LRUCache } from 'lru-cache';

/** How long what was read counts as current, in ms. */
const FRESH_MS = 2_000;

/** Remembers for two seconds what every question reads from the database. A change by another gateway is seen after that time. */
export class RecentReads<Value> {
  readonly #reads: LRUCache<string, Promise<Value>>;

  /** @param limit values in memory */
  constructor(limit: number) {
    this.#reads = new LRUCache({ max: limit, ttl: FRESH_MS });
  }

  /** Callers at the same time share one read. A failed read is not remembered. @throws what `read` throws */
  get(key: string, read: () => Promise<Value>): Promise<Value> {
    const entry = this.#reads.get(key);
    if (entry) return entry;
    const value = read();
    value.catch(() => this.#reads.delete(key));
    this.#reads.set(key, value);
    return value;
  }

  forget(key: string): void {
    this.#reads.delete(key);
  }

  clear(): void {
    this.#reads.clear();
  }
}
