import type { WorkspaceId } from '../../../kernel/ids.js';
import type { PromptSegment } from '../../../sources/prompting/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { CallBond, GenerateDone, GenerateRequest, JsonForm, ModelFile } from '../../../worker-protocol/index.js';
import { inference } from '../../../platform/tracing/index.js';
import type { ComposedPrompt } from './compose.js';
import type { Generation, Sampling } from '../question.js';

export interface GenerateStep {
  workspaceId: WorkspaceId;
  model: ModelFile;
  /** What it is called: see `nameOf`. Left out, neither traces nor metrics tell of it, as of what nobody waits for. */
  named?: string;
  composed: Pick<ComposedPrompt, 'prompt' | 'then' | 'stop' | 'copyFrom' | 'refusal' | 'heldTo'>;
  generation: Generation;
  /** How they are drawn and ended beside that, where the model writes freely. */
  sampling?: Sampling;
  /** JSON that the words are held to. */
  form?: JsonForm;
  /** Functions that they may call. */
  calls?: CallBond;
  /** How many of the most probable tokens are told at each place. */
  probable?: number;
  signal: AbortSignal;
  /** `bulk` for work that nobody waits for. */
  priority?: 'bulk';
}

/** What the worker reported at the end; where the question was asked in pieces, of all of them together. */
export interface GenerationResult extends Omit<GenerateDone, 'type' | 'adapters' | 'repeatedFrom'> {
  /** The text without what the model said over and over. */
  kept: string;
}

/**
 * The model's words as they come, without white space around the whole; what stood between pieces of the question stands between
 * their answers. Leaving the loop, or aborting the signal, stops the worker within one batch.
 * @throws WORKER_CRASHED, WORKER_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED, CANCELLED
 */
export async function* generate(
  worker: Pick<WorkerClient, 'generate'>,
  step: GenerateStep,
): AsyncGenerator<string, GenerationResult> {
  const { prompt, then } = step.composed;
  let whole = yield* generatePiece(worker, prompt, '', step);
  let separator = '';
  for (const { gap, input } of then) {
    separator = whole.text === '' ? '' : separator + gap;
    const next = yield* generatePiece(worker, input, separator, step);
    whole = joined(whole, separator, next);
    if (next.text !== '') separator = '';
  }
  return whole;
}

/** @param prefix what stands before its first word */
function generatePiece(
  worker: Pick<WorkerClient, 'generate'>,
  prompt: PromptSegment[],
  prefix: string,
  step: GenerateStep,
): AsyncGenerator<string, GenerationResult> {
  const words = () => streamed(worker, prompt, prefix, step);
  const { named, generation } = step;
  return named === undefined ? words() : inference({ model: named, prompt, ...generation }, words);
}

async function* streamed(
  worker: Pick<WorkerClient, 'generate'>,
  prompt: PromptSegment[],
  prefix: string,
  step: GenerateStep,
): AsyncGenerator<string, GenerationResult> {
  const { signal, priority } = step;
  const events = worker.generate(requestOf(prompt, step), { signal, ...(priority && { priority }) });
  let started = false;
  let buffer = '';
  for await (const event of events) {
    if (event.type === 'done') return trimmed(event);
    if (event.type !== 'delta') continue;
    // White space at an end of the answer is none of it: it waits until a word follows.
    const text = buffer + event.text;
    const visibleText = text.trimEnd();
    buffer = text.slice(visibleText.length);
    const delta = started ? visibleText : visibleText.trimStart();
    if (delta === '') continue;
    yield started ? delta : prefix + delta;
    started = true;
  }
  throw new Error('the worker’s stream ended without its last event');
}

function requestOf(
  prompt: PromptSegment[],
  { workspaceId, model, composed, generation, sampling = {}, form, calls, probable }: GenerateStep,
): GenerateRequest {
  const { stop = [], ...parameters } = sampling;
  const { maxTokens, temperature, seed } = generation;
  return {
    workspaceId,
    model,
    prompt,
    maxTokens,
    temperature,
    ...(seed === null ? {} : { seed }),
    ...(Object.keys(parameters).length > 0 && { sampling: parameters }),
    // JSON ends by itself, and what would end a text may stand in it; calls may stand behind an empty line.
    ...(form !== undefined
      ? { stop: [], json: form }
      : { stop: calls === undefined ? [...composed.stop, ...stop] : stop, ...(calls && { calls }) }),
    ...(probable === undefined || composed.copyFrom || composed.heldTo ? {} : { probable }),
    ...(composed.copyFrom && {
      constraint: { copyFrom: composed.copyFrom, ...(composed.refusal !== null && { refusal: composed.refusal }) },
    }),
    ...(composed.heldTo && { constraint: composed.heldTo }),
  };
}

const trimmed = ({
  type: _type,
  adapters: _adapters,
  repeatedFrom,
  text,
  ...result
}: GenerateDone): GenerationResult => ({
  ...result,
  text: text.trim(),
  kept: text.slice(0, repeatedFrom).trim(),
});

function joined(first: GenerationResult, gap: string, next: GenerationResult): GenerationResult {
  const append = (text: string, addition: string): string => (addition === '' ? text : text + gap + addition);
  return {
    text: append(first.text, next.text),
    kept: append(first.kept, next.kept),
    reason:
      (['repeated', 'length'] as const).find((reason) => reason === first.reason || reason === next.reason) ??
      next.reason,
    promptTokens: first.promptTokens + next.promptTokens,
    reusedTokens: first.reusedTokens + next.reusedTokens,
    generatedTokens: first.generatedTokens + next.generatedTokens,
    prefillMs: first.prefillMs + next.prefillMs,
    decodeMs: first.decodeMs + next.decodeMs,
    refusalProbability: next.refusalProbability,
  };
}
