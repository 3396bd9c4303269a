/** The console's cache: what pages show after something was changed. */
import { Client, fetchExchange, gql, mapExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { mutations, schema } from '../../../src/console/generated/introspection.js';
import { actBeforeRefetch, beforeRefetch, refetchAfter } from '../../../src/console/refetch.js';
import { until } from '../../support/eventually.js';

const LIST = gql<{ experiments: { edges: unknown[] } }>`
  query List {
    experiments {
      edges {
        node {
          id
          name
        }
      }
    }
  }
`;
const CREATE = gql`
  mutation Create($input: CreateExperimentInput!) {
    createExperiment(input: $input) {
      experiment {
        id
        name
      }
    }
  }
`;

const PLAN = gql<{ planExperiment: { sentence: string } }>`
  query Plan($input: PlanExperimentInput!) {
    planExperiment(input: $input) {
      sentence
    }
  }
`;

const experiment = (name: string) => ({ __typename: 'Experiment', id: name, name });

/** A gateway in memory, what is asked of it, and a client as the console has. */
function gateway({ refuses = false } = {}) {
  const names = ['first'];
  const asked: string[] = [];
  const answerTo = (operation: string): object => {
    if (operation === 'List') {
      const edges = names.map((name) => ({ __typename: 'ExperimentEdge', node: experiment(name) }));
      return { data: { experiments: { __typename: 'ExperimentConnection', edges } } };
    }
    if (operation === 'Plan') return { data: { planExperiment: { __typename: 'SamplePlan', sentence: 'a week' } } };
    if (refuses) return { errors: [{ message: 'refused' }], data: null };
    names.push('second');
    return { data: { createExperiment: { __typename: 'CreateExperimentPayload', experiment: experiment('second') } } };
  };
  const client = new Client({
    url: 'http://gateway/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-first',
    exchanges: [
      cacheExchange({ schema, updates: refetchAfter(mutations) }),
      mapExchange({ onResult: actBeforeRefetch }),
      fetchExchange,
    ],
    fetch: async (_url, request) => {
      const { operationName } = JSON.parse(request?.body as string) as { operationName: string };
      asked.push(operationName);
      return new Response(JSON.stringify(answerTo(operationName)), { headers: { 'content-type': 'application/json' } });
    },
  });
  const shown: number[] = [];
  const open = () =>
    client.query(LIST, {}).subscribe(({ data, stale }) => {
      if (data && !stale) shown.push(data.experiments.edges.length);
    });
  return { client, asked, shown, open, create: () => client.mutation(CREATE, { input: {} }).toPromise() };
}

describe('what pages show after something was changed', () => {
  it('reads again what is open', async () => {
    const { shown, asked, open, create } = gateway();
    open();
    await until(() => shown.length === 1);
    await create();
    await until(() => shown.length === 2);
    expect(shown).toEqual([1, 2]);
    expect(asked).toEqual(['List', 'Create', 'List']);
  });

  it('reads what was closed when it is opened again, and not before', async () => {
    const { shown, asked, open, create } = gateway();
    const page = open();
    await until(() => shown.length === 1);
    page.unsubscribe();
    open().unsubscribe();
    await create();
    expect(asked).toEqual(['List', 'Create']);
    open();
    await until(() => shown.at(-1) === 2);
    expect(asked).toEqual(['List', 'Create', 'List']);
  });

  it('does not compute again what was computed of an input', async () => {
    const { client, shown, asked, open, create } = gateway();
    const planned: string[] = [];
    client.query(PLAN, { input: {} }).subscribe(({ data }) => data && planned.push(data.planExperiment.sentence));
    await until(() => planned.length === 1);
    open();
    await until(() => shown.length === 1);
    await create();
    await until(() => shown.length === 2);
    expect(asked).toEqual(['Plan', 'List', 'Create', 'List']);
  });

  it('reads nothing again after a mutation that was refused', async () => {
    const { shown, asked, open, create } = gateway({ refuses: true });
    open();
    await until(() => shown.length === 1);
    expect((await create()).error?.message).toContain('refused');
    expect(asked).toEqual(['List', 'Create']);
  });

  it('does what a mutation wants done first, before anything is read again', async () => {
    const { client, asked, shown, open } = gateway();
    open();
    await until(() => shown.length === 1);
    const act = beforeRefetch<{ createExperiment: { experiment: { name: string } } }>(({ createExperiment }) =>
      asked.push(createExperiment.experiment.name),
    );
    await client.mutation(CREATE, { input: {} }, act).toPromise();
    await until(() => shown.length === 2);
    expect(asked).toEqual(['List', 'Create', 'second', 'List']);
  });

  it('knows every mutation of the schema', () => {
    expect(mutations).toEqual(expect.arrayContaining(['createExperiment', 'submitReview', 'setRouterMode']));
    expect(Object.keys(refetchAfter(mutations).Mutation)).toEqual(mutations);
  });
});
