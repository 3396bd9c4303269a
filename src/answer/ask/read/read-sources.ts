import type { Neighbour } from '../../../sources/data/index.js';
import type { SearchScope } from '../../../sources/knowledge/index.js';
import type { Work } from '../parts.js';
import type { PlannedQuestion } from '../planned-question.js';
import type { LabelledRows } from './labelled-rows.js';
import { retrievePassages, weighedFor, type RetrievalResult } from './retrieve.js';

/** The answer comes from the question alone. */
export interface Nothing {
  kind: 'NOTHING';
}

/** It comes from the labelled rows nearest to the question, nearest first. */
export interface Rows {
  kind: 'ROWS';
  rows: LabelledRows;
  neighbours: Neighbour[];
}

/** It comes from passages, which are yet to be judged. */
export interface Passages {
  kind: 'PASSAGES';
  scope: SearchScope;
  result: RetrievalResult;
}

export type Source = Nothing | Rows | Passages;

const NOTHING: Nothing = { kind: 'NOTHING' };

/** For strategies that answer from the question alone. */
export const readNothing = (): Promise<Source> => Promise.resolve(NOTHING);

/** The labelled rows, or the passages, that the plan reads. @throws what retrieval and the worker throw */
export async function readSources(work: Work, { plan, question, vector, passages }: PlannedQuestion): Promise<Source> {
  const { workspaceId, labelIndexes, signal } = work;
  const { labelled: rows, scope } = plan;
  if (rows !== null)
    return {
      kind: 'ROWS',
      rows,
      neighbours: await labelIndexes.nearest(workspaceId, rows.index.id, (await vector()).vector),
    };
  if (scope === null) return NOTHING;
  const result = passages ?? (await retrievePassages(work, scope, { text: question.text, vector: vector() }, signal));
  return { kind: 'PASSAGES', scope, result: weighedFor(question.latest, result) };
}
