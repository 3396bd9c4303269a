import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime, JsonScalar, make, Needs } from '../../graphql-kit/index.js';
import { Split } from './importing/splits.js';
import { RowContentType, type RowContent } from './content-graphql.js';
import type { VersionSource } from './dataset.js';
import { RowChangeKind, RowSort, type RowOrder, type StoredRow } from './version-rows.js';

registerEnumType(Split, {
  name: 'Split',
  description: 'What a row is used for.',
  valuesConfig: {
    TRAIN: { description: 'Training.' },
    VALIDATION: { description: 'Choosing between checkpoints and settings.' },
    TEST: { description: 'Measuring what was chosen.' },
  },
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

@InputType({ description: 'Which rows; all conditions hold together.' })
export class RowFilterInput {
  @Field(() => String, { nullable: true, description: 'Only rows with this label.' })
  label?: string | null;

  @Field(() => String, { nullable: true, description: 'Only rows whose text has this in it, case apart.' })
  contains?: string | null;

  @Field(() => String, { nullable: true, description: 'Only rows that this rule names, e.g. `near-duplicate`.' })
  problem?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only rows that are kept out of training, or only those that are not.',
  })
  quarantined?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Only rows that seem to be in this language (ISO 639-1).' })
  language?: string | null;

  @Field(() => String, { nullable: true, description: 'Only rows about this person.' })
  subject?: string | null;
}

registerEnumType(RowSort, {
  name: 'RowSort',
  description: 'What rows are ordered by; ties go by place.',
  valuesConfig: {
    PLACE: { description: 'Place in the version.' },
    TEXT: { description: 'The first 200 characters of the text.' },
    LABEL: { description: 'The label.' },
    LENGTH: { description: 'Length of the text.' },
  },
});

@InputType({ description: 'In which order.' })
export class RowOrderInput implements RowOrder {
  @Field(() => RowSort, { defaultValue: RowSort.PLACE, description: 'What to order by.' })
  by!: RowSort;

  @Field(() => Boolean, { defaultValue: false, description: 'Largest first.' })
  descending!: boolean;
}

registerEnumType(RowChangeKind, {
  name: 'RowChangeKind',
  description: 'How a row differs between two versions.',
  valuesConfig: {
    ADDED: { description: 'Only the newer one has it.' },
    REMOVED: { description: 'Only the older one has it.' },
    CHANGED: { description: 'Both have it, with other content or in another split.' },
  },
});

@ObjectType('RowChange', { description: 'A row that two versions don’t share.' })
export class RowChangeType {
  @Field(() => String, {
    description: 'Key of the row; rows match by key and split, and by key alone where it stands once in each version.',
  })
  key!: string;

  @Field(() => RowChangeKind, { description: 'How it differs.' })
  kind!: RowChangeKind;

  @Field(() => RowContentType, {
    nullable: true,
    description: 'Its content in the older version; null when it was not there.',
  })
  before!: RowContent | null;

  @Field(() => RowContentType, {
    nullable: true,
    description: 'Its content in the newer version; null when it is not there.',
  })
  after!: RowContent | null;

  @Field(() => Split, { nullable: true, description: 'Its split in the older version.' })
  splitBefore!: Split | null;

  @Field(() => Split, { nullable: true, description: 'Its split in the newer version.' })
  splitAfter!: Split | null;
}
