import { choice } from '../../kernel/record.js';
import type { Prisma } from '../../platform/database/index.js';

export type ImprovementRow = Prisma.ImprovementGetPayload<object>;

export const ImprovementTrigger = choice('ImprovementTrigger', 'What began an improvement.', {
  MANUAL: 'A person did.',
  NEW_ROWS: 'Enough answers had feedback that teaches something.',
  ALERT: 'An alert about the adapter opened.',
  CALENDAR: 'The policy’s days had passed.',
});
export type ImprovementTrigger = keyof typeof ImprovementTrigger;

export const ImprovementOutcome = choice('ImprovementOutcome', 'How an improvement ended.', {
  PROPOSED: 'Its proposal waits for a person, or was decided by one.',
  PROMOTED: 'The policy approved it: it answers as production.',
  REFUSED: 'The gate, or pairs that people judged, refused the new version; `message` says why.',
  ROLLED_BACK: 'Its rollout went back by itself, or a person ended it.',
  NOTHING_NEW: 'What people said taught too little that was new.',
  FAILED: 'A step failed; `message` says which and why.',
  CANCELLED: 'Somebody cancelled it.',
});
export type ImprovementOutcome = keyof typeof ImprovementOutcome;

export const ImprovementStage = choice('ImprovementStage', 'Where an improvement is.', {
  CURATING: 'What people said becomes a dataset version.',
  TRAINING: 'A new version is trained, or waits for the day’s budget.',
  PROVING: 'The new version is attested, and evaluated beside production.',
  GATE: 'It stands at the gate, or answers unseen beside production.',
  ROLLING_OUT: 'It is given to ever more users beside controls.',
  PROPOSING: 'Its proposal is made, and waits for a decision.',
  ENDED: 'It has an outcome.',
});
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
export const keyOf = (improvementId: string, purpose: string): string => `improvement ${improvementId}: ${purpose}`;
