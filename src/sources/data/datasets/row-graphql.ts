import { z } from 'zod';
import { make, Needs, ofType, inputType, objectType, recordInput } from '../../../kit/graphql/index.js';
import { Split } from './importing/splits.js';
import { RowContentType, type RowContent } from './content-graphql.js';
import type { VersionSource } from './dataset.js';
import { RowChangeKind, rowOrder, type StoredRow } from './version-rows.js';
import { string, oneOf, date, boolean } from '../../../kernel/record.js';

export const DatasetRow = objectType('DatasetRow', 'One row of a version.', {
  place: z.int().describe('Place in the version, from 1.'),
  key: string(
    'Identity of the row over versions: its id, or one made from its input. Unique in the version, or in the split where splits were given.',
  ),
  split: oneOf(Split, 'What it is used for.'),
  content: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('What it holds; null for a record that could not be read as a row.'),
  raw: string('Text of a record that could not be read as a row; null otherwise.').nullable(),
  features: z.record(z.string(), z.unknown()).nullable().describe('Joined features by view; null when there are none.'),
  subject: string('Whom it is about.').nullable(),
  entity: string('Key for the feature store.').nullable(),
  eventTime: date('The moment that it speaks of.').nullable(),
  language: string('Language that its text seems to be in (ISO 639-1); null when unsure.').nullable(),
  problems: z.array(z.string()).describe('Ids of the rules that name it.'),
  quarantined: boolean('Whether it is kept out of training.'),
  file: string('Name of the file that it came from.'),
  row: z.int().describe('Number of the data row in that file, from 1.'),
  stored: z.custom<StoredRow>(),
});
export type DatasetRow = InstanceType<typeof DatasetRow>;
for (const personal of ['features', 'subject', 'entity']) Needs('EDIT')(DatasetRow.prototype as object, personal);

export const toDatasetRow = (row: StoredRow, sources: readonly VersionSource[]): DatasetRow =>
  make(DatasetRow, {
    ...row,
    place: row.ordinal,
    file: sources[row.file]?.name ?? 'unknown',
    stored: row,
  });

export const RowFilterInput = inputType('RowFilterInput', 'Which rows; all conditions hold together.', {
  label: string('Only rows with this label.').nullish(),
  contains: string('Only rows whose text has this in it, case apart.').nullish(),
  problem: string('Only rows that this rule names, e.g. `near-duplicate`.').nullish(),
  quarantined: boolean('Only rows that are kept out of training, or only those that are not.').nullish(),
  language: string('Only rows that seem to be in this language (ISO 639-1).').nullish(),
  subject: string('Only rows about this person.').nullish(),
});
export type RowFilterInput = InstanceType<typeof RowFilterInput>;

export const RowOrderInput = recordInput(rowOrder);
export type RowOrderInput = InstanceType<typeof RowOrderInput>;

export const RowChangeType = objectType('RowChange', 'A row that two versions don’t share.', {
  key: string('Key of the row; rows match by key and split, and by key alone where it stands once in each version.'),
  kind: oneOf(RowChangeKind, 'How it differs.'),
  before: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('Its content in the older version; null when it was not there.'),
  after: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('Its content in the newer version; null when it is not there.'),
  splitBefore: oneOf(Split, 'Its split in the older version.').nullable(),
  splitAfter: oneOf(Split, 'Its split in the newer version.').nullable(),
});
export type RowChangeType = InstanceType<typeof RowChangeType>;
