import { z } from 'zod';
import { recordType } from '../../../kit/graphql/index.js';
import { record, int, string } from '../../../kernel/record.js';
import type { VersionSource } from './dataset.js';
import {
  problem,
  problemRow,
  validationReport,
  type Problem,
  type ProblemRow,
  type ValidationReport,
} from './validation/index.js';

const place = record('RowPlace', 'Where a row stands in the files that a version came from.', {
  place: int('Place in the version, from 1.'),
  file: string('Name of the file.'),
  row: int('Number of the data row in the file, from 1; a header does not count.'),
});

const { line, key, note } = problemRow.shape;
const namedRow = record('ProblemRow', 'A row that a rule names.', {
  ...place.shape,
  line,
  key,
  note,
  related: place.nullable().describe('The other row that it concerns, e.g. the original of a copy.'),
});
type NamedRow = z.infer<typeof namedRow>;

const shownProblem = record('ValidationProblem', 'All that one rule found.', {
  ...problem.shape,
  rows: z.array(namedRow).describe('The first of its rows, at most 100.'),
});

const shownReport = record('ValidationReport', 'Everything that was found wrong with a version, all at once.', {
  ...validationReport.shape,
  problems: z.array(shownProblem).describe('Errors first, within them those of most rows first.'),
});

export const ValidationReportType = recordType(shownReport);
export type ValidationReportType = InstanceType<typeof ValidationReportType>;

const sourceName = (sources: readonly VersionSource[], file: number): string => sources[file]?.name ?? 'unknown';

const toProblemRow = (row: ProblemRow, sources: readonly VersionSource[]): NamedRow => ({
  place: row.ordinal,
  file: sourceName(sources, row.file),
  row: row.row,
  line: row.line,
  key: row.key,
  note: row.note,
  related: row.related && {
    place: row.related.ordinal,
    file: sourceName(sources, row.related.file),
    row: row.related.row,
  },
});

const toProblem = (problem: Problem, sources: readonly VersionSource[]): z.infer<typeof shownProblem> => ({
  ...problem,
  rows: problem.rows.map((row) => toProblemRow(row, sources)),
});

export const toReport = (report: ValidationReport, sources: readonly VersionSource[]): ValidationReportType => ({
  ...report,
  problems: report.problems.map((problem) => toProblem(problem, sources)),
});
