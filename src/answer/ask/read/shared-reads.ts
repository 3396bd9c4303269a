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
  const kept = new Map<string, Promise<unknown>>();
  const once = <T>(what: string, of: unknown, make: () => Promise<T>): Promise<T> => {
    const key = `${what} ${JSON.stringify(of)}`;
    const made = (kept.get(key) as Promise<T> | undefined) ?? make();
    kept.set(key, made);
    return made;
  };
  const shared: Reads = {
    retriever: {
      embed: (workspaceId, query, options) =>
        once('vector', [workspaceId, query], () => retriever.embed(workspaceId, query, options)),
      scope: (workspaceId, names, groups) =>
        once('scope', [workspaceId, names, groups], () => retriever.scope(workspaceId, names, groups)),
      retrieve: (request, options) =>
        once('passages', { ...request, vector: null }, () => retriever.retrieve(request, options)),
      termWeights: (scope, words) => once('words', [scope, words], () => retriever.termWeights(scope, words)),
    },
    worker: {
      get status() {
        return worker.status;
      },
      embed: (request, options) =>
        once('sentences', [request.embedder.sha256, request.texts], () => worker.embed(request, options)),
      countTokens: (request, options) =>
        once('tokens', [request.model.sha256, request.texts], () => worker.countTokens(request, options)),
      generate: (...args) => worker.generate(...args),
      scoreNext: (...args) => worker.scoreNext(...args),
    },
    labelIndexes: {
      get store() {
        return labelIndexes.store;
      },
      require: (...args) => once('index of a dataset', args, () => labelIndexes.require(...args)),
      find: (...args) => once('index, if any', args, () => labelIndexes.find(...args)),
      nearest: (workspaceId, indexId, vector, most) =>
        once('rows', [indexId, most, [...vector]], () => labelIndexes.nearest(workspaceId, indexId, vector, most)),
    },
  };
  return { ...parts, ...shared };
}
