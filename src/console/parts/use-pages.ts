import { useMemo, useSyncExternalStore } from 'react';
import { useClient, type AnyVariables } from 'urql';
import { Pages, type PagedQuery, type PagesShown } from './pages';

/**
 * A list of which more and more is shown: all pages of it, in their order, whatever is changed meanwhile. `query` and `connectionOf` are
 * declared outside the component.
 */
export function usePages<Data, Variables extends AnyVariables, Edge>({
  query,
  variables,
  connectionOf,
}: PagedQuery<Data, Variables, Edge>): PagesShown<Data, Edge> & { more: () => void; again: () => void } {
  const client = useClient();
  const given = JSON.stringify(variables);
  const pages = useMemo(
    () => new Pages(client, { query, variables: JSON.parse(given) as Omit<Variables, 'after'>, connectionOf }),
    [client, query, given, connectionOf],
  );
  return { ...useSyncExternalStore(pages.subscribe, pages.shown), more: pages.more, again: pages.again };
}
