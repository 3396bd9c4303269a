import { z } from 'zod';
import { choice } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';
import { AlertKind, AlertStatus } from '../alerts/alert.js';

/** Tries of a delivery: the last is a day and a half after the first. */
export const MOST_ATTEMPTS = 14;

export const DeliveryStatus = choice('DeliveryStatus', 'How far a delivery is.', {
  WAITING: 'Waits for its first or next try.',
  DELIVERED: 'The receiver answered 2xx.',
  GIVEN_UP: `${MOST_ATTEMPTS} tries failed.`,
});
export type DeliveryStatus = keyof typeof DeliveryStatus;

/** What is sent: it names the alert and says what is the matter, without a word of users. */
const payload = z.object({
  type: z.enum(['alert.raised', 'alert.resolved']),
  timestamp: z.string(),
  data: z.object({
    id: z.string(),
    kind: z.enum(AlertKind),
    source: z.string(),
    status: z.enum(AlertStatus),
    sentence: z.string(),
    evidence: z.number(),
    observations: z.number(),
    raisedAt: z.string(),
  }),
});
export type Payload = z.infer<typeof payload>;
export const storedPayload = storedJson(payload);

/** Never with its secret, which only the one who signs reads. */
export type WebhookRecord = Omit<Prisma.WebhookGetPayload<object>, 'secret'>;

export type DeliveryRecord = Omit<Prisma.WebhookDeliveryGetPayload<object>, 'payload' | 'status'> & {
  payload: Payload;
  status: DeliveryStatus;
};

const FIRST_WAIT_S = 10;
const LONGEST_WAIT_S = 6 * 3_600;

/** Seconds until the next try: twice as long each time, a fifth of it by chance, so that what came together doesn't come back together. */
export const waitAfter = (attempts: number, random: number): number =>
  Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempts - 1)) * (0.9 + 0.2 * random);
