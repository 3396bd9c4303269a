import { useMemo, useSyncExternalStore } from 'react';
import { useClient, type AnyVariables, type TypedDocumentNode } from 'urql';
import { Pages, type Connection, type PagesShown } from './pages';

/**
 * A list of which more and more is shown: all pages of it, in their order, whatever is changed meanwhile.
 * @param connectionOf finds the list in an answer, and knows nothing else: the first one that is given stays
 * @param isWhole whether all of it is shown at once, where its end matters most
 */
export function usePages<Data, Variables extends AnyVariables, Edge>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  connectionOf: (data: Data) => Connection<Edge> | null,
  isWhole = false,
): PagesShown<Data, Edge> & { more: () => void; again: () => void } {
  const client = useClient();
  const variablesJson = JSON.stringify(variables);
  const pages = useMemo(
    () =>
      new Pages(client, {
        query,
        variables: JSON.parse(variablesJson) as Omit<Variables, 'after'>,
        connectionOf,
        isWhole,
      }),
    [client, query, variablesJson, isWhole],
  );
  return { ...useSyncExternalStore(pages.subscribe, pages.shown), more: pages.more, again: pages.again };
}
