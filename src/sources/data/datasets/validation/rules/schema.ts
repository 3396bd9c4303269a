import { Severity, type ValidationRule } from '../rule.js';

/** Faults of records that never became rows: found by the readers and the row builder, told here. */
export const SCHEMA_RULES: readonly ValidationRule[] = [
  {
    id: 'ragged-row',
    severity: Severity.ERROR,
    meaning: 'The record has more or fewer cells than the header.',
    cure: 'Quote cells that hold a delimiter or a line end.',
  },
  {
    id: 'malformed-record',
    severity: Severity.ERROR,
    meaning: 'The record is not well-formed: a quotation mark or a brace is missing.',
    cure: 'Write the file again with a CSV or JSON writer.',
  },
  {
    id: 'missing-value',
    severity: Severity.ERROR,
    meaning: 'A field that the task needs has no value.',
    cure: 'Fill it in or remove the row.',
  },
  {
    id: 'wrong-type',
    severity: Severity.ERROR,
    meaning: 'A field has a value of another kind than the task needs.',
    cure: 'Compare it with the row schema of the task.',
  },
  {
    id: 'unknown-split',
    severity: Severity.ERROR,
    meaning: 'The split column has a value that names no split.',
    cure: 'Map it with `splitValues`.',
  },
  {
    id: 'bad-time',
    severity: Severity.ERROR,
    meaning: 'The event time is not a date and time.',
    cure: 'Write ISO 8601, e.g. 2026-01-05T10:06:16Z.',
  },
];

export const DUPLICATE_ID: ValidationRule = {
  id: 'duplicate-id',
  severity: Severity.ERROR,
  meaning: 'Another row before it has the same id; ids may begin anew only in splits that are given.',
  cure: 'Give each row an id of its own, or each file its split; the first one was kept.',
};
