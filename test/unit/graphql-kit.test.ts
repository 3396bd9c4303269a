import fc from 'fast-check';
import { Args, buildSchema, Field, ObjectType, Query, Resolver } from 'type-graphql';
import { graphql, printSchema } from 'graphql';
import {
  Needs,
  ConnectionArgs,
  connectionTypes,
  createGraphContext,
  DateTime,
  fromGlobalId,
  NodeRegistry,
  NodeType,
  RunKind,
  RunType,
  runFields,
  runGraph,
  toConnection,
  toGlobalId,
  type GraphContext,
} from '../../src/kit/graphql/index.js';
import { localCaller } from '../../src/kernel/caller.js';
import { followRun } from '../../src/kit/graphql/run-events.js';
import { newId } from '../../src/kernel/ids.js';

const context = (): GraphContext => createGraphContext(localCaller(), 'r', new AbortController());

@ObjectType({ implements: NodeType, description: 'A thing.' })
class Thing extends NodeType {
  @Field(() => String, { description: 'Name.' })
  name!: string;
}

const { Run: ProbeRun } = runGraph(
  { definition: { kind: 'PROBE', description: 'A probe.', events: {}, subject: null } },
  {},
);

const { Connection: ThingConnection } = connectionTypes(Thing);

const id = newId();
const nodes = new NodeRegistry();
nodes.register('Thing', async (_context, row) => (row === id ? { id: toGlobalId('Thing', row), name: 'one' } : null));

const runRow = {
  id,
  kind: 'PROBE',
  status: 'FAILED',
  progress: 0.5,
  message: 'embedding',
  failures: 0,
  createdAt: new Date(0),
  startedAt: null,
  finishedAt: null,
  errorCode: 'WORKER_CRASHED',
  errorMessage: 'gone',
  subjectId: null,
  input: {},
  output: null,
  checkpoint: null,
};

@Resolver()
class ThingResolver {
  @Needs('ASK')
  @Query(() => NodeType, { nullable: true })
  node() {
    return nodes.fetch(context(), toGlobalId('Thing', id));
  }

  @Needs('ASK')
  @Query(() => ThingConnection)
  things(@Args(() => ConnectionArgs) args: ConnectionArgs) {
    const { first, after } = args.request();
    return toConnection({ items: [{ id: 'x', name: `first ${first}` }], hasNextPage: false }, () => 'c', after);
  }

  @Needs('ASK')
  @Query(() => RunType)
  run() {
    return runFields(runRow);
  }
}

describe('graphql-kit', () => {
  afterAll(() => void delete RunKind['PROBE']);

  it('resolves nodes, runs and connections given as plain rows', async () => {
    const schema = await buildSchema({ resolvers: [ThingResolver], orphanedTypes: [ProbeRun], validate: false });
    expect(printSchema(schema)).toMatch(/type ProbeRun implements Run & Node/);
    const result = await graphql({
      schema,
      source: `{ node { id ... on Thing { name } } things(first: 3) { edges { cursor node { name } } pageInfo { endCursor } }
        run { __typename id status error { code } } }`,
      contextValue: context(),
    });
    expect(result.errors).toBeUndefined();
    expect(result.data).toMatchObject({
      node: { id: toGlobalId('Thing', id), name: 'one' },
      things: { edges: [{ cursor: 'c', node: { name: 'first 3' } }], pageInfo: { endCursor: 'c' } },
      run: { __typename: 'ProbeRun', id: toGlobalId('ProbeRun', id), error: { code: 'WORKER_CRASHED' } },
    });
  });

  it('reads back the row id of every global id, and names the expected type when it is another’s', () => {
    expect(fromGlobalId(toGlobalId('Thing', id), 'Thing', 'input.id')).toBe(id);
    expect(() => fromGlobalId(toGlobalId('Thing', id), ['Answer', 'Run'], 'input.id')).toThrow(
      /input.id is the id of a Thing; the id of a Answer or Run is expected/,
    );
  });

  it('refuses every other text as an id', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => fromGlobalId(text, 'Thing', 'id')).toThrow(/id is not an id that this API returned/);
      }),
    );
  });

  it('hands out one loader a key and batches its keys', async () => {
    const one = context();
    const batches: string[][] = [];
    const batch = async (keys: readonly string[]) => {
      batches.push([...keys]);
      return keys.map((key) => key.toUpperCase());
    };
    expect(await Promise.all(['a', 'b', 'a'].map((key) => one.loader('upper', batch).load(key)))).toEqual([
      'A',
      'B',
      'A',
    ]);
    expect(batches).toEqual([['a', 'b']]);
  });
});

describe('DateTime', () => {
  it('takes no year that the database hasn’t got', () => {
    expect(() => DateTime.parseValue('0000-06-01T00:00:00Z')).toThrow('no year before 0001');
    expect(DateTime.parseValue('0001-06-01T00:00:00Z')).toEqual(new Date('0001-06-01T00:00:00Z'));
  });
});

describe('followRun', () => {
  const runs = {
    get: async (_workspace: unknown, row: string) => (row === id ? { kind: 'DOWNLOAD' } : null),
    follow: (): AsyncIterable<{ sequence: bigint; type: string; payload: unknown }> =>
      (async function* () {
        await Promise.resolve();
        yield { sequence: 1n, type: 'progress', payload: {} };
        yield { sequence: 2n, type: 'note', payload: {} };
        yield { sequence: 3n, type: 'finished', payload: {} };
      })(),
  };
  const types = async (kind: string, runId: string, after?: string) => {
    const seen: string[] = [];
    for await (const { type } of followRun(runs, kind, (type) => type !== 'note', { runId, after }, context()))
      seen.push(type);
    return seen;
  };

  it('passes on what the kind knows, and no event that only a later version of it has', async () => {
    expect(await types('DOWNLOAD', toGlobalId('DownloadRun', id))).toEqual(['progress', 'finished']);
  });

  it('a run of another kind reads as not found, even under an id that names the kind asked for', async () => {
    await expect(types('PROBE', toGlobalId('ProbeRun', id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses ids of other types and positions that no event has', async () => {
    await expect(types('DOWNLOAD', toGlobalId('Thing', id))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(types('DOWNLOAD', toGlobalId('DownloadRun', id), 'x')).rejects.toMatchObject({ field: 'after' });
  });
});
