import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIX = 'whsec_';

/** 32 random bytes, as the Standard Webhooks specification writes secrets. */
export const newSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64')}`;

interface Signed {
  id: string;
  /** Seconds since 1970. */
  timestamp: number;
  body: string;
}

/** `v1,` and HMAC-SHA256 of `id.timestamp.body` in base64 (Standard Webhooks specification, "Signature scheme"). */
export const signatureOf = (secret: string, { id, timestamp, body }: Signed): string => {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
};

/** Whether a receiver should believe it: signed with the secret, and no more than `toleranceSeconds` old or ahead. */
export function isGenuine(
  secret: string,
  signed: Signed,
  signature: string,
  nowMs: number,
  toleranceSeconds = 300,
): boolean {
  const expected = Buffer.from(signatureOf(secret, signed));
  const told = Buffer.from(signature);
  if (Math.abs(nowMs / 1000 - signed.timestamp) > toleranceSeconds) return false;
  return told.length === expected.length && timingSafeEqual(told, expected);
}
