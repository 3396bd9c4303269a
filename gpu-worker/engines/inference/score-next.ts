import type { Token } from 'node-llama-cpp';
import { badInput } from '../../../src/kernel/errors.js';
import type { InputOf, OutputOf, ServeOperations } from '../../../src/worker-protocol/index.js';
import { defaultThreads, type HostedModel } from './model-host.js';
import { asking, logitOf, told } from './next-logits.js';
import { checkedPrompt, evaluateAllButLastBatch, reuse } from './prefill.js';

type ScoreNext = ServeOperations['scoreNext'];

/**
 * One prefill, and what the model says of each candidate as the next token.
 * @throws BAD_USER_INPUT for a candidate that is not one token, QUESTION_TOO_LONG, and what `Adapters.apply` throws
 */
export async function scoreNext(
  hosted: HostedModel,
  input: InputOf<ScoreNext>,
  signal: AbortSignal,
): Promise<OutputOf<ScoreNext>> {
  const began = performance.now();
  const prompt = checkedPrompt(hosted, input.prompt);
  const tokens = input.candidates.map((candidate, index) => tokenOf(hosted, candidate, index));
  hosted.setThreads(input.threads ?? defaultThreads());
  return hosted.withSequence(prompt, input.model.adapters ?? [], async (sequence) => {
    if (input.fresh) await sequence.clearHistory();
    const reusedTokens = await reuse(sequence, prompt);
    const rest = await evaluateAllButLastBatch(sequence, prompt.slice(reusedTokens), hosted.context.batchSize, signal);
    const last = rest.pop()!;
    const results = await sequence.controlledEvaluate([...rest, asking(last, tokens, 1)]);
    const next = told(results.at(-1)?.next);
    const logits = tokens.map((token) => logitOf(next, token));
    return {
      tokens,
      logits,
      logProbabilities: logits.map((logit) => Math.min(0, logit - next.normaliser)),
      promptTokens: prompt.length,
      reusedTokens,
      prefillMs: performance.now() - began,
      adapters: hosted.adapters.acting,
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
