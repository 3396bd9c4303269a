import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Problem, ProblemRow, ValidationReport } from './validation/index.js';
import { Severity } from './validation/index.js';
import type { VersionSource } from './dataset.js';

registerEnumType(Severity, {
  name: 'ProblemSeverity',
  description: 'How bad a problem is.',
  valuesConfig: {
    ERROR: { description: 'Its rows are kept out of training (quarantined).' },
    WARNING: { description: 'Its rows stay; look at them.' },
    INFO: { description: 'Worth knowing.' },
  },
});

@ObjectType({ description: 'Where a row stands in the files that a version came from.' })
export class RowPlace {
  @Field(() => Int, { description: 'Place in the version, from 1.' })
  place!: number;

  @Field(() => String, { description: 'Name of the file.' })
  file!: string;

  @Field(() => Int, { description: 'Number of the data row in the file, from 1; a header does not count.' })
  row!: number;
}

@ObjectType('ProblemRow', { description: 'A row that a rule names.' })
export class ProblemRowType extends RowPlace {
  @Field(() => Int, {
    nullable: true,
    description: 'Line of the file on which the row begins; null in JSON and Parquet.',
  })
  line!: number | null;

  @Field(() => String, { description: 'Key of the row: its id, or one made from its input.' })
  key!: string;

  @Field(() => String, { description: 'What is wrong with this row; personal data is masked.' })
  note!: string;

  @Field(() => RowPlace, {
    nullable: true,
    description: 'The other row that it concerns, e.g. the original of a copy.',
  })
  related!: RowPlace | null;
}

@ObjectType({ description: 'Something that a rule found on the version as a whole.' })
export class VersionFindingType {
  @Field(() => String, { description: 'What was found.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Field or label that it is about.' })
  subject!: string | null;

  @Field(() => Float, { nullable: true, description: 'The figure behind it, e.g. a ratio or a stability index.' })
  value!: number | null;
}

@ObjectType('ValidationProblem', { description: 'All that one rule found.' })
export class ValidationProblem {
  @Field(() => String, {
    description: 'Id of the rule, e.g. `near-duplicate`; `rows(filter: {problem: …})` lists its rows.',
  })
  rule!: string;

  @Field(() => Severity, { description: 'How bad it is.' })
  severity!: Severity;

  @Field(() => String, { description: 'What is wrong, in a sentence.' })
  meaning!: string;

  @Field(() => String, { description: 'What you can do.' })
  cure!: string;

  @Field(() => Int, { description: 'Number of rows that it names; 0 when it concerns the version as a whole.' })
  count!: number;

  @Field(() => Int, { description: 'How many of them it keeps out of training.' })
  quarantined!: number;

  @Field(() => [ProblemRowType], { description: 'The first of its rows, at most 100.' })
  rows!: ProblemRowType[];

  @Field(() => String, {
    nullable: true,
    description: 'Beginning of the text of the first row; personal data is masked.',
  })
  example!: string | null;

  @Field(() => [VersionFindingType], { description: 'What it found on the version as a whole.' })
  findings!: VersionFindingType[];
}

@ObjectType('ValidationReport', { description: 'Everything that was found wrong with a version, all at once.' })
export class ValidationReportType {
  @Field(() => Int, { description: 'Number of rows that were looked at.' })
  rows!: number;

  @Field(() => Int, { description: 'Number of rows without an error.' })
  usableRows!: number;

  @Field(() => Int, {
    description: 'Number of rows that are kept out of training; list them with `rows(filter: {quarantined: true})`.',
  })
  quarantinedRows!: number;

  @Field(() => Int, {
    description: 'Errors of the version as a whole, which no quarantine cures: it must not be trained on then.',
  })
  openErrors!: number;

  @Field(() => [ValidationProblem], { description: 'Errors first, within them those of most rows first.' })
  problems!: ValidationProblem[];
}

const sourceName = (sources: readonly VersionSource[], file: number): string => sources[file]?.name ?? 'unknown';

const toProblemRow = (row: ProblemRow, sources: readonly VersionSource[]): ProblemRowType => ({
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

const toProblem = (problem: Problem, sources: readonly VersionSource[]): ValidationProblem => ({
  ...problem,
  rows: problem.rows.map((row) => toProblemRow(row, sources)),
});

export const toReport = (report: ValidationReport, sources: readonly VersionSource[]): ValidationReportType => ({
  ...report,
  problems: report.problems.map((problem) => toProblem(problem, sources)),
});
