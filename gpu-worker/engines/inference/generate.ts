import { randomInt } from 'node:crypto';
import {
  LlamaGrammarEvaluationState,
  type Llama,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
} from 'node-llama-cpp';
import { badInput, GraftError } from '../../../src/kernel/errors.js';
import { RepetitionWatch } from '../../../src/kernel/repetition.js';
import {
  SEEDS,
  type GenerateChunk,
  type InputOf,
  type OutputOf,
  type ServeOperations,
} from '../../../src/worker-protocol/index.js';
import type { Call } from '../../server.js';
import type { Turn } from '../../turns.js';
import { StopScanner, TokenText } from './answer-text.js';
import { CopyCursor, type Cursor } from './copying/copy-cursor.js';
import { copyTokens, type CopyOutcome } from './copying/copy-tokens.js';
import { MarkCursor } from './copying/mark-cursor.js';
import { vocabularyOf } from './copying/vocabulary.js';
import { keyOf } from './adapters.js';
import { callsGrammarOf, grammarOf } from './json-grammar.js';
import type { SequenceLease } from './lease.js';
import { defaultThreads, type HostedModel } from './model-host.js';
import { requireNumbers } from './no-numbers.js';
import { requireTime } from './prefill.js';
import { ProbableTokens } from './probable-tokens.js';
import { readingProgress } from './reading-progress.js';
import { drawnAs, noting } from './sampling.js';
import { TextStream } from './text-stream.js';

type Generate = ServeOperations['generate'];

/**
 * Answers one prompt: reuse what the sequence already holds, evaluate the rest slice by slice, then take token after
 * token, each in its turn. Cancel and deadline are looked at in between.
 * @param prompt tokens, as `checkedPrompt` gives them
 * @throws QUESTION_TOO_LONG when it can't be read in time, BAD_USER_INPUT on a grammar or a constraint that can't be followed, and what
 *   `Adapters.hold` throws
 */
export async function generate(
  llama: Llama,
  hostedModel: HostedModel,
  input: InputOf<Generate>,
  prompt: readonly Token[],
  call: Call<GenerateChunk>,
  turn: Turn,
): Promise<OutputOf<Generate>> {
  const { model, context } = hostedModel;
  const { signal, chunks, trace } = call;
  const began = performance.now();
  const grammar = grammarFor(input);
  const grammarEvaluationState = await grammarState(llama, hostedModel, grammar);
  const cursor = input.constraint && cursorOf(hostedModel, input.constraint);
  const probable = input.probable === undefined ? null : new ProbableTokens(vocabularyOf(model), input.probable);
  const maxTokens = Math.min(input.maxTokens, context.contextSize - prompt.length);
  const writtenTokens: Token[] = [];
  const samplingOptions = drawnAs(model, input.sampling ?? {}, { said: writtenTokens, most: maxTokens });
  const request = { adapters: input.model.adapters ?? [], threads: input.threads ?? defaultThreads(), turn, trace };

  return hostedModel.withSequence(prompt, request, async (lease) => {
    const reusedTokens = await lease.reuse(prompt);
    requireTime(hostedModel, { tokens: prompt.length, reused: reusedTokens }, call.timeLeft());
    await chunks.send({ type: 'started', promptTokens: prompt.length, reusedTokens });
    const rest = await lease.read(prompt, reusedTokens, readingProgress(call));

    const seed = (input.seed ?? randomInt(2 ** 32)) % SEEDS;
    const { temperature } = input;
    const key = keyOf(input.model.adapters);
    const copied: CopyOutcome = { reason: 'eos', refusalProbability: null };
    const tokens = cursor
      ? copyTokens(lease, rest, { cursor, ends: endsOf(model), maxTokens, temperature, seed }, copied, signal)
      : noting(
          writtenTokens,
          lease.steps(
            freely(
              hostedModel,
              lease,
              rest,
              { ...samplingOptions, temperature, seed, grammarEvaluationState },
              { key, probable },
            ),
          ),
        );
    const stream = new TextStream(chunks);
    try {
      const { firstAt, lastAt, begins, ...result } = await write(
        // What opens a call may be a control token, and is a part of the text then.
        new TokenText(
          (tokens, context) => model.detokenize(tokens, input.calls !== undefined, context),
          prompt.slice(-4),
        ),
        tokens,
        // A copy ends by itself, and may repeat what its text repeats.
        cursor
          ? { stop: input.stop, maxTokens: Infinity, watched: false }
          : // What is cut off in a loop would be no JSON.
            { stop: input.stop, maxTokens, watched: input.json === undefined },
        stream,
        signal,
      );
      trace?.add('read', began, firstAt, { tokens: prompt.length, reused: reusedTokens });
      trace?.add('write', firstAt, lastAt, { tokens: result.generatedTokens });
      return {
        ...result,
        ...(probable && { tokens: probable.within(begins, result.repeatedFrom ?? result.text.length) }),
        ...(cursor && { refusalProbability: copied.refusalProbability }),
        ...(cursor && result.reason === 'eos' && { reason: copied.reason }),
        promptTokens: prompt.length,
        reusedTokens,
        prefillMs: firstAt - began,
        decodeMs: lastAt - firstAt,
        adapters: lease.acting,
      };
    } finally {
      stream.close();
    }
  });
}

