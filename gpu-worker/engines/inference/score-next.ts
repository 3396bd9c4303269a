import type { Token } from 'node-llama-cpp';
import type { Call } from '../../server.js';
import type { Turn } from '../../turns.js';
import { badInput } from '../../../src/kernel/errors.js';
import type { InputOf, OutputOf, ServeOperations } from '../../../src/worker-protocol/index.js';
import { defaultThreads, type HostedModel } from './model-host.js';
import { asking, logitOf, told } from './next-logits.js';
import { requireTime } from './prefill.js';
import { readingProgress } from './reading-progress.js';

type ScoreNext = ServeOperations['scoreNext'];

/**
 * One prefill, and what the model says of each candidate as the next token.
 * @param prompt tokens, as `checkedPrompt` gives them
 * @throws BAD_USER_INPUT for a candidate that is not one token, QUESTION_TOO_LONG, and what `Adapters.hold` throws
 */
export async function scoreNext(
  hostedModel: HostedModel,
  input: InputOf<ScoreNext>,
  prompt: readonly Token[],
  call: Call,
  turn: Turn,
): Promise<OutputOf<ScoreNext>> {
  const began = performance.now();
  const tokens = input.candidates.map((candidate, index) => tokenOf(hostedModel, candidate, index));
  const request = {
    adapters: input.model.adapters ?? [],
    threads: input.threads ?? defaultThreads(),
    turn,
    trace: call.trace,
  };
  return hostedModel.withSequence(prompt, request, async (lease) => {
    if (input.fresh) await lease.clear();
    const reusedTokens = await lease.reuse(prompt);
    requireTime(hostedModel, { tokens: prompt.length, reused: reusedTokens }, call.timeLeft());
    const rest = await lease.read(prompt, reusedTokens, readingProgress(call));
    const last = rest.pop()!;
    const results = await lease.evaluate([...rest, asking(last, tokens, 1)]);
    const next = told(results.at(-1)?.next);
    const logits = tokens.map((token) => logitOf(next, token));
    call.trace?.add('read', began, performance.now(), { tokens: prompt.length, reused: reusedTokens });
    return {
      tokens,
      logits,
      logProbabilities: logits.map((logit) => Math.min(0, logit - next.normaliser)),
      promptTokens: prompt.length,
      reusedTokens,
      prefillMs: performance.now() - began,
      adapters: lease.acting,
    };
  });
}

function tokenOf({ model }: HostedModel, candidate: number | string, index: number): Token {
  if (typeof candidate === 'number') {
    if (candidate < model.fileInfo.metadata.tokenizer.ggml.tokens.length) return candidate as Token;
    throw badInput(`candidates.${index}`, `The model has no token ${candidate}.`);
  }
  const tokens = model.tokenize(candidate, false);
  if (tokens.length === 1) return tokens[0]!;
  throw badInput(
    `candidates.${index}`,
    `A candidate has ${tokens.length} tokens; each must be one.`,
    'Choose words that the vocabulary holds, with the space before them if the prompt ends without one.',
  );
}
