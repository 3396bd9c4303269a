import { mostProbable, vote, type Blend, type Neighbour } from '../../../sources/data/index.js';
import { softmax } from '../../../kernel/softmax.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { LabelToken } from '../../../sources/registry/index.js';
import type { AskEvent } from '../events.js';
import { unsure } from '../abstention.js';
import type { LabelledRows } from '../read/labelled-rows.js';
import { scoreLabels, type ClassifyStep, type LabelProbability } from './classify.js';
import { abstained, type Completion } from './word-answer.js';

/** @param labels the tokens of the adapter's labels; null where the rows answer alone */
interface RowsStep extends ClassifyStep {
  labels: readonly LabelToken[] | null;
  rows: LabelledRows;
  neighbours: readonly Neighbour[];
  minConfidence: number | null;
}

/**
 * The most probable label by the nearest labelled rows, or by them and an adapter together.
 * @throws what the worker throws
 */
export async function* classifyByRows(
  worker: Pick<WorkerClient, 'scoreNext'>,
  { labels, rows: { index, blend }, neighbours, minConfidence, ...step }: RowsStep,
): AsyncGenerator<AskEvent, Completion> {
  const scored = labels && (await scoreLabels(worker, step, labels));
  const names = [...new Set([...index.fit.labels, ...(labels ?? []).map(({ label }) => label)])];
  const votes = vote(neighbours, names, index.fit.rule);
  const shares = scored ? pool(names, scored.probabilities, votes, blend) : votes;
  const best = mostProbable(shares);
  const [label, probability] = [names[best]!, shares[best]!];
  const probabilities = names.map((name, i) => ({ label: name, probability: shares[i]! }));
  const details = { finishReason: null, answerability: null, done: scored?.done ?? null };
  if (minConfidence !== null && probability < minConfidence) {
    const abstention = unsure(probability, minConfidence, 'LABEL');
    yield { type: 'delta', text: abstention.sentence };
    return { ...abstained(abstention), ...details };
  }
  yield { type: 'delta', text: label };
  const output = { kind: 'LABEL' as const, label, probabilities };
  return { ...details, text: label, wording: scored ? 'MODEL' : 'EVIDENCE', output, abstention: null };
}

/** Probability of a label that an adapter or its neighbours know nothing of: small, and not nothing. */
const FLOOR = 1e-6;

/**
 * Logarithmic pool of two opinions about the same labels: proportional to the product of their weighted powers.
 * @returns in the order of `names`, summing to 1
 */
export function pool(
  names: readonly string[],
  adapter: readonly LabelProbability[],
  neighbours: readonly number[],
  weights: Blend,
): number[] {
  const probabilityByLabel = new Map(adapter.map(({ label, probability }) => [label, probability]));
  const scores = names.map(
    (name, i) =>
      weights.adapter * Math.log(Math.max(probabilityByLabel.get(name) ?? 0, FLOOR)) +
      weights.neighbours * Math.log(Math.max(neighbours[i]!, FLOOR)),
  );
  return softmax(scores);
}
