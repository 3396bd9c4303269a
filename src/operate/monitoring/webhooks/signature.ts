import { createHmac, randomBytes } from 'node:crypto';

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
