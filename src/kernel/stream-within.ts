/**
 * The same values, each made by `within`: what async context carries doesn't reach a generator by itself, which runs as part of whoever asks
 * for its next value.
 */
export function streamWithin<T>(
  within: <R>(work: () => R) => R,
  source: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const done = { done: true as const, value: undefined };
  return {
    next: () => within(() => iterator.next()) as Promise<IteratorResult<T, void>>,
    return: async () => {
      await within(() => iterator.return?.());
      return done;
    },
    throw: async () => {
      await within(() => iterator.return?.());
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}
