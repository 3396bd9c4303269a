/** Prompts to models, as spans and as a metric. */
import { isGraftError } from '../../kernel/errors.js';
import { durations } from '../telemetry/index.js';
import { GEN_AI, GEN_AI_OPERATION, INFERENCE_DURATION, PROVIDER } from './conventions.js';
import type { Attributes, TraceSpan, SpanOptions } from './span.js';
import { isMuted, traced, tracedStream, tracesText } from './tracing.js';

const took = durations(
  INFERENCE_DURATION,
  'How long models took for a prompt, by model (name@version of an adapter).',
  ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'error_type'],
);

/** What a model is asked. */
interface Inference {
  /** `name@3` of an adapter, else the model's name. */
  model: string;
  prompt: readonly { text: string }[];
  maxTokens: number;
  temperature?: number;
  seed?: number | null;
}

/** What came of it. */
interface Inferred {
  promptTokens: number;
  reusedTokens: number;
  generatedTokens: number;
  /** Why it ended. */
  reason: string;
  text?: string;
}

/** One prompt and what a model writes for it: a span, and a place in `gen_ai.client.inference.duration`. */
export async function* inference<T, R extends Inferred>(
  request: Inference,
  open: () => AsyncGenerator<T, R>,
): AsyncGenerator<T, R> {
  const end = noted(request);
  // Who leaves before the end says so by nothing else.
  let failure: unknown = 'CANCELLED';
  try {
    const result = yield* tracedStream(nameOf(request), optionsOf(request), (span) => answering(span, open()));
    failure = null;
    return result;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    end(failure);
  }
}

/** The same of a prompt for which nothing is written: `tell` says what it took. */
export async function prefill<R>(
  request: Inference,
  tell: (result: R) => Pick<Inferred, 'promptTokens' | 'reusedTokens'>,
  work: () => Promise<R>,
): Promise<R> {
  const end = noted(request);
  try {
    const result = await traced(nameOf(request), optionsOf(request), async (span) => {
      const output = await work();
      if (span.recording) span.set(resultOf({ ...tell(output), generatedTokens: 0, reason: 'eos' }));
      return output;
    });
    end(null);
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

const nameOf = ({ model }: Inference): string => `${GEN_AI_OPERATION.CHAT} ${model}`;

const optionsOf = ({ model, prompt, maxTokens, temperature, seed }: Inference): SpanOptions => ({
  kind: 'client',
  attributes: {
    [GEN_AI.OPERATION]: GEN_AI_OPERATION.CHAT,
    [GEN_AI.PROVIDER]: PROVIDER,
    [GEN_AI.MODEL]: model,
    [GEN_AI.MAX_TOKENS]: maxTokens,
    [GEN_AI.TEMPERATURE]: temperature,
    [GEN_AI.SEED]: seed,
    ...(tracesText() && { [GEN_AI.INPUT_MESSAGES]: message('user', prompt.map(({ text }) => text).join('')) }),
  },
});

async function* answering<T, R extends Inferred>(span: TraceSpan, source: AsyncGenerator<T, R>): AsyncGenerator<T, R> {
  const result = yield* source;
  if (span.recording) span.set(resultOf(result));
  return result;
}

const resultOf = ({ promptTokens, reusedTokens, generatedTokens, reason, text }: Inferred): Attributes => ({
  [GEN_AI.INPUT_TOKENS]: promptTokens,
  [GEN_AI.CACHED_TOKENS]: reusedTokens,
  [GEN_AI.OUTPUT_TOKENS]: generatedTokens,
  [GEN_AI.FINISH_REASONS]: [FINISH_REASONS[reason] ?? reason],
  ...(tracesText() && text !== undefined && { [GEN_AI.OUTPUT_MESSAGES]: message('assistant', text) }),
});

/** As the conventions call what the worker says. */
const FINISH_REASONS: Readonly<Record<string, string>> = { eos: 'stop' };

const message = (role: string, content: string): string =>
  JSON.stringify([{ role, parts: [{ type: 'text', content }] }]);

function noted({ model }: Inference): (failure: unknown) => void {
  if (isMuted()) return () => undefined;
  const began = performance.now();
  return (failure) =>
    took(
      {
        gen_ai_operation_name: GEN_AI_OPERATION.CHAT,
        gen_ai_provider_name: PROVIDER,
        gen_ai_request_model: model,
        error_type: errorType(failure),
      },
      performance.now() - began,
    );
}

const errorType = (failure: unknown): string =>
  failure === null ? '' : isGraftError(failure) ? failure.code : failure === 'CANCELLED' ? failure : '_OTHER';
