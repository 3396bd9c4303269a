import type { UpdateResolver } from '@urql/exchange-graphcache';
import type { OperationContext, OperationResult } from 'urql';

/** Computed of what was typed, at the cost of a search or an estimate: asked when somebody asks, not because something was changed. */
const COMPUTED: readonly string[] = ['search', 'previewRoutes', 'estimateTraining', 'planExperiment'];

/** What was read may be otherwise now: pages that are open ask again, others when they are opened. */
const forgetRead: UpdateResolver = (_result, _args, cache) => {
  for (const { fieldName, arguments: args } of cache.inspectFields('Query'))
    if (!COMPUTED.includes(fieldName)) cache.invalidate('Query', fieldName, args);
};

/**
 * For `updates` of the cache: after any of these mutations each query that is open is asked again, but for what is computed. What each of
 * them changes isn't listed: a list lacks what comes later, and one request too many is cheaper than a page that shows what was. Only
 * fields of the root are forgotten, which every query passes. A part below them that no open query asked for, as a further page of a list,
 * stays in the cache until it is opened, and is asked again then, as the client's policy is.
 */
export const refetchAfter = (mutations: readonly string[]): { Mutation: Record<string, UpdateResolver> } => ({
  Mutation: Object.fromEntries(mutations.map((name) => [name, forgetRead])),
});

/** Context of a mutation that changes who asks: what is to be done of its answer before anything is asked again. */
export const beforeRefetch = <Data>(act: (data: Data) => void): Partial<OperationContext> => ({ beforeRefetch: act });

/** For results on their way to the cache. */
export function actBeforeRefetch({ operation, data }: OperationResult): void {
  const act = operation.context['beforeRefetch'] as ((data: unknown) => void) | undefined;
  if (data) act?.(data);
}
