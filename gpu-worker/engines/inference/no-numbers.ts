import type { Token } from 'node-llama-cpp';
import { GraftError } from '../../../src/kernel/errors.js';
import type { ActingAdapter } from '../../../src/worker-protocol/index.js';
import { short } from './adapter-file.js';

/** What the model says of the next token is no number: nothing can be chosen by it. */
export class NoNumbers extends Error {}

/** @returns the error that its caller sees: the adapters' where some act, else the model's */
export function withoutNumbers(adapters: readonly ActingAdapter[]): GraftError {
  if (adapters.length === 0)
    return new GraftError('MODEL_FILE_INVALID', 'The model computes no numbers: its weights are damaged.');
  const names = adapters.map(({ sha256 }) => short(sha256)).join(' and ');
  return new GraftError('ADAPTER_NOT_FINITE', `Under the adapter ${names} the model computes no numbers.`, {
    hint: 'Roll back to another version; train or import this one again.',
  });
}

/**
 * Tokens as they come, of which each says how sure the model was.
 * @param onNumbers told at each that it says so in numbers
 * @throws NoNumbers when it doesn't
 */
export async function* requireNumbers(
  tokens: AsyncGenerator<{ token: Token; confidence: number }, void>,
  onNumbers: () => void,
): AsyncGenerator<Token, void> {
  for await (const { token, confidence } of tokens) {
    if (!Number.isFinite(confidence)) throw new NoNumbers();
    onNumbers();
    yield token;
  }
}