/**
 * Words as they come. The first answer under adapters is looked at more closely, and so is one of which it is asked how probable its tokens
 * are: that costs a sort of the vocabulary for each token. Under a grammar all are, since the library draws otherwise where nobody looks: first
 * freely, then again if the grammar forbids it, which is another text from the same seed.
 */
function freely(
  { computedUnder }: HostedModel,
  { sequence }: SequenceLease,
  tokens: Token[],
  settings: SequenceEvaluateOptions,
  { key, probable }: { key: string; probable: ProbableTokens | null },
): AsyncGenerator<Token, void> {
  const numbers = (): void => void computedUnder.add(key);
  if (probable) {
    const evaluations = sequence.evaluateWithMetadata(tokens, { confidence: true, probabilities: true }, settings);
    return requireNumbers(probable.follow(evaluations), numbers);
  }
  if (computedUnder.has(key) && settings.grammarEvaluationState === undefined)
    return sequence.evaluate(tokens, settings);
  return requireNumbers(sequence.evaluateWithMetadata(tokens, { confidence: true }, settings), numbers);
}

type Written = Pick<OutputOf<Generate>, 'text' | 'reason' | 'repeatedFrom' | 'generatedTokens'> & {
  /** When the first and the last token came; both the end if there was none. */
  firstAt: number;
  lastAt: number;
  /** Where each token begins in the text, in UTF-16 units; one that was held back begins behind it. */
  begins: number[];
};

/** Takes token after token and sends their text, until the model, a stop text, a repeated piece or the limit ends it. */
async function write(
  characters: TokenText<Token>,
  tokens: AsyncIterable<Token>,
  { stop, maxTokens, watched }: { stop: readonly string[]; maxTokens: number; watched: boolean },
  stream: TextStream,
  signal: AbortSignal,
): Promise<Written> {
  const scanner = new StopScanner(stop);
  const repetition = new RepetitionWatch();
  /** Length of the text after each token. */
  const lengths: number[] = [];
  const begins: number[] = [];
  let offset = 0;
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
    const piece = characters.next(token);
    begins.push(offset);
    offset += piece.length;
    await emit(scanner.push(piece));
    lengths.push(text.length);
    const repeated = watched && repetition.push(token);
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
  return { text, reason, repeatedFrom, generatedTokens, firstAt, lastAt, begins };
}

/** @throws BAD_USER_INPUT when there is nothing that could be said */
function cursorOf({ model }: HostedModel, constraint: NonNullable<InputOf<Generate>['constraint']>): Cursor {
  const vocabulary = vocabularyOf(model);
  if ('mark' in constraint)
    return MarkCursor.over(vocabulary, constraint.mark, model.tokenize(constraint.mark.text, false));
  const { copyFrom, refusal = null } = constraint;
  if (copyFrom.length === 0 && refusal === null)
    throw badInput('constraint.copyFrom', 'Without a text or a refusal nothing can be said.');
  return CopyCursor.over(vocabulary, { texts: copyFrom, refusal });
}

/** @throws BAD_USER_INPUT where two things are asked that exclude each other */
function grammarFor(input: InputOf<Generate>): string | undefined {
  const { grammar, json, calls, constraint, probable, sampling } = input;
  if ([grammar, json, calls, constraint].filter((bond) => bond !== undefined).length > 1)
    throw badInput('constraint', 'An answer is held to a grammar, a form, calls or texts, not to two of them.');
  if (constraint !== undefined && (probable ?? sampling) !== undefined)
    throw badInput('constraint', 'A copy is chosen among spans, not token by token.');
  if (calls !== undefined) return callsGrammarOf(calls);
  return json === undefined ? grammar : grammarOf(json);
}

const endsOf = ({ tokens: { eos, eot } }: LlamaModel): Token[] =>
  [...new Set([eos, eot])].filter((token): token is Token => token !== null);

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
