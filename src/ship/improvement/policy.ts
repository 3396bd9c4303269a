import { z } from 'zod';
import { RolloutTemplate } from '../delivery/index.js';
import { badInput } from '../../kernel/errors.js';
import { record, choice, int, boolean, float, oneOf, string, date } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import type { Prisma } from '../../platform/database/index.js';
import { DAY_MS } from '../../kernel/duration.js';

export type PolicyRow = Prisma.RetrainingPolicyGetPayload<object>;

export const TrainFrom = choice('TrainFrom', 'What a new version begins at.', {
  PRODUCTION: 'At the weights of the version in production.',
  BASE: 'At the base model.',
  BOTH: 'Both are tried, where the day’s budget has room; the better one goes on.',
});
export type TrainFrom = keyof typeof TrainFrom;

const fields = {
  /** The dataset that grows; null: the one that production was trained on. */
  datasetId: z.uuid().nullable(),
  newRows: int(
    'Answers with feedback that teaches something, since the last improvement, that begin one; null: rows alone begin none.',
  )
    .min(1)
    .max(1_000_000)
    .nullable(),
  onAlert: boolean(
    'Whether an open alert about the adapter begins one: of a rule that names it, or of drift once an improvement that began under one went to production.',
  ),
  everyDays: float('Days after which one begins; null: the calendar begins none.').min(1).max(365).nullable(),
  leastRows: int('Fewer new rows begin none, whatever else says so.').min(1).max(1_000_000),
  trainFrom: oneOf(TrainFrom, 'What a new version begins at.'),
  trainingHoursADay: float('Hours of training in 24 hours; beyond, it waits.').positive().max(24),
  mostRefused: int('Candidates in a row that the gate refuses before the policy pauses itself.').min(1).max(100),
  rollout: oneOf(
    RolloutTemplate,
    'Plan of the rollout, before which the version answers unseen unless it is `QUICK`; null: what passes the gate is proposed at once.',
  ).nullable(),
  autoApprove: boolean(
    'Whether a proposal is approved without a person, of a rollout once it could have seen a loss of 10 points.',
  ),
};

/** When a policy begins, and how far it goes by itself. */
const settings = z.object(fields);
export type PolicySettings = z.infer<typeof settings>;

/** A policy with who set it. */
export const shownPolicy = record(
  'RetrainingPolicy',
  'When an adapter is trained anew from feedback, and how far that goes by itself.',
  {
    ...fields,
    pausedReason: string('Why it begins nothing by itself; null while it does.').nullable(),
    setBy: string('Who set it.'),
    updatedAt: date('When it was set.'),
    row: z.custom<PolicyRow>(),
  },
);

/** The columns `settings`. */
export const storedSettings = storedJson(settings);

export const DEFAULT_SETTINGS: PolicySettings = {
  datasetId: null,
  newRows: 200,
  onAlert: true,
  everyDays: null,
  leastRows: 20,
  trainFrom: TrainFrom.PRODUCTION,
  trainingHoursADay: 4,
  mostRefused: 3,
  rollout: RolloutTemplate.STANDARD,
  autoApprove: false,
};

/** Null is what was left out: a default where there is one, else off. */
export type PolicyRequest = { [Field in keyof PolicySettings]?: PolicySettings[Field] | null };

/** Fields that null switches off. */
const NULLABLE: readonly (keyof PolicySettings)[] = ['datasetId', 'newRows', 'everyDays', 'rollout'];

/** @throws BAD_USER_INPUT that names the field */
export function checkedSettings(
  request: PolicyRequest,
  currentSettings: PolicySettings = DEFAULT_SETTINGS,
): PolicySettings {
  const changes = Object.entries(request).filter(
    ([name, value]) => value !== undefined && (value !== null || NULLABLE.includes(name as keyof PolicySettings)),
  );
  const parsed = settings.safeParse({ ...currentSettings, ...Object.fromEntries(changes) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = `input.${String(issue?.path[0] ?? '')}`;
  throw badInput(field, `${field}: ${issue?.message ?? 'is not valid'}.`);
}

/** What a policy decides from. */
export interface Situation {
  now: Date;
  /** When the last improvement of the adapter began; null: none ever did. */
  last: Date | null;
  /** When the policy was set: the calendar counts from there where nothing came before. */
  since: Date;
  freshRows: number;
  /** Open alerts about the adapter that began after the last improvement, and which of them may begin one. */
  alerts: readonly { sentence: string; trusted: boolean }[];
}

type Trigger = 'NEW_ROWS' | 'ALERT' | 'CALENDAR';

/**
 * Whether something begins now, and why. Too few new rows begin nothing, whatever else says so: a training on what is there already gives
 * what is there already.
 */
export function begins(policy: PolicySettings, situation: Situation): { trigger: Trigger; reason: string } | null {
  const { freshRows, alerts, now, last, since } = situation;
  if (freshRows < policy.leastRows) return null;
  const alert = alerts.find(({ trusted }) => trusted);
  if (policy.onAlert && alert) return { trigger: 'ALERT', reason: alert.sentence };
  if (policy.newRows !== null && freshRows >= policy.newRows)
    return { trigger: 'NEW_ROWS', reason: `${freshRows} answers have feedback that teaches something.` };
  const waited = now.getTime() - (last ?? since).getTime();
  if (policy.everyDays !== null && waited >= policy.everyDays * DAY_MS)
    return { trigger: 'CALENDAR', reason: `${policy.everyDays} days have passed.` };
  return null;
}

/** What drift proposes to a person: an alert that would begin an improvement, were it known to be right. Null where there is none. */
export function proposes(
  policy: PolicySettings,
  { freshRows, alerts }: Pick<Situation, 'freshRows' | 'alerts'>,
): string | null {
  if (!policy.onAlert || freshRows < policy.leastRows || alerts.some(({ trusted }) => trusted)) return null;
  return alerts[0]?.sentence ?? null;
}
