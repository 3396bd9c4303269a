import type { WorkspaceId } from '../../kernel/ids.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { baseMessages, renderChat } from '../../sources/prompting/index.js';
import { modelFileOf, type ServedAdapter, type ServedVariant } from '../../sources/registry/index.js';
import type { TextScores } from '../../worker-protocol/index.js';
import { answerF1 } from '../metrics/question-answering.js';
import type { GeneralText } from './general-text.js';
import { coarseDivergence, type PromptScore, type WindowScore } from './retention.js';

export interface Adapted {
  workspaceId: WorkspaceId;
  variant: ServedVariant;
  adapter: Pick<ServedAdapter, 'file'>;
}

/** Tokens of each answer to a general prompt. */
const ANSWER_TOKENS = 24;
/** Most probable tokens of the base model whose probabilities are compared; the rest of the vocabulary counts as one. */
const COMPARED = 32;

/**
 * What an adapter that is always on changes of general text and general answers. It is measured in the worker that serves: what
 * answers is the GGUF model with quantised activations and the GGUF LoRA, and no other engine computes just that.
 * @param tell is told the share that is done, 0..1 @throws the signal's reason, and what the worker throws
 */
export async function measureRetention(
  worker: Pick<WorkerClient, 'generate' | 'scoreText'>,
  target: Adapted,
  { texts, prompts }: GeneralText,
  signal: AbortSignal,
  tell: (share: number) => Promise<void>,
): Promise<{ windows: WindowScore[]; prompts: PromptScore[] }> {
  const sides = new Sides(worker, target, signal);
  const samples = texts.flatMap(({ name, windows }) => windows.map((window) => ({ name, window })));
  const steps = samples.length + prompts.length;
  const windows: WindowScore[] = [];
  // One side after the other, so that the adapter is switched once a part and not once a window.
  for (const part of partsOf(samples)) {
    const base = await inTurn(part, ({ window }) => sides.score(false, window));
    const adapted = await inTurn(part, ({ window }) => sides.score(true, window));
    part.forEach(({ name }, i) =>
      windows.push({
        text: name,
        tokens: base[i]!.logProbabilities.length,
        base: nats(base[i]!),
        adapted: nats(adapted[i]!),
      }),
    );
    await tell(windows.length / steps);
  }
  const scores: PromptScore[] = [];
  for (const part of partsOf(prompts)) {
    scores.push(...(await promptScores(sides, part)));
    await tell((windows.length + scores.length) / steps);
  }
  return { windows, prompts: scores };
}

async function promptScores(sides: Sides, prompts: readonly string[]): Promise<PromptScore[]> {
  const base = await inTurn(prompts, async (prompt) => {
    const text = await sides.answer(false, prompt);
    // A model may well say nothing at all; then its next token is compared with the end of the line.
    return { text, scores: await sides.score(false, text === '' ? '\n' : text, { prompt }) };
  });
  const adapted = await inTurn(prompts, async (prompt, i) => {
    const { text, scores } = base[i]!;
    const topTokens = scores.top;
    return {
      text: await sides.answer(true, prompt),
      scores: await sides.score(true, text === '' ? '\n' : text, { prompt, wanted: topTokens }),
    };
  });
  return base.map(({ text, scores }, i) => {
    const adaptedResult = adapted[i]!;
    const places = scores.logProbabilities.length;
    const topCount = scores.top.length / places;
    const rangeOf = (place: number) => [place * topCount, (place + 1) * topCount] as const;
    const perPlace = Array.from({ length: places }, (_, place) => place);
    return {
      places,
      agreeing: perPlace.filter((place) => scores.top[place * topCount] === adaptedResult.scores.top[place * topCount])
        .length,
      divergence: perPlace.reduce(
        (sum, place) =>
          sum +
          coarseDivergence(
            scores.topLogProbabilities.subarray(...rangeOf(place)),
            adaptedResult.scores.wantedLogProbabilities.subarray(...rangeOf(place)),
          ),
        0,
      ),
      likeness: text === adaptedResult.text ? 1 : answerF1({ gold: [text], answer: adaptedResult.text }),
    };
  });
}

/** The same model without and with the adapter. */
class Sides {
  constructor(
    private readonly worker: Pick<WorkerClient, 'generate' | 'scoreText'>,
    private readonly target: Adapted,
    private readonly signal: AbortSignal,
  ) {}

  score(
    adapted: boolean,
    text: string,
    { prompt, wanted }: { prompt?: string; wanted?: Int32Array } = {},
  ): Promise<TextScores> {
    this.signal.throwIfAborted();
    const promptField = prompt === undefined ? {} : { given: this.#chat(prompt) };
    return this.worker.scoreText(
      { ...this.#model(adapted), ...promptField, text, top: COMPARED, ...(wanted === undefined ? {} : { wanted }) },
      { signal: this.signal, priority: 'bulk' },
    );
  }

  async answer(adapted: boolean, prompt: string): Promise<string> {
    this.signal.throwIfAborted();
    const request = { prompt: this.#chat(prompt), maxTokens: ANSWER_TOKENS, temperature: 0, stop: [] };
    const stream = this.worker.generate(
      { ...this.#model(adapted), ...request },
      { signal: this.signal, priority: 'bulk' },
    );
    for await (const event of stream) if (event.type === 'done') return event.text;
    throw new Error('the worker’s stream ended without its last event');
  }

  #chat(prompt: string): ReturnType<typeof renderChat> {
    return renderChat(this.target.variant.chat, baseMessages(prompt));
  }

  #model(adapted: boolean) {
    const { workspaceId, variant, adapter } = this.target;
    return { workspaceId, model: modelFileOf(variant, adapted ? [adapter.file] : []) };
  }
}

const nats = ({ logProbabilities }: TextScores): number => -logProbabilities.reduce((sum, value) => sum + value, 0);

const PART = 8;
const partsOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / PART) }, (_, i) => items.slice(i * PART, (i + 1) * PART));

async function inTurn<T, R>(items: readonly T[], work: (each: T, i: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const [i, item] of items.entries()) results.push(await work(item, i));
  return results;
}
