import type { z } from 'zod';
import { fitVote, mostProbable, NEIGHBOURS, vote, type Neighbour } from '../../sources/data/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { interval, metricDifference } from '../../kernel/interval.js';
import { record, string, int, float } from '../../kernel/record.js';
import { embedTexts, type EmbeddingParts } from '../embed-texts.js';
import { inThread } from '../in-thread.js';
import { accuracy, type ClassifiedRow } from '../metrics/classification.js';
import { estimate, pairedDifference } from '../bootstrap.js';
import { mcnemar } from '../../kernel/statistics/mcnemar.js';
import type { Fitting } from './choose-strength.js';
import type { ThreadResult, ThreadWork } from './fit-thread.js';
import type { Nearest } from './nearest.js';

/** What every method is told by. */
const common = {
  embedder: string('The embedder whose vectors it reads.'),
  trainedOn: int('Rows for training that it knows.'),
  accuracy: interval.describe('Its accuracy, 0 to 1.'),
  difference: metricDifference.describe('Accuracy of the answers less its own; `p` is of McNemar’s exact test.'),
  onlyAnswers: int('Rows that only the answers have right.'),
};

export const regression = record(
  'RegressionFigures',
  'How a logistic regression on the embedder’s vectors does on the same rows, fitted to the rows for training: what one would build instead.',
  {
    ...common,
    strength: float('Strength of the rows against the penalty (scikit-learn’s C), chosen on rows for validation.'),
    onlyRegression: int('Rows that only the regression has right.'),
  },
);

export const nearestRows = record(
  'NearestRowsFigures',
  `How the ${NEIGHBOURS} nearest rows for training vote on the same rows, as \`indexDataset\` lets them: no training at all.`,
  { ...common, onlyNearest: int('Rows that only the nearest rows have right.') },
);

/** Methods without a language model, on the rows that the answers are to; null where they weren't asked, or there is nothing to learn from. */
export interface WithoutModel {
  regression: z.infer<typeof regression> | null;
  nearestRows: z.infer<typeof nearestRows> | null;
}
export const NOT_ASKED: WithoutModel = { regression: null, nearestRows: null };

export interface LabelledText {
  text: string;
  label: string;
}

/** Most rows for training that choose how neighbours vote. */
const MOST_JUDGES = 500;

/**
 * Fits a regression to rows for training, lets the nearest of them vote, and asks both what the evaluated answers were asked.
 * @param answers to `rows`, in their order @throws what the worker throws
 */
export async function compareWithoutModel(
  parts: EmbeddingParts,
  workspaceId: WorkspaceId,
  { train, validation, rows }: Record<'train' | 'validation' | 'rows', readonly LabelledText[]>,
  answers: readonly ClassifiedRow[],
  signal: AbortSignal,
): Promise<WithoutModel> {
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  if (labels.length < 2) return NOT_ASKED;
  const vectors = (texts: readonly LabelledText[]): Promise<Float32Array> =>
    embedTexts(
      parts,
      workspaceId,
      texts.map(({ text }) => text),
      signal,
    );
  const knownTexts = validation.filter(({ label }) => labels.includes(label));
  const numbered = async (texts: readonly LabelledText[]) => ({
    vectors: await vectors(texts),
    labels: Int32Array.from(texts, ({ label }) => labels.indexOf(label)),
  });
  const fitting: Fitting = {
    train: await numbered(train),
    validation: await numbered(knownTexts),
    classes: labels.length,
  };
  const step = Math.ceil(train.length / MOST_JUDGES);
  const judges = train.flatMap((_, i) => (i % step === 0 ? [i] : []));
  const { name: embedder, dimensions } = parts.registry.embedder();
  const work: ThreadWork = { ...fitting, asked: await vectors(rows), dimensions, judges, neighbours: NEIGHBOURS };
  const fitted = await inThread<ThreadResult>('regression/fit-thread', work, signal);
  const predictions = rows.map((_, i) => ({
    label: labels[fitted.labels[i]!]!,
    probability: fitted.probabilities[i]!,
  }));
  const votes = votesOf(fitted.neighboursOf, { train, judges, labels });
  const { others: onlyRegression, ...ofRegression } = against(rows, answers, predictions);
  const { others: onlyNearest, ...ofNearest } = against(rows, answers, votes);
  const origin = { embedder, trainedOn: train.length };
  return {
    regression: { ...origin, strength: fitted.strength, ...ofRegression, onlyRegression },
    nearestRows: { ...origin, ...ofNearest, onlyNearest },
  };
}

interface Prediction {
  label: string;
  probability: number;
}

/** The most probable label by each text's neighbours, under the rule that suits the rows for training best. */
function votesOf(
  { asked, judges: judgeNeighbours }: ThreadResult['neighboursOf'],
  { train, judges, labels }: { train: readonly LabelledText[]; judges: readonly number[]; labels: readonly string[] },
): Prediction[] {
  const neighbours = ({ indices, similarities }: Nearest, text: number): Neighbour[] => {
    const from = text * NEIGHBOURS;
    return [...indices.subarray(from, from + NEIGHBOURS)].flatMap((ordinal, i) =>
      ordinal < 0 ? [] : [{ ordinal, label: train[ordinal]!.label, similarity: similarities[from + i]! }],
    );
  };
  const { rule } = fitVote(
    judges.map((row, i) => ({ label: train[row]!.label, neighbours: neighbours(judgeNeighbours, i) })),
    labels,
  );
  return Array.from({ length: asked.indices.length / NEIGHBOURS }, (_, text) => {
    const shares = vote(neighbours(asked, text), labels, rule);
    const best = mostProbable(shares);
    return { label: labels[best]!, probability: shares[best]! };
  });
}

/** What a method gets on the rows, and how the answers differ from it. */
function against(
  rows: readonly LabelledText[],
  answers: readonly ClassifiedRow[],
  predictions: readonly Prediction[],
): Pick<z.infer<typeof regression>, 'accuracy' | 'difference' | 'onlyAnswers'> & { others: number } {
  const predictedRows = rows.map(({ label: gold }, i): ClassifiedRow => {
    const { label: predicted, probability } = predictions[i]!;
    return { gold, predicted, probability };
  });
  const right = (outcomes: readonly ClassifiedRow[]): boolean[] =>
    outcomes.map(({ gold, predicted }) => gold === predicted);
  const { onlyFirst, onlySecond, p } = mcnemar(right(answers), right(predictedRows));
  const accuracyEstimate = estimate(accuracy, predictedRows);
  const difference = pairedDifference(accuracy, predictedRows, answers);
  return {
    accuracy: { value: accuracyEstimate.value, low: accuracyEstimate.low, high: accuracyEstimate.high },
    difference: { value: difference.value, low: difference.low, high: difference.high, p },
    onlyAnswers: onlyFirst,
    others: onlySecond,
  };
}
