import { z } from 'zod';
import { make, Needs, ofType, inputType, objectType, recordInput } from '../../../kit/graphql/index.js';
import { Split } from './importing/splits.js';
import { RowContentType, type RowContent } from './content-graphql.js';
import type { VersionSource } from './dataset.js';
import { RowChangeKind, rowOrder, type StoredRow } from './version-rows.js';

export const DatasetRow = objectType('DatasetRow', 'One row of a version.', {
  place: z.int().describe('Place in the version, from 1.'),
  key: z
    .string()
    .describe(
      'Identity of the row over versions: its id, or one made from its input. Unique in the version, or in the split where splits were given.',
    ),
  split: z.enum(Split).describe('What it is used for.'),
  content: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('What it holds; null for a record that could not be read as a row.'),
  raw: z.string().nullable().describe('Text of a record that could not be read as a row; null otherwise.'),
  features: z.record(z.string(), z.unknown()).nullable().describe('Joined features by view; null when there are none.'),
  subject: z.string().nullable().describe('Whom it is about.'),
  entity: z.string().nullable().describe('Key for the feature store.'),
  eventTime: z.date().nullable().describe('The moment that it speaks of.'),
  language: z.string().nullable().describe('Language that its text seems to be in (ISO 639-1); null when unsure.'),
  problems: z.array(z.string()).describe('Ids of the rules that name it.'),
  quarantined: z.boolean().describe('Whether it is kept out of training.'),
  file: z.string().describe('Name of the file that it came from.'),
  row: z.int().describe('Number of the data row in that file, from 1.'),
  stored: z.custom<StoredRow>(),
});
export type DatasetRow = InstanceType<typeof DatasetRow>;
for (const personal of ['features', 'subject', 'entity']) Needs('EDIT')(DatasetRow.prototype as object, personal);

export const toDatasetRow = (stored: StoredRow, sources: readonly VersionSource[]): DatasetRow =>
  make(DatasetRow, {
    ...stored,
    place: stored.ordinal,
    file: sources[stored.file]?.name ?? 'unknown',
    stored,
  });

export const RowFilterInput = inputType('RowFilterInput', 'Which rows; all conditions hold together.', {
  label: z.string().nullish().describe('Only rows with this label.'),
  contains: z.string().nullish().describe('Only rows whose text has this in it, case apart.'),
  problem: z.string().nullish().describe('Only rows that this rule names, e.g. `near-duplicate`.'),
  quarantined: z.boolean().nullish().describe('Only rows that are kept out of training, or only those that are not.'),
  language: z.string().nullish().describe('Only rows that seem to be in this language (ISO 639-1).'),
  subject: z.string().nullish().describe('Only rows about this person.'),
});
export type RowFilterInput = InstanceType<typeof RowFilterInput>;

export const RowOrderInput = recordInput(rowOrder);
export type RowOrderInput = InstanceType<typeof RowOrderInput>;

export const RowChangeType = objectType('RowChange', 'A row that two versions don’t share.', {
  key: z
    .string()
    .describe('Key of the row; rows match by key and split, and by key alone where it stands once in each version.'),
  kind: z.enum(RowChangeKind).describe('How it differs.'),
  before: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('Its content in the older version; null when it was not there.'),
  after: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('Its content in the newer version; null when it is not there.'),
  splitBefore: z.enum(Split).nullable().describe('Its split in the older version.'),
  splitAfter: z.enum(Split).nullable().describe('Its split in the newer version.'),
});
export type RowChangeType = InstanceType<typeof RowChangeType>;
