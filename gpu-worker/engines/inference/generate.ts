import { randomInt } from 'node:crypto';
import { LlamaGrammarEvaluationState, type Llama, type Token } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { GenerateChunk, InputOf, OutputOf, ServeOperations } from '../../../src/worker-protocol/index.js';
import type { Call } from '../../server.js';
import { StopScanner, TokenText } from './answer-text.js';
import { defaultThreads, type HostedModel } from './model-host.js';
import { checkedPrompt, evaluateAllButLastBatch, reuse } from './prefill.js';
import { RepetitionWatch } from './repetition.js';
import { TextStream } from './text-stream.js';

type Generate = ServeOperations['generate'];

/**
 * Answers one prompt: reuse what the sequence already holds, evaluate the rest batch by batch, then take token after
 * token. Cancel and deadline are looked at between batches.
 * @throws QUESTION_TOO_LONG when the prompt fills the context, BAD_USER_INPUT on a grammar that can't be parsed, and what
 *   `Adapters.apply` throws
 */
export async function generate(
  llama: Llama,
  hosted: HostedModel,
  input: InputOf<Generate>,
  { signal, chunks }: Call<GenerateChunk>,
): Promise<OutputOf<Generate>> {
  const { model, context } = hosted;
  const began = performance.now();
  const prompt = checkedPrompt(hosted, input.prompt);
  const grammarEvaluationState = await grammarState(llama, hosted, input.grammar);
  const maxTokens = Math.min(input.maxTokens, context.contextSize - prompt.length);
  hosted.setThreads(input.threads ?? defaultThreads());

  return hosted.withSequence(prompt, input.model.adapters ?? [], async (sequence) => {
    const reusedTokens = await reuse(sequence, prompt);
    await chunks.send({ type: 'started', promptTokens: prompt.length, reusedTokens });
    const rest = await evaluateAllButLastBatch(sequence, prompt.slice(reusedTokens), context.batchSize, signal);

    const tokens = sequence.evaluate(rest, {
      temperature: input.temperature,
      seed: input.seed ?? randomInt(2 ** 32),
      grammarEvaluationState,
    });
    const stream = new TextStream(chunks);
    try {
      const { firstAt, lastAt, ...written } = await write(
        new TokenText((some, before) => model.detokenize(some, false, before), prompt.slice(-4)),
        tokens,
        { stop: input.stop, maxTokens },
        stream,
        signal,
      );
      return {
        ...written,
        promptTokens: prompt.length,
        reusedTokens,
        prefillMs: firstAt - began,
        decodeMs: lastAt - firstAt,
        adapters: hosted.adapters.acting,
      };
    } finally {
      stream.close();
    }
  });
}

type Written = Pick<OutputOf<Generate>, 'text' | 'reason' | 'repeatedFrom' | 'generatedTokens'> & {
  /** When the first and the last token came; both the end if there was none. */
  firstAt: number;
  lastAt: number;
};

/** Takes token after token and sends their text, until the model, a stop text, a repeated piece or the limit ends it. */
async function write(
  characters: TokenText<Token>,
  tokens: AsyncIterable<Token>,
  { stop, maxTokens }: { stop: readonly string[]; maxTokens: number },
  stream: TextStream,
  signal: AbortSignal,
): Promise<Written> {
  const scanner = new StopScanner(stop);
  const repetition = new RepetitionWatch();
  /** Length of the text after each token. */
  const lengths: number[] = [];
  let text = '';
  let generatedTokens = 0;
  let firstAt = 0;
  let lastAt = 0;
  const emit = async (piece: string): Promise<void> => {
    text += piece;
    await stream.write(piece);
  };
  let reason: Written['reason'] = 'eos';
  let repeatedFrom: number | undefined;
  for await (const token of tokens) {
    lastAt = performance.now();
    if (generatedTokens === 0) firstAt = lastAt;
    generatedTokens += 1;
    signal.throwIfAborted();
    await emit(scanner.push(characters.next(token)));
    lengths.push(text.length);
    const repeated = repetition.push(token);
    if (scanner.stopped) reason = 'stop';
    else if (repeated) {
      reason = 'repeated';
      repeatedFrom = lengths[repeated.kept - 1];
    } else if (generatedTokens >= maxTokens) reason = 'length';
    else continue;
    break;
  }
  if (!scanner.stopped) await emit(scanner.push(characters.end()));
  if (scanner.stopped) reason = 'stop';
  else await emit(scanner.end());
  await stream.end();
  if (generatedTokens === 0) firstAt = lastAt = performance.now();
  return { text, reason, repeatedFrom, generatedTokens, firstAt, lastAt };
}

async function grammarState(
  llama: Llama,
  { model }: HostedModel,
  grammar: string | undefined,
): Promise<LlamaGrammarEvaluationState | undefined> {
  if (grammar === undefined) return undefined;
  try {
    return new LlamaGrammarEvaluationState({ model, grammar: await llama.createGrammar({ grammar }) });
  } catch (error) {
    throw new GraftError('BAD_USER_INPUT', 'The grammar is not valid GBNF.', { field: 'grammar', cause: error });
  }
}
