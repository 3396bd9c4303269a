import { mostProbable } from '../../../sources/data/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { softmax } from '../../../kernel/softmax.js';
import { prefill } from '../../../platform/tracing/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { LabelToken } from '../../../sources/registry/index.js';
import type { ModelFile } from '../../../worker-protocol/index.js';
import type { ComposedPrompt } from '../prompt/compose.js';
import type { AskEvent } from '../events.js';
import type { Plan } from '../plan.js';
import { unsure } from '../abstention.js';
import { abstained, type Completion } from './word-answer.js';

/** A label and how probable it is, 0 to 1. */
export type LabelProbability = { label: string; probability: number };

/** The label tokens of a plan whose adapter learned them; null where answers are written as text. */
export function labelTokensOf({ adaptation }: Plan): LabelToken[] | null {
  const answer = adaptation?.adapter.usage.answer;
  return answer?.form === 'label-token' ? answer.labels : null;
}

export interface ClassifyStep {
  workspaceId: WorkspaceId;
  model: ModelFile;
  /** What it is called: see `nameOf`. Left out, neither traces nor metrics tell of it, as of what nobody waits for. */
  named?: string;
  composed: Pick<ComposedPrompt, 'prompt'>;
  signal: AbortSignal;
}

/**
 * The most probable label, from one prefill and no decoding: the softmax of the logits of the labels' tokens.
 * @throws what the worker throws
 */
export async function* classify(
  worker: Pick<WorkerClient, 'scoreNext'>,
  step: ClassifyStep,
  labels: readonly LabelToken[],
  minConfidence: number | null,
): AsyncGenerator<AskEvent, Completion> {
  const { probabilities, done } = await scoreLabels(worker, step, labels);
  const best = probabilities[mostProbable(probabilities.map(({ probability }) => probability))]!;
  if (minConfidence !== null && best.probability < minConfidence) {
    const abstention = unsure(best.probability, minConfidence, 'LABEL');
    yield { type: 'delta', text: abstention.sentence };
    return { ...abstained(abstention), finishReason: null, done };
  }
  yield { type: 'delta', text: best.label };
  return {
    text: best.label,
    wording: 'MODEL',
    finishReason: null,
    output: { kind: 'LABEL', label: best.label, probabilities },
    abstention: null,
    answerability: null,
    done,
  };
}

/** How probable an adapter finds each of its labels; they sum to 1. @throws what the worker throws */
export async function scoreLabels(
  worker: Pick<WorkerClient, 'scoreNext'>,
  { workspaceId, model, named, composed, signal }: ClassifyStep,
  labels: readonly LabelToken[],
): Promise<{ probabilities: LabelProbability[]; done: NonNullable<Completion['done']> }> {
  const candidates = labels.map(({ token }) => token);
  const { prompt } = composed;
  const scored = () => worker.scoreNext({ workspaceId, model, prompt, candidates }, { signal });
  const { logits, promptTokens, reusedTokens, prefillMs } = await (named === undefined
    ? scored()
    : prefill({ model: named, prompt, maxTokens: 1 }, (result) => result, scored));
  const shares = softmax(logits);
  return {
    probabilities: labels.map(({ label }, i) => ({ label, probability: shares[i]! })),
    done: { promptTokens, reusedTokens, generatedTokens: 0, prefillMs, decodeMs: 0 },
  };
}
