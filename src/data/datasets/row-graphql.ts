import { Field, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { DateTime, JsonScalar, make, Needs, typed, inputType, objectType, enumType } from '../../graphql-kit/index.js';
import { Split } from './importing/splits.js';
import { RowContentType, type RowContent } from './content-graphql.js';
import type { VersionSource } from './dataset.js';
import { RowChangeKind, RowSort, type StoredRow } from './version-rows.js';

enumType(Split, 'Split', 'What a row is used for.', {
  TRAIN: 'Training.',
  VALIDATION: 'Choosing between checkpoints and settings.',
  TEST: 'Measuring what was chosen.',
});

@ObjectType({ description: 'One row of a version.' })
export class DatasetRow {
  @Field(() => Int, { description: 'Place in the version, from 1.' })
  place!: number;

  @Field(() => String, {
    description:
      'Identity of the row over versions: its id, or one made from its input. Unique in the version, or in the split where splits were given.',
  })
  key!: string;

  @Field(() => Split, { description: 'What it is used for.' })
  split!: Split;

  @Field(() => RowContentType, {
    nullable: true,
    description: 'What it holds; null for a record that could not be read as a row.',
  })
  content!: RowContent | null;

  @Field(() => String, {
    nullable: true,
    description: 'Text of a record that could not be read as a row; null otherwise.',
  })
  raw!: string | null;

  @Needs('EDIT')
  @Field(() => JsonScalar, { nullable: true, description: 'Joined features by view; null when there are none.' })
  features!: Record<string, unknown> | null;

  @Needs('EDIT')
  @Field(() => String, { nullable: true, description: 'Whom it is about.' })
  subject!: string | null;

  @Needs('EDIT')
  @Field(() => String, { nullable: true, description: 'Key for the feature store.' })
  entity!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'The moment that it speaks of.' })
  eventTime!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Language that its text seems to be in (ISO 639-1); null when unsure.',
  })
  language!: string | null;

  @Field(() => [String], { description: 'Ids of the rules that name it.' })
  problems!: string[];

  @Field(() => Boolean, { description: 'Whether it is kept out of training.' })
  quarantined!: boolean;

  @Field(() => String, { description: 'Name of the file that it came from.' })
  file!: string;

  @Field(() => Int, { description: 'Number of the data row in that file, from 1.' })
  row!: number;

  stored!: StoredRow;
}

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

enumType(RowSort, 'RowSort', 'What rows are ordered by; ties go by place.', {
  PLACE: 'Place in the version.',
  TEXT: 'The first 200 characters of the text.',
  LABEL: 'The label.',
  LENGTH: 'Length of the text.',
});

export const RowOrderInput = inputType('RowOrderInput', 'In which order.', {
  by: z.enum(RowSort).default(RowSort.PLACE).describe('What to order by.'),
  descending: z.boolean().default(false).describe('Largest first.'),
});
export type RowOrderInput = InstanceType<typeof RowOrderInput>;

enumType(RowChangeKind, 'RowChangeKind', 'How a row differs between two versions.', {
  ADDED: 'Only the newer one has it.',
  REMOVED: 'Only the older one has it.',
  CHANGED: 'Both have it, with other content or in another split.',
});

export const RowChangeType = objectType('RowChange', 'A row that two versions don’t share.', {
  key: z
    .string()
    .describe('Key of the row; rows match by key and split, and by key alone where it stands once in each version.'),
  kind: z.enum(RowChangeKind).describe('How it differs.'),
  before: typed<RowContent>(RowContentType)
    .nullable()
    .describe('Its content in the older version; null when it was not there.'),
  after: typed<RowContent>(RowContentType)
    .nullable()
    .describe('Its content in the newer version; null when it is not there.'),
  splitBefore: z.enum(Split).nullable().describe('Its split in the older version.'),
  splitAfter: z.enum(Split).nullable().describe('Its split in the newer version.'),
});
export type RowChangeType = InstanceType<typeof RowChangeType>;
