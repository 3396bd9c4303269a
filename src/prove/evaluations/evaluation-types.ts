import { z } from 'zod';
import { Split } from '../../sources/data/index.js';
import { connectionTypes, nodeOf, NodeType, objectType } from '../../kit/graphql/index.js';
import { int, string, float, oneOf, date } from '../../kernel/record.js';
import type { EvaluationRecord } from './evaluation-store.js';
import { figures, storedFigures } from './figures.js';

export const EvaluationRow = objectType('EvaluationRow', 'One row as it was answered.', {
  ordinal: int('Place of the row in the dataset version.'),
  input: string('What was asked.'),
  expected: string('The right answer, as text.'),
  answer: string('What was answered.'),
  probability: float(
    'Probability of the label, or that the passages hold an answer, 0 to 1; null for other texts.',
  ).nullable(),
  score: float('How right it is, 0 to 1.'),
  againstAnswer: string('What the comparison answered; null when there is none.').nullable(),
  againstScore: float('How right that is, 0 to 1; null when there is no comparison.').nullable(),
});
export type EvaluationRow = InstanceType<typeof EvaluationRow>;

export const { Connection: EvaluationRowConnection } = connectionTypes(EvaluationRow);

export const Evaluation = objectType(
  'Evaluation',
  'How well a model, with or without an adapter, answered rows of a dataset version. It never changes.',
  {
    ...figures.shape,
    split: oneOf(Split, 'The rows’ split; of TRAIN it tells what was remembered, and no promotion rests on it.'),
    rowCount: int('Rows that were answered.'),
    scale: float('Scale at which the adapter acted; null for the base model alone.').nullable(),
    createdAt: date('When it was begun.'),
    row: z.custom<EvaluationRecord>(),
  },
  NodeType,
);
export type Evaluation = InstanceType<typeof Evaluation>;

export const { Connection: EvaluationConnection } = connectionTypes(Evaluation);

export const toEvaluation = (row: EvaluationRecord): Evaluation =>
  nodeOf(Evaluation, row, {
    ...storedFigures.decode(row.figures),
    split: row.split as Split,
    rowCount: row.rows,
  });
