import { beginningOf } from '../../../../kernel/text.js';
import type { TableEngine } from '../storage/duckdb.js';
import { FLAG_COLUMNS } from '../rows/row-table.js';

/** What a rule found on one row. */
export interface Flag {
  ordinal: number;
  rule: string;
  note: string;
  /** Another row that it concerns: the original of a copy, the other half of a contradiction. */
  related: number | null;
}

let tables = 0;

/**
 * Streams rows through a rule and keeps what it flags. They go to a table of their own first: DuckDB can't append to
 * `flags` while a query that joins it is being read.
 */
export async function flagRows<T>(
  engine: TableEngine,
  rows: AsyncIterable<T[]>,
  find: (batch: T[]) => Promise<Flag[]> | Flag[],
): Promise<void> {
  const table = `found_${++tables}`;
  const writer = await engine.createTable(table, FLAG_COLUMNS);
  for await (const batch of rows) for (const flag of await find(batch)) writer.add(flagValues(flag));
  writer.close();
  await engine.run(`INSERT INTO flags SELECT * FROM ${table}`);
  await engine.run(`DROP TABLE ${table}`);
}

/** A note of 400 characters at most. */
export const noteOf = (note: string): string => beginningOf(note.toWellFormed().replaceAll('\0', '\ufffd'), 400);

export const flagValues = ({ ordinal, rule, note, related }: Flag): (string | number | null)[] => [
  ordinal,
  rule,
  noteOf(note),
  related,
];
