import { enumeration } from '../../../kernel/enumeration.js';
import { choice } from '../../../kernel/record.js';
import type { Prisma } from '../../../platform/database/index.js';

export const AlertKind = choice('AlertKind', 'What raises an alert.', {
  RULE: 'A rule: see `alertRules`.',
  QUESTIONS: 'Questions are about other things than before, or than an adapter was trained on.',
  LABELS: 'The labels that are predicted are others than before.',
  SOURCE: 'A source of a collection was not synced for two of its intervals.',
});
export type AlertKind = keyof typeof AlertKind;

export const AlertStatus = choice('AlertStatus', 'How far an alert is.', {
  OPEN: 'Nobody has looked at it.',
  ACKNOWLEDGED: 'Somebody knows of it; its cause is there.',
  RESOLVED: 'Its cause was gone for its quiet time, or somebody resolved it.',
});
export type AlertStatus = keyof typeof AlertStatus;

export type AlertRecord = Omit<Prisma.AlertGetPayload<object>, 'kind' | 'status'> & {
  kind: AlertKind;
  status: AlertStatus;
};

/** Something that is otherwise than it should be. */
export interface NewAlert {
  workspaceId: string;
  kind: AlertKind;
  /** Which of its kind: while an alert of a source is not resolved, it is raised again instead of another one. */
  source: string;
  ruleId: string | null;
  /** What is the matter, without a word of users. */
  sentence: string;
  evidence: number;
  observations: number;
  quietMinutes: number;
}

/** What becomes of alerts, as their stream tells it. */
export const AlertChange = enumeration('RAISED', 'ACKNOWLEDGED', 'RESOLVED');
export type AlertChange = keyof typeof AlertChange;

export const alertStream = (workspaceId: string): string => `alerts:${workspaceId}`;

/** Who resolves alerts whose cause is gone. */
export const BY_ITSELF = 'graft';
