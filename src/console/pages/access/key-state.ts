import type { ApiKeyFieldsFragment } from '../../generated/operations';
import { dateTime } from '../../parts/format';

export type Key = ApiKeyFieldsFragment;
export type KeyState = 'active' | 'expired' | 'revoked';

export function stateOf({ revokedAt, expiresAt }: Key, now = Date.now()): KeyState {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

/** When it was made, used and ends, in one line. */
export const timesOf = ({ createdBy, createdAt, lastUsedAt, expiresAt, revokedAt }: Key): string =>
  [
    `made ${dateTime(createdAt)} by ${createdBy}`,
    lastUsedAt === null ? 'never used' : `last used ${dateTime(lastUsedAt)}`,
    ...(revokedAt === null ? [] : [`revoked ${dateTime(revokedAt)}`]),
    ...(expiresAt === null || revokedAt !== null
      ? []
      : [`${Date.parse(expiresAt) <= Date.now() ? 'expired' : 'expires'} ${dateTime(expiresAt)}`]),
  ].join(' · ');
