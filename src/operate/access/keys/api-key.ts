import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../../../kernel/caller.js';
import { badInput } from '../../../kernel/errors.js';
import { sha256, type Sha256 } from '../../../kernel/hashing.js';
import type { Uuid, WorkspaceId } from '../../../kernel/ids.js';
import { UNSEEN } from '../../../kernel/text.js';

/** A key as it is stored. */
export interface ApiKeyRow {
  id: Uuid;
  workspaceId: WorkspaceId;
  lineId: Uuid;
  name: string;
  prefix: string;
  role: Role;
  groups: string[];
  createdBy: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** What is looked at to let a caller in; `expired` by the database's clock, which all gateways share. */
export interface KeyInUse {
  id: Uuid;
  workspaceId: WorkspaceId;
  lineId: Uuid;
  name: string;
  prefix: string;
  digest: string;
  role: Role;
  groups: string[];
  revoked: boolean;
  expired: boolean;
}

const PREFIX_CHARACTERS = 10;
const SECRET_BYTES = 32;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

const TOKEN = /^graft_([0-9a-z]{10})_[A-Za-z0-9_-]{43}$/;

/**
 * A new key, `graft_<prefix>_<secret>`: ten characters that may be shown and 256 random bits that may not. A secret of that
 * many bits can't be guessed however fast a guess is tried, so what is stored is its SHA-256: bcrypt and its kind slow down guesses
 * at passwords that people choose, and would here only cost every request milliseconds.
 */
export function newToken(): { token: string; prefix: string; digest: Sha256 } {
  const letters = Array.from(randomBytes(PREFIX_CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  const prefix = `graft_${letters}`;
  const token = `${prefix}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { token, prefix, digest: sha256(token) };
}

/** The prefix of what looks like a key; null for anything else. */
export function prefixOf(token: string): string | null {
  const letters = TOKEN.exec(token)?.[1];
  return letters === undefined ? null : `graft_${letters}`;
}

/** Compared to for a prefix that nobody has, so that this takes as long. */
const NOBODYS: Sha256 = sha256('');

/** Whether a token is the key with this digest, in a time that does not depend on where they differ. */
export const isToken = (token: string, digest: string | undefined): boolean => {
  const isMatch = timingSafeEqual(Buffer.from(sha256(token), 'hex'), Buffer.from(digest ?? NOBODYS, 'hex'));
  return isMatch && digest !== undefined;
};

const LONGEST_NAME = 100;

/** Equal names in different Unicode forms are one. @throws BAD_USER_INPUT */
export function checkedName(name: string, field: string): string {
  const trimmed = name.normalize('NFC').trim();
  if (trimmed === '' || trimmed.length > LONGEST_NAME || UNSEEN.test(trimmed))
    throw badInput(field, `${field} must have 1 to ${LONGEST_NAME} characters, all of which can be seen.`);
  return trimmed;
}

/** @throws BAD_USER_INPUT for a time that has passed */
export function checkedExpiry(expiresAt: Date | null | undefined, now: Date): Date | null {
  if (!expiresAt) return null;
  if (expiresAt.getTime() <= now.getTime())
    throw badInput('input.expiresAt', 'input.expiresAt has passed already.', 'Leave it out for a key without end.');
  return expiresAt;
}

/** Seconds for which the old key still works after a rotation. */
export const DEFAULT_OVERLAP_SECONDS = 86_400;
export const MOST_OVERLAP_SECONDS = 30 * 86_400;

/** @throws BAD_USER_INPUT */
export function checkedOverlap(value: number | null | undefined): number {
  const seconds = value ?? DEFAULT_OVERLAP_SECONDS;
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MOST_OVERLAP_SECONDS)
    throw badInput('input.overlapSeconds', `input.overlapSeconds must be between 0 and ${MOST_OVERLAP_SECONDS}.`);
  return seconds;
}
