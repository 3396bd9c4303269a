import { FieldResolver, registerEnumType, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { recordType, inputType, enumType } from '../../../kit/graphql/index.js';
import { badInput } from '../../../kernel/errors.js';
import { record, oneOf, string, boolean } from '../../../kernel/record.js';
import { TextEncoding } from './files/decode.js';
import { DataFormat } from './files/formats.js';
import { DATA_FIELDS, DataField, mappingRecord, OffsetUnit } from './importing/mapping.js';
import type { MappingHints } from './dataset-service.js';

enumType(DataFormat, 'DataFormat', 'How a data file is written.', {
  DELIMITED: 'CSV, TSV and other delimited text.',
  LINES: 'One text a line, e.g. one side of a parallel corpus.',
  JSONL: 'One JSON object a line.',
  JSON: 'One JSON array of objects, at most 64 MiB.',
  SQUAD: 'The JSON form of SQuAD, at most 64 MiB.',
  PARQUET: 'Parquet.',
});
registerEnumType(DataField, {
  name: 'DataField',
  description: 'What a column is used for.',
  valuesConfig: DATA_FIELDS,
});

enumType(TextEncoding, 'TextEncoding', 'How characters are written as bytes.', {
  UTF_8: 'UTF-8.',
  UTF_16LE: 'UTF-16, low byte first.',
  UTF_16BE: 'UTF-16, high byte first.',
  WINDOWS_1252: 'Windows-1252, and Latin-1, which is a part of it.',
});

const columnUse = record('ColumnUse', 'What a column is used for.', {
  field: oneOf(DataField, 'The use.'),
  column: string('Name of the column; without header `column1`, `column2`, …; in nested JSON a path with dots.'),
});

const constantField = record('ConstantField', 'A field that has the same value in every row.', {
  field: oneOf(DataField, 'The field.'),
  value: string('Its value, e.g. `en` for SOURCE_LANGUAGE.'),
});

const valueName = record('ValueNameInput', 'What a value in the file stands for.', {
  value: string('The value in the file, e.g. `0`.'),
  name: string('What it stands for, e.g. `train` or `negative`.'),
});

const ColumnUse = recordType(columnUse);
type ColumnUse = InstanceType<typeof ColumnUse>;
const ConstantField = recordType(constantField);
type ConstantField = InstanceType<typeof ConstantField>;

export const FileMappingType = recordType(mappingRecord);
export type FileMappingType = InstanceType<typeof FileMappingType>;

export const FileMappingInput = inputType(
  'FileMappingInput',
  'How a file is read; what is left out is guessed from the file.',
  {
    format: oneOf(DataFormat, 'How it is written.').nullish(),
    encoding: oneOf(TextEncoding, 'How its characters are written.').nullish(),
    delimiter: string('One character between cells.').nullish(),
    quotes: boolean('Whether `"` opens a cell that may hold delimiters and line ends.').nullish(),
    header: boolean('Whether the first record names the columns.').nullish(),
    columns: z
      .array(record('ColumnUseInput', 'What a column is used for.', columnUse.shape))
      .nullish()
      .describe('What columns are used for: all of them, in place of the guess; at most 100.'),
    constants: z
      .array(record('ConstantFieldInput', 'A field that has the same value in every row.', constantField.shape))
      .nullish()
      .describe('Fields that have the same value in every row; at most 100.'),
    splitValues: z.array(valueName).nullish().describe('What values of the SPLIT column stand for; at most 100.'),
    labelValues: z.array(valueName).max(10_000).nullish().describe('Names for coded labels; at most 10,000.'),
    offsets: oneOf(OffsetUnit, 'What offsets count; code points by default.').nullish(),
  },
);
export type FileMappingInput = InstanceType<typeof FileMappingInput>;

/** @throws BAD_USER_INPUT when the delimiter is not one character, or a field is mapped twice */
export function fromMappingInput(input: FileMappingInput | null | undefined, field: string): MappingHints | null {
  if (!input) return null;
  const { columns, constants, splitValues, labelValues, ...rest } = input;
  if (rest.delimiter != null && rest.delimiter.length !== 1)
    throw badInput(`${field}.delimiter`, 'The delimiter is one character.');
  const twice = columns?.find((use, i) => columns.findIndex((candidate) => candidate.field === use.field) !== i);
  if (twice) throw badInput(`${field}.columns`, `${twice.field} is mapped twice.`);
  return {
    ...rest,
    encoding: rest.encoding ?? null,
    columns: columns ? Object.fromEntries(columns.map((use) => [use.field, use.column])) : null,
    constants: constants ? Object.fromEntries(constants.map((constant) => [constant.field, constant.value])) : null,
    splitValues: splitValues ? Object.fromEntries(splitValues.map(({ value, name }) => [value, name])) : null,
    labelValues: labelValues ? Object.fromEntries(labelValues.map(({ value, name }) => [value, name])) : null,
  };
}

const entriesOf = (columns: Partial<Record<DataField, string>>): [DataField, string][] =>
  Object.entries(columns) as [DataField, string][];

/** What is stored by field is shown as lists. */
@Resolver(() => FileMappingType)
export class FileMappingResolver {
  @FieldResolver(() => [ColumnUse], { description: 'What columns are used for.' })
  columns(@Root() { columns }: FileMappingType): ColumnUse[] {
    return entriesOf(columns).map(([field, column]) => ({ field, column }));
  }

  @FieldResolver(() => [ConstantField], { description: 'Fields that have the same value in every row.' })
  constants(@Root() { constants }: FileMappingType): ConstantField[] {
    return entriesOf(constants).map(([field, value]) => ({ field, value }));
  }
}
