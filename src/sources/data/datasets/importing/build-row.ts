import { taskOf, type TaskKind, type TaskRow } from '../tasks/index.js';
import { RowFault } from '../tasks/values.js';
import type { DataField, FileMapping } from './mapping.js';
import type { RecordFault } from '../files/records.js';

/** Something about one row that a rule reports: the rule's id and a note. */
export interface RowNote {
  rule: string;
  note: string;
}

interface BuiltRow {
  row: TaskRow;
  /** What was noticed while the row was built, e.g. an entity whose place is ambiguous. */
  notes: RowNote[];
}

/** One record's values as a row of the task, or what is wrong with them. */
export function buildRow(
  task: TaskKind,
  values: Partial<Record<DataField, unknown>>,
  mapping: FileMapping,
): BuiltRow | { fault: RecordFault } {
  const notes: RowNote[] = [];
  try {
    const content = taskOf(task).build(values, mapping, (rule, note) => notes.push({ rule, note }));
    return { row: { task, ...content } as TaskRow, notes };
  } catch (error) {
    if (error instanceof RowFault) return { fault: error.fault };
    throw error;
  }
}
