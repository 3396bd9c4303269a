import {
  mostProbable,
  UNFITTED,
  vote,
  type Blend,
  type LabelIndexes,
  type LabelIndexRecord,
  type Neighbour,
} from '../../data/index.js';
import { badInput } from '../../kernel/errors.js';
import { softmax } from '../../kernel/softmax.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { ServedAdapter } from '../../registry/index.js';
import { unsure } from '../judge/abstain.js';
import { scoreLabels, type ClassifyStep, type LabelProbability, type LabelToken } from './classify.js';
import type { AskEvent } from '../events.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { abstained, type Worded } from './word-answer.js';

/** Labelled rows that an answer is read from, and how much they count beside an adapter. */
export interface LabelledRows {
  index: LabelIndexRecord;
  blend: Blend;
}

/**
 * The labelled rows that are read beside an adapter: those that the caller named, else those that it was trained on where they are
 * indexed; null when there are none.
 * @throws BAD_USER_INPUT for an adapter that can't be read together with rows
 */
export async function rowsBeside(
  labelIndexes: Pick<LabelIndexes, 'find' | 'store'>,
  workspaceId: WorkspaceId,
  adapter: ServedAdapter,
  named: LabelIndexRecord | null,
): Promise<LabelledRows | null> {
  const byToken = adapter.usage.answer.form === 'label-token';
  if (named && !byToken)
    throw badInput(
      'input.adapter',
      `${adapter.adapter} writes its answers as text: they have no probabilities that rows could add to.`,
      'Use RAG, which asks the rows alone, or an adapter that learned one token for each label.',
    );
  if (!byToken) return null;
  const { datasetVersionId } = adapter;
  const index = named ?? (datasetVersionId && (await labelIndexes.find(workspaceId, { datasetVersionId })));
  return index ? { index, blend: await labelIndexes.store.blend(index.id, adapter.versionId) } : null;
}

/** Rows that answer alone. */
export const rowsAlone = (index: LabelIndexRecord): LabelledRows => ({ index, blend: UNFITTED });

/** @param labels the tokens of the adapter's labels; null where the rows answer alone */
export interface RowsStep extends ClassifyStep {
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
): AsyncGenerator<AskEvent, Worded> {
  const scored = labels && (await scoreLabels(worker, step, labels));
  const names = [...new Set([...index.fit.labels, ...(labels ?? []).map(({ label }) => label)])];
  const votes = vote(neighbours, names, index.fit.rule);
  const shares = scored ? pool(names, scored.probabilities, votes, blend) : votes;
  const best = mostProbable(shares);
  const [label, probability] = [names[best]!, shares[best]!];
  const probabilities = names.map((name, i) => ({ label: name, probability: shares[i]! }));
  const made = { finishReason: null, answerability: null, done: scored?.done ?? null };
  if (minConfidence !== null && probability < minConfidence) {
    const abstention = unsure(probability, minConfidence, 'LABEL');
    yield { type: 'delta', text: abstention.sentence };
    return { ...abstained(abstention), ...made };
  }
  yield { type: 'delta', text: label };
  const output = { kind: 'LABEL' as const, label, probabilities };
  return { ...made, text: label, wording: scored ? 'MODEL' : 'EVIDENCE', output, abstention: null };
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
  const of = new Map(adapter.map(({ label, probability }) => [label, probability]));
  const scores = names.map(
    (name, i) =>
      weights.adapter * Math.log(Math.max(of.get(name) ?? 0, FLOOR)) +
      weights.neighbours * Math.log(Math.max(neighbours[i]!, FLOOR)),
  );
  return softmax(scores);
}
