/**
 * The same values, each made by `run`: what async context carries doesn't reach a generator by itself, which runs as part of whoever asks
 * for its next value.
 */
export function streamWithin<T>(
  run: <R>(work: () => R) => R,
  source: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const endResult = { done: true as const, value: undefined };
  return {
    next: () => run(() => iterator.next()) as Promise<IteratorResult<T, void>>,
    return: async () => {
      await run(() => iterator.return?.());
      return endResult;
    },
    throw: async () => {
      await run(() => iterator.return?.());
      return endResult;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}
