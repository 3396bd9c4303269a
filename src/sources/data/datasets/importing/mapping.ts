import { z } from 'zod';
import { enumeration } from '../../../../kernel/enumeration.js';
import { badInput } from '../../../../kernel/errors.js';
import { record, oneOf, string, boolean } from '../../../../kernel/record.js';
import { COMMON_FIELDS, type FieldDefinition } from '../files/fields.js';
import { TASK_KINDS, taskOf, type TaskKind, type TASKS } from '../tasks/index.js';
import { TextEncoding } from '../files/decode.js';
import { OffsetUnit, type MappingOnto } from '../files/file-mapping.js';
import { DataFormat } from '../files/formats.js';

export { OffsetUnit } from '../files/file-mapping.js';

/** What a column may be used for: what rows of every kind have, then what each kind of task adds. */
export const DATA_FIELDS = Object.fromEntries(
  [COMMON_FIELDS, ...TASK_KINDS.map((kind) => taskOf(kind).fields)].flatMap((fields) => Object.entries(fields)),
) as Readonly<Record<DataField, FieldDefinition>>;
export type DataField =
  keyof typeof COMMON_FIELDS | { [Kind in TaskKind]: keyof (typeof TASKS)[Kind]['fields'] }[TaskKind];
export const DataField = enumeration(...(Object.keys(DATA_FIELDS) as DataField[]));

/** A mapping onto the fields that there are. */
export type FileMapping = MappingOnto<DataField>;

export const mappingRecord = record('FileMapping', 'How a file is read and what its columns mean.', {
  format: oneOf(DataFormat, 'How it is written.'),
  encoding: oneOf(TextEncoding, 'How its characters are written.'),
  delimiter: string('Character between cells; null where there are none.').nullable(),
  quotes: boolean('Whether `"` opens a cell that may hold delimiters and line ends.'),
  header: boolean('Whether the first record names the columns.'),
  columns: z.partialRecord(z.enum(DataField), z.string()),
  constants: z.partialRecord(z.enum(DataField), z.string()),
  splitValues: z.record(z.string(), z.string()),
  labelValues: z.record(z.string(), z.string()),
  offsets: oneOf(OffsetUnit, 'What offsets count.'),
});

/** As runs and manifests store it. The interface can't be inferred from it: the kinds of tasks, whose fields it lists, use that. */
export const fileMapping: z.ZodType<FileMapping> = mappingRecord;

/** @throws BAD_USER_INPUT when the fields of `task` are not all mapped, one that it hasn't is, or a column doesn't exist */
export function checkMapping(mapping: FileMapping, task: TaskKind, columns: readonly string[], field: string): void {
  const { needs, fields } = taskOf(task);
  const mapped = [...Object.keys(mapping.columns), ...Object.keys(mapping.constants)];
  const fieldNames = [...Object.keys(fields), ...Object.keys(COMMON_FIELDS)];
  const foreign = mapped.find((name) => !fieldNames.includes(name));
  if (foreign) throw badInput(field, `${foreign} is no field of a ${task} dataset; it has ${fieldNames.join(', ')}.`);
  if (!needs.some((set) => set.every((name) => mapped.includes(name))))
    throw badInput(
      field,
      `A ${task} dataset needs ${needs.map((set) => set.join(' and ')).join(', or ')}.`,
      'previewImport suggests a mapping.',
    );
  for (const [name, column] of Object.entries(mapping.columns)) {
    const times = columns.filter((c) => c === column).length;
    if (times === 0)
      throw badInput(
        `${field}.columns.${name}`,
        `The file has no column ${JSON.stringify(column)}; it has ${columns
          .slice(0, 50)
          .map((c) => JSON.stringify(c))
          .join(', ')}.`,
      );
    if (times > 1)
      throw badInput(
        `${field}.columns.${name}`,
        `The file has ${times} columns named ${JSON.stringify(column)}: rename all but one.`,
      );
  }
}
