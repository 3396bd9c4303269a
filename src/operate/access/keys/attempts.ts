import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../kernel/clock.js';

/** Wrong keys in a row that an address may send, and how many more it may send each second from then on. */
const BURST = 30;
const PER_SECOND = 0.5;
const MOST_ADDRESSES = 10_000;

interface Bucket {
  left: number;
  /** Monotonic ms. */
  at: number;
}

/** The network that an address belongs to: of IPv6, who has one address has the 2^64 around it. */
const networkOf = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
};

/**
 * Counts wrong keys by the address that they come from (a token bucket). It keeps guesses from the database and from the log; that no
 * guess is right is what the key's length is for.
 */
export class Attempts {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST_ADDRESSES });

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** Seconds to wait before another wrong key is looked at; 0 when one may come. */
  wait(address: string): number {
    const { left } = this.#bucket(address);
    return left >= 1 ? 0 : Math.ceil((1 - left) / PER_SECOND);
  }

  failed(address: string): void {
    const bucket = this.#bucket(address);
    bucket.left = Math.max(0, bucket.left - 1);
  }

  #bucket(address: string): Bucket {
    const network = networkOf(address);
    const now = this.clock.monotonic();
    const bucket = this.#buckets.get(network) ?? { left: BURST, at: now };
    bucket.left = Math.min(BURST, bucket.left + ((now - bucket.at) / 1000) * PER_SECOND);
    bucket.at = now;
    this.#buckets.set(network, bucket);
    return bucket;
  }
}
