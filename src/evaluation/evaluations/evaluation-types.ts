import { Field, Float, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { Split } from '../../data/index.js';
import { connectionTypes, make, NodeType, toGlobalId, recordType } from '../../graphql-kit/index.js';
import { record } from '../../kernel/record.js';
import type { EvaluationRecord } from './evaluation-store.js';
import { interval } from '../../kernel/interval.js';
import { figures, storedFigures } from './figures.js';

@ObjectType({ description: 'One row as it was answered.' })
export class EvaluationRow {
  @Field(() => Int, { description: 'Place of the row in the dataset version.' })
  ordinal!: number;

  @Field(() => String, { description: 'What was asked.' })
  input!: string;

  @Field(() => String, { description: 'The right answer, as text.' })
  expected!: string;

  @Field(() => String, { description: 'What was answered.' })
  answer!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Probability of the label, or that the passages hold an answer, 0 to 1; null for other texts.',
  })
  probability!: number | null;

  @Field(() => Float, { description: 'How right it is, 0 to 1.' })
  score!: number;

  @Field(() => String, { nullable: true, description: 'What the comparison answered; null when there is none.' })
  againstAnswer!: string | null;

  @Field(() => Float, { nullable: true, description: 'How right that is, 0 to 1; null when there is no comparison.' })
  againstScore!: number | null;
}

export const { Connection: EvaluationRowConnection } = connectionTypes(EvaluationRow);

export const Interval = recordType(interval);
export type Interval = InstanceType<typeof Interval>;

export const Evaluation = recordType(
  record(
    'Evaluation',
    'How well a model, with or without an adapter, answered rows of a dataset version. It never changes.',
    {
      ...figures.shape,
      split: z
        .enum(Split)
        .describe('The rows’ split; of TRAIN it tells what was remembered, and no promotion rests on it.'),
      rowCount: z.number().int().describe('Rows that were answered.'),
      scale: z.number().nullable().describe('Scale at which the adapter acted; null for the base model alone.'),
      createdAt: z.date().describe('When it was begun.'),
      row: z.custom<EvaluationRecord>(),
    },
  ),
  NodeType,
);
export type Evaluation = InstanceType<typeof Evaluation>;

export const { Connection: EvaluationConnection } = connectionTypes(Evaluation);

export const toEvaluation = (row: EvaluationRecord): Evaluation =>
  make(Evaluation, {
    ...storedFigures.decode(row.figures),
    id: toGlobalId('Evaluation', row.id),
    split: row.split as Split,
    rowCount: row.rows,
    scale: row.scale,
    createdAt: row.createdAt,
    row,
  });
