import { enumeration } from '../kernel/enumeration.js';
import type { Prisma } from '../platform/database/index.js';

export type ImprovementRow = Prisma.ImprovementGetPayload<object>;

/** What began it. */
export const ImprovementTrigger = enumeration('MANUAL', 'NEW_ROWS', 'ALERT', 'CALENDAR');
export type ImprovementTrigger = keyof typeof ImprovementTrigger;

/** How it ended. */
export const ImprovementOutcome = enumeration(
  'PROPOSED',
  'PROMOTED',
  'REFUSED',
  'ROLLED_BACK',
  'NOTHING_NEW',
  'FAILED',
  'CANCELLED',
);
export type ImprovementOutcome = keyof typeof ImprovementOutcome;

/** Where an improvement is: a name for what it does or waits for. */
export const ImprovementStage = enumeration(
  'CURATING',
  'TRAINING',
  'PROVING',
  'GATE',
  'ROLLING_OUT',
  'PROPOSING',
  'ENDED',
);
export type ImprovementStage = keyof typeof ImprovementStage;

/** Told from the edges that are there. */
export function stageOf(row: ImprovementRow): ImprovementStage {
  if (row.outcome !== null) return 'ENDED';
  if (row.proposalId !== null) return 'PROPOSING';
  if (row.rolloutId !== null) return 'ROLLING_OUT';
  if (row.adapterVersionId !== null) return 'GATE';
  if (row.evaluationRunIds.length > 0) return 'PROVING';
  return row.datasetVersionId === null ? 'CURATING' : 'TRAINING';
}

/** Key of a run that an improvement starts: the same after a crash, so that nothing is begun twice. */
export const keyOf = (improvementId: string, what: string): string => `improvement ${improvementId}: ${what}`;
