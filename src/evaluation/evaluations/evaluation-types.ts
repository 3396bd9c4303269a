import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { Split } from '../../data/index.js';
import { connectionTypes, DateTime, make, NodeType, toGlobalId } from '../../graphql-kit/index.js';
import type { EvaluationRecord } from './evaluation-store.js';
import type { Retention } from '../retention/retention.js';
import { storedFigures } from './figures.js';

@ObjectType({ description: 'How a metric differs from that of another answerer on the same rows (paired bootstrap).' })
export class MetricDifference {
  @Field(() => Float, { description: 'This one’s less the other’s.' })
  value!: number;

  @Field(() => Float, { description: 'Lower end of the interval that holds it in 95 of 100 cases.' })
  low!: number;

  @Field(() => Float, { description: 'Upper end of that interval.' })
  high!: number;

  @Field(() => Float, { description: 'Probability of a difference as large if there were none, 0 to 1.' })
  p!: number;
}

@ObjectType({ description: 'A metric of all rows with its interval.' })
export class EvaluationMetric {
  @Field(() => String, { description: 'E.g. `accuracy`, `macro-F1`, `entity F1`, `chrF`, `token F1`.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether a larger value is a better one.' })
  higherIsBetter!: boolean;

  @Field(() => Float, { description: 'Its value: 0 to 1, BLEU and chrF 0 to 100.' })
  value!: number;

  @Field(() => Float, { description: 'Lower end of the interval that holds the true value in 95 of 100 cases.' })
  low!: number;

  @Field(() => Float, { description: 'Upper end of that interval.' })
  high!: number;

  @Field(() => MetricDifference, { nullable: true, description: 'Against the comparison; null when there is none.' })
  difference!: MetricDifference | null;
}

@ObjectType({ description: 'How well one label is told.' })
export class ClassFigures {
  @Field(() => String, { description: 'The label.' })
  label!: string;

  @Field(() => Int, { description: 'Rows that have it.' })
  support!: number;

  @Field(() => Float, { description: 'Share of the rows given this label that have it, 0 to 1.' })
  precision!: number;

  @Field(() => Float, { description: 'Share of the rows with this label that were given it, 0 to 1.' })
  recall!: number;

  @Field(() => Float, { description: 'Harmonic mean of both, 0 to 1.' })
  f1!: number;
}

@ObjectType({ description: 'A cell of the confusion matrix that is not 0.' })
export class ConfusionCell {
  @Field(() => String, { description: 'The label that the rows have.' })
  gold!: string;

  @Field(() => String, { nullable: true, description: 'The label that they were given; null: none of the set.' })
  predicted!: string | null;

  @Field(() => Int, { description: 'Number of rows.' })
  count!: number;
}

@ObjectType({
  description: 'A bar of the reliability diagram: answers of like probability, and how many of them are right.',
})
export class CalibrationBin {
  @Field(() => Float, { description: 'Probabilities above this, 0 to 1.' })
  from!: number;

  @Field(() => Float, { description: 'Up to and including this, 0 to 1.' })
  to!: number;

  @Field(() => Int, { description: 'Number of rows.' })
  rows!: number;

  @Field(() => Float, { description: 'Mean of their probabilities, 0 to 1.' })
  meanProbability!: number;

  @Field(() => Float, { description: 'Share that is right, 0 to 1.' })
  accuracy!: number;
}

@ObjectType({ description: 'A figure with the interval that holds its true value in 95 of 100 cases (bootstrap).' })
export class Interval {
  @Field(() => Float, { description: 'As measured.' })
  value!: number;

  @Field(() => Float, { description: 'Lower end.' })
  low!: number;

  @Field(() => Float, { description: 'Upper end: for a cost, the one that bounds are held against.' })
  high!: number;
}

@ObjectType({ description: 'How probable general text is to the model, without and with the adapter always on.' })
export class PerplexityFigures {
  @Field(() => String, { nullable: true, description: 'Which text; null: all of them.' })
  text!: string | null;

  @Field(() => Float, { description: 'Perplexity of the base model alone; lower is better.' })
  base!: number;

  @Field(() => Float, { description: 'Perplexity with the adapter.' })
  adapted!: number;

  @Field(() => Interval, { description: 'With the adapter over without it: 1 is nothing forgotten.' })
  ratio!: Interval;

  @Field(() => Int, { description: 'Tokens that were scored.' })
  tokens!: number;
}

@ObjectType({
  description: 'What the adapter changes on test rows of another task, which are asked as the base model is.',
})
export class OtherTaskFigures {
  @Field(() => ID, { description: 'Id of the dataset version.' })
  datasetVersion!: string;

  @Field(() => Int, { description: 'Rows that were asked, at most 100.' })
  rows!: number;

  @Field(() => Int, { description: 'Rows that only the base model alone has right.' })
  rightToWrong!: number;

  @Field(() => Int, { description: 'Rows that only the model with the adapter has right.' })
  wrongToRight!: number;

