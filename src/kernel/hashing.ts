import { createHash } from 'node:crypto';
import type { Brand } from './brand.js';

/** 64 lower-case hexadecimal digits. */
export type Sha256 = Brand<string, 'Sha256'>;

export const isSha256 = (value: string): value is Sha256 => /^[0-9a-f]{64}$/.test(value);

export const sha256 = (data: string | Uint8Array): Sha256 => createHash('sha256').update(data).digest('hex') as Sha256;

/** JSON with sorted keys and no `undefined`, so that equal values have equal text (the idea of RFC 8785). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** Digest of a value's meaning: the order of its keys doesn't matter. */
export const digestOf = (value: unknown): Sha256 => sha256(canonicalJson(value));
