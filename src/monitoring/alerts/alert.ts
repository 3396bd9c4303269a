import { enumeration } from '../../kernel/enumeration.js';
import type { Prisma } from '../../platform/database/index.js';

export const AlertKind = enumeration('RULE', 'QUESTIONS', 'LABELS');
export type AlertKind = keyof typeof AlertKind;

export const AlertStatus = enumeration('OPEN', 'ACKNOWLEDGED', 'RESOLVED');
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