  @Field(() => MetricDifference, { description: 'Mean of how right the rows are with the adapter, less without it.' })
  difference!: MetricDifference;
}

@ObjectType({
  description:
    'What the adapter, always on, leaves of the base model: measured where it is served, on text that is no part of any training.',
})
export class RetentionFigures {
  @Field(() => PerplexityFigures, { description: 'Of all general texts together; the gate looks at its ratio.' })
  perplexity!: PerplexityFigures;

  @Field(() => [PerplexityFigures], { description: 'Of each general text.' })
  texts!: PerplexityFigures[];

  @Field(() => Int, { description: 'General prompts that were asked.' })
  prompts!: number;

  @Field(() => Interval, {
    description:
      'Share of the tokens of the base model’s answers where the most probable token stays the same, 0 to 1.',
  })
  topAgreement!: Interval;

  @Field(() => Interval, { description: 'Mean KL divergence of the next token from the base model there, in nats.' })
  divergence!: Interval;

  @Field(() => Interval, {
    description:
      'Misroute damage: how like the base model’s answers those to general prompts stay when the adapter is asked by mistake (token F1, 0 to 1).',
  })
  misrouted!: Interval;

  @Field(() => [OtherTaskFigures], { description: 'Of each other task that was named.' })
  others!: OtherTaskFigures[];
}

@ObjectType({
  description:
    'How a logistic regression on the embedder’s vectors does on the same rows, fitted to the rows for training: what one would build instead.',
})
export class RegressionFigures {
  @Field(() => String, { description: 'The embedder whose vectors it reads.' })
  embedder!: string;

  @Field(() => Int, { description: 'Rows for training that it was fitted to.' })
  trainedOn!: number;

  @Field(() => Float, {
    description: 'Strength of the rows against the penalty (scikit-learn’s C), chosen on rows for validation.',
  })
  strength!: number;

  @Field(() => Interval, { description: 'Its accuracy, 0 to 1.' })
  accuracy!: Interval;

  @Field(() => MetricDifference, {
    description: 'Accuracy of the answers less its own; `p` is of McNemar’s exact test.',
  })
  difference!: MetricDifference;

  @Field(() => Int, { description: 'Rows that only the answers have right.' })
  onlyAnswers!: number;

  @Field(() => Int, { description: 'Rows that only the regression has right.' })
  onlyRegression!: number;
}

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

@ObjectType({
  implements: NodeType,
  description: 'How well a model, with or without an adapter, answered rows of a dataset version. It never changes.',
})
export class Evaluation extends NodeType {
  @Field(() => Split, {
    description: 'The rows’ split; of TRAIN it tells what was remembered, and no promotion rests on it.',
  })
  split!: Split;

  @Field(() => Int, { description: 'Rows that were answered.' })
  rowCount!: number;

  @Field(() => [EvaluationMetric], { description: 'The metrics of the task; the first decides.' })
  metrics!: EvaluationMetric[];

  @Field(() => [ClassFigures], { description: 'Each label’s figures, the worst first; empty unless rows have labels.' })
  classes!: ClassFigures[];

  @Field(() => [ConfusionCell], { description: 'Cells of the confusion matrix, the fullest first; at most 2,000.' })
  confusions!: ConfusionCell[];

  @Field(() => [CalibrationBin], { description: 'Bars of the reliability diagram; empty without probabilities.' })
  calibration!: CalibrationBin[];

  @Field(() => RetentionFigures, {
    nullable: true,
    description: 'What the adapter has forgotten; null when that was not measured.',
  })
  retention!: RetentionFigures | null;

  @Field(() => RegressionFigures, {
    nullable: true,
    description: 'What a regression without a language model makes of the same rows; null when it was not asked.',
  })
  regression!: RegressionFigures | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Scale at which the adapter acted; null for the base model alone.',
  })
  scale!: number | null;

  @Field(() => DateTime, { description: 'When it was begun.' })
  createdAt!: Date;

  readonly row!: EvaluationRecord;
}

export const { Connection: EvaluationConnection } = connectionTypes(Evaluation);

export const toEvaluation = (row: EvaluationRecord): Evaluation => {
  const found = storedFigures.decode(row.figures);
  return make(Evaluation, {
    id: toGlobalId('Evaluation', row.id),
    split: row.split as Split,
    rowCount: row.rows,
    metrics: found.metrics,
    classes: found.classes,
    confusions: found.confusions,
    calibration: found.calibration,
    retention: found.retention && toRetention(found.retention),
    regression: found.regression,
    scale: row.scale,
    createdAt: row.createdAt,
    row,
  });
};

const toRetention = ({ perplexity, texts, others, ...rest }: Retention): RetentionFigures =>
  make(RetentionFigures, {
    ...rest,
    perplexity: { ...perplexity, text: null },
    texts: texts.map(({ name, ...figure }) => ({ ...figure, text: name })),
    others: others.map(({ datasetVersionId, ...figure }) => ({
      ...figure,
      datasetVersion: toGlobalId('DatasetVersion', datasetVersionId),
    })),
  });
