import type { AskParts } from '../parts.js';

/** The parts of an answer that look something up, not those that write. */
type Reads = Pick<AskParts, 'retriever' | 'worker' | 'labelIndexes'>;

/**
 * Parts for several answers to one question, or for a list of questions: what one has looked up serves the others, too (scope, the question's vector, passages,
 * rarity of words, vectors of sentences, nearest rows, lengths in tokens). Only generating and scoring are each one's own. Use them for
 * one request and let them go: nothing is looked up again, whatever changes meanwhile. Each answer states its cost as if it were alone.
 */
export function sharingReads<Parts extends Reads>(parts: Parts): Parts {
  const { retriever, worker, labelIndexes } = parts;
  const promises = new Map<string, Promise<unknown>>();
  const memoize = <T>(kind: string, parameters: unknown, make: () => Promise<T>): Promise<T> => {
    const key = `${kind} ${JSON.stringify(parameters)}`;
    const promise = (promises.get(key) as Promise<T> | undefined) ?? make();
    promises.set(key, promise);
    return promise;
  };
  const shared: Reads = {
    retriever: {
      embed: (workspaceId, query, options) =>
        memoize('vector', [workspaceId, query], () => retriever.embed(workspaceId, query, options)),
      scope: (workspaceId, names, groups) =>
        memoize('scope', [workspaceId, names, groups], () => retriever.scope(workspaceId, names, groups)),
      retrieve: (request, options) =>
        memoize('passages', { ...request, vector: null }, () => retriever.retrieve(request, options)),
      termWeights: (scope, words) => memoize('words', [scope, words], () => retriever.termWeights(scope, words)),
    },
    worker: {
      get status() {
        return worker.status;
      },
      embed: (request, options) =>
        memoize('sentences', [request.embedder.sha256, request.texts], () => worker.embed(request, options)),
      countTokens: (request, options) =>
        memoize('tokens', [request.model.sha256, request.texts], () => worker.countTokens(request, options)),
      generate: (...args) => worker.generate(...args),
      scoreNext: (...args) => worker.scoreNext(...args),
    },
    labelIndexes: {
      get store() {
        return labelIndexes.store;
      },
      require: (...args) => memoize('index of a dataset', args, () => labelIndexes.require(...args)),
      find: (...args) => memoize('index, if any', args, () => labelIndexes.find(...args)),
      nearest: (workspaceId, indexId, vector, limit) =>
        memoize('rows', [indexId, limit, [...vector]], () => labelIndexes.nearest(workspaceId, indexId, vector, limit)),
    },
  };
  return { ...parts, ...shared };
}
