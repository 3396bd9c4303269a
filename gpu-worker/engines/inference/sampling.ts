import { TokenBias, type LlamaModel, type SequenceEvaluateOptions, type Token } from 'node-llama-cpp';
import { badInput } from '../../../src/kernel/errors.js';
import { SAMPLING, type Sampling } from '../../../src/worker-protocol/index.js';

/**
 * How the library draws what was asked.
 * @param said the answer's tokens so far: penalties look at them each time a token is drawn
 * @param most tokens that the answer may have
 * @throws BAD_USER_INPUT for a token that the model doesn't have
 */
export function drawnAs(
  model: LlamaModel,
  { topP, frequencyPenalty = 0, presencePenalty = 0, logitBias }: Sampling,
  { said, most }: { said: readonly Token[]; most: number },
): SequenceEvaluateOptions {
  const penalised = frequencyPenalty !== 0 || presencePenalty !== 0;
  return {
    ...SAMPLING,
    ...(topP !== undefined && { topP }),
    ...(penalised && {
      repeatPenalty: {
        punishTokens: () => [...said],
        maxPunishTokens: most,
        penalty: 1,
        frequencyPenalty,
        presencePenalty,
      },
    }),
    ...(logitBias && { tokenBias: biasOf(model, logitBias) }),
  };
}

function biasOf(model: LlamaModel, biases: NonNullable<Sampling['logitBias']>): TokenBias {
  const { length } = model.fileInfo.metadata.tokenizer.ggml.tokens;
  const bias = TokenBias.for(model);
  for (const [id, logit] of Object.entries(biases)) {
    if (Number(id) >= length)
      throw badInput('input.sampling.logitBias', `The model has no token ${id}: its ids end at ${length - 1}.`);
    bias.set(Number(id) as Token, { logit });
  }
  return bias;
}

/** Passes tokens on, and keeps them. */
export async function* noting(history: Token[], tokens: AsyncIterable<Token>): AsyncGenerator<Token, void> {
  for await (const token of tokens) {
    history.push(token);
    yield token;
  }
}
