import type { WorkspaceId } from '../kernel/ids.js';
import { REFUSAL } from '../prompting/index.js';
import type { WorkerClient } from '../platform/worker/index.js';
import type { GenerateDone, ModelFile } from '../worker-protocol/index.js';
import type { Composed } from './compose.js';
import type { Generation } from './question.js';

export interface GenerateStep {
  workspaceId: WorkspaceId;
  model: ModelFile;
  composed: Composed;
  generation: Generation;
  signal: AbortSignal;
}

/**
 * The model's words as they come, without white space around the whole; returns what the worker reported at the end.
 * Leaving the loop, or aborting the signal, stops the worker within one batch.
 * @throws WORKER_CRASHED, WORKER_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED, CANCELLED
 */
export async function* generate(
  worker: Pick<WorkerClient, 'generate'>,
  { workspaceId, model, composed, generation, signal }: GenerateStep,
): AsyncGenerator<string, GenerateDone> {
  const { maxTokens, temperature, seed } = generation;
  const events = worker.generate(
    {
      workspaceId,
      model,
      prompt: composed.prompt,
      maxTokens,
      temperature,
      ...(seed === null ? {} : { seed }),
      stop: composed.stop,
      ...(composed.copyFrom && { constraint: { copyFrom: composed.copyFrom, refusal: REFUSAL } }),
      ...(composed.heldTo && { constraint: composed.heldTo }),
    },
    { signal },
  );
  let started = false;
  let held = '';
  for await (const event of events) {
    if (event.type === 'done') return trimmed(event);
    if (event.type !== 'delta') continue;
    // White space at an end of the answer is none of it: it waits until a word follows.
    const text = held + event.text;
    const kept = text.trimEnd();
    held = text.slice(kept.length);
    const delta = started ? kept : kept.trimStart();
    if (delta === '') continue;
    started = true;
    yield delta;
  }
  throw new Error('the worker’s stream ended without its last event');
}

function trimmed({ text, repeatedFrom, ...done }: GenerateDone): GenerateDone {
  const leading = text.length - text.trimStart().length;
  return {
    ...done,
    text: text.trim(),
    ...(repeatedFrom === undefined ? {} : { repeatedFrom: Math.max(0, repeatedFrom - leading) }),
  };
}
