import { generate, promptsOf } from '../../answer/ask/index.js';
import {
  heldTo,
  mostProbable,
  renderPrompt,
  shownPassages,
  taskOf,
  type TaskContext,
  type TaskInput,
  type TaskRow,
} from '../../sources/data/index.js';
import { softmax } from '../../kernel/softmax.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { oneLine, REFUSAL, renderChat } from '../../sources/prompting/index.js';
import { modelFileOf, type ServedAdapter, type ServedVariant } from '../../sources/registry/index.js';
import type { Answered } from './figures.js';

/** A model that answers, alone or with an adapter. */
export interface Answering {
  workspaceId: WorkspaceId;
  variant: ServedVariant;
  adapter: ServedAdapter | null;
  /** Acts although the rows are not asked in its form: to see what it does where it doesn’t belong. */
  alwaysOn?: ServedAdapter['file'] | null;
  /** Labels and languages that its prompts name. */
  context: TaskContext;
}

/**
 * The answer to one row, as `ask` would give it: by label token where the adapter learned so, else as the most probable text.
 * @param facts the row's features, rendered @throws what the worker throws
 */
export async function askRow(
  worker: Pick<WorkerClient, 'generate' | 'scoreNext'>,
  { workspaceId, variant, adapter, alwaysOn = null, context }: Answering,
  { row, facts }: { row: TaskRow; facts: string },
  signal: AbortSignal,
): Promise<Answered> {
  const acting = adapter?.file ?? alwaysOn;
  const model = modelFileOf(variant, acting ? [acting] : []);
  const promptOf = (input: TaskInput) =>
    renderChat(variant.chat, renderPrompt(input, context, { facts, passages: null }));
  if (adapter?.usage.answer.form === 'label-token') {
    const { labels } = adapter.usage.answer;
    const candidates = labels.map(({ token }) => token);
    const request = { workspaceId, model, prompt: promptOf(row), candidates };
    const { logits } = await worker.scoreNext(request, { signal, priority: 'bulk' });
    const shares = softmax(logits);
    const best = mostProbable(shares);
    return { text: context.labels.say(labels[best]!.label), probability: shares[best]! };
  }
  const { maxTokens, stop } = taskOf(row.task).answering;
  // As `ask` does: whoever learned to answer from passages is held to spans of them.
  const copyFrom = adapter?.usage.reads ? shownPassages(row).map(oneLine) : [];
  const constraint =
    copyFrom.length > 0
      ? { copyFrom, refusal: REFUSAL, heldTo: null }
      : { copyFrom: null, refusal: null, heldTo: heldTo(row, context) };
  const answerStream = generate(worker, {
    workspaceId,
    model,
    generation: { maxTokens, temperature: 0, seed: null },
    signal,
    priority: 'bulk',
    composed: { ...promptsOf(row, promptOf), ...constraint, stop: [...stop] },
  });
  for (;;) {
    const { done, value } = await answerStream.next();
    if (done) return { text: value.kept, probability: sure(value.refusalProbability) };
  }
}

/** How probable the model finds it that what it read holds the answer: what its refusal leaves of 1; null where it could not refuse. */
const sure = (refusalProbability: number | null | undefined): number | null =>
  refusalProbability == null ? null : 1 - refusalProbability;
