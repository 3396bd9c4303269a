/** Lists of the console of which more than one page is shown: no row is lost when something is changed. */
import { Client, fetchExchange, gql } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { mutations, schema } from '../../../src/console/generated/introspection.js';
import { Pages } from '../../../src/console/parts/pages.js';
import { refetchAfter } from '../../../src/console/refetch.js';
import { until } from '../../support/eventually.js';

interface Listed {
  datasets: { edges: { node: { id: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}
const LIST = gql<Listed, { first: number; after: string | null }>`
  query List($first: Int!, $after: String) {
    datasets(first: $first, after: $after) {
      edges {
        node {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
const CREATE = gql`
  mutation Create($input: CreateDatasetInput!) {
    createDataset(input: $input) {
      dataset {
        id
      }
    }
  }
`;

/** A gateway in memory with datasets `7` to `1`, newest first and two on a page; a mutation does `changed` to them. */
function list(changed: (ids: string[]) => string[], isWhole = false) {
  let ids = ['7', '6', '5', '4', '3', '2', '1'];
  const fails = { next: false };
  const asked: (string | null)[] = [];
  const page = (after: string | null) => {
    // As keyset paging is: what comes behind the cursor, though its row is gone.
    const rest = ids.filter((id) => after === null || Number(id) < Number(after));
    const shown = rest.slice(0, 2);
    return {
      __typename: 'DatasetConnection',
      edges: shown.map((id) => ({ __typename: 'DatasetEdge', node: { __typename: 'Dataset', id } })),
      pageInfo: { __typename: 'PageInfo', hasNextPage: rest.length > 2, endCursor: shown.at(-1) ?? null },
    };
  };
  const answerTo = (operation: string, after: string | null): object => {
    if (operation === 'Create') {
      ids = changed(ids);
      return {
        data: { createDataset: { __typename: 'CreateDatasetPayload', dataset: { __typename: 'Dataset', id: 'x' } } },
      };
    }
    asked.push(after);
    if (!fails.next) return { data: { datasets: page(after) } };
    fails.next = false;
    return { errors: [{ message: 'away' }], data: null };
  };
  const client = new Client({
    url: 'http://gateway/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    exchanges: [cacheExchange({ schema, updates: refetchAfter(mutations) }), fetchExchange],
    fetch: async (_url, request) => {
      const { operationName, variables } = JSON.parse(request?.body as string) as {
        operationName: string;
        variables: { after: string | null };
      };
      const answer = answerTo(operationName, variables.after);
      return new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json' } });
    },
  });
  const connectionOf = (data: Listed) => data.datasets;
  const pages = new Pages(client, { query: LIST, variables: { first: 2 }, connectionOf, isWhole });
  const idsOf = () => pages.shown().edges.map(({ node }) => node.id);
  /** Everything that was to be seen, one text for each change. */
  const seen: string[] = [];
  const close = pages.subscribe(() => {
    const now = idsOf().join('');
    if (seen.at(-1) !== now) seen.push(now);
  });
  const more = async () => {
    const before = idsOf().length;
    pages.more();
    await until(() => idsOf().length > before);
  };
  const opened = async () => {
    await until(() => idsOf().length === 2);
    await more();
    await more();
  };
  const change = () => client.mutation(CREATE, { input: {} }).toPromise();
  return { pages, seen, asked, fails, idsOf, close, opened, change };
}

describe('a list of which more pages were asked for', () => {
  it('shows them one behind the other, and says when there are no more', async () => {
    const { pages, idsOf, opened, seen } = list((ids) => ids);
    await opened();
    expect(idsOf().join('')).toBe('765432');
    pages.more();
    await until(() => idsOf().length === 7);
    expect(pages.shown().hasMore).toBe(false);
    expect(seen.filter((each) => each !== '')).toEqual(['76', '7654', '765432', '7654321']);
  });

  it('has all of its pages after something came before them, and none is missing meanwhile', async () => {
    const { seen, opened, change, idsOf } = list((ids) => ['9', '8', ...ids].slice(1));
    await opened();
    await change();
    await until(() => idsOf()[0] === '8');
    expect(idsOf().join('')).toBe('876543');
    expect(seen.slice(seen.indexOf('765432'))).toEqual(['765432', '876543']);
  });

  it('closes the gap that something leaves that was deleted', async () => {
    const { seen, opened, change, idsOf } = list((ids) => ids.filter((id) => id !== '6'));
    await opened();
    await change();
    await until(() => !idsOf().includes('6'));
    expect(idsOf().join('')).toBe('754321');
    expect(seen.slice(seen.indexOf('765432'))).toEqual(['765432', '754321']);
  });

  it('is as long as what is left', async () => {
    const { pages, opened, change, idsOf } = list((ids) => ids.slice(0, 1));
    await opened();
    await change();
    await until(() => idsOf().length === 1);
    expect(pages.shown()).toMatchObject({ hasMore: false, fetching: false });
  });

  it('keeps what is shown when a further page fails, and asks for it again', async () => {
    const { pages, fails, opened, idsOf } = list((ids) => ids);
    await opened();
    fails.next = true;
    pages.more();
    await until(() => pages.shown().error !== undefined);
    expect(idsOf().join('')).toBe('765432');
    pages.more();
    await until(() => idsOf().length === 7);
    expect(pages.shown().error).toBeUndefined();
  });

  it('is shown whole, and no part of it before, where its end matters most', async () => {
    const { pages, seen, change, idsOf } = list((ids) => ['9', '8', ...ids], true);
    await until(() => !pages.shown().fetching);
    expect(pages.shown()).toMatchObject({ hasMore: false });
    await change();
    await until(() => idsOf().length === 9);
    expect(seen.filter((each) => each !== '')).toEqual(['7654321', '987654321']);
  });

  it('asks for nothing once it is closed', async () => {
    const { asked, opened, close, change } = list((ids) => ids);
    await opened();
    close();
    await change();
    expect(asked).toEqual([null, '6', '4']);
  });
});
