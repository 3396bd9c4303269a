import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createClient } from 'graphql-ws';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { GraphContext } from '../../src/kit/graphql/index.js';
import { localCaller } from '../../src/kernel/caller.js';
import { newId, type WorkspaceId } from '../../src/kernel/ids.js';
import { currentScope, inScope, type Scope } from '../../src/platform/database/index.js';
import { eventually } from '../support/eventually.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { TRANSPORTS } from '../support/transports.js';

const scopeNow = async () => {
  await turn();
  return currentScope();
};

describe('whoever sends a request', () => {
  let gateway: ProbeGateway;
  let workspaceId: WorkspaceId;
  const ended: (Scope | undefined)[] = [];
  const stored: (Scope | undefined)[] = [];

  async function* scopes({ signal }: Pick<GraphContext, 'signal'>) {
    try {
      for (let step = 0; step < 3; step += 1) yield { scope: await scopeNow() };
      await new Promise<void>((left) => signal.addEventListener('abort', () => left(), { once: true }));
    } finally {
      ended.push(await scopeNow());
    }
  }

  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: { scope: { type: GraphQLString, resolve: scopeNow } },
    }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { scope: { type: GraphQLString, subscribe: (_root, _args, context: GraphContext) => scopes(context) } },
    }),
  });

  beforeAll(async () => {
    const start = () =>
      startProbeGateway({
        schema,
        callers: {
          required: false,
          authenticate: async () => {
            const id = workspaceId;
            await turn();
            return { ...localCaller(), workspaceId: id };
          },
          watch: () => () => undefined,
        },
        files: {
          async store(_workspaceId, { name, mediaType, source }) {
            for await (const _ of source) stored.push(currentScope());
            stored.push(await scopeNow());
            return { id: newId(), name, mediaType, bytes: 1, sha256: 'x' };
          },
        },
        addRoutes: (server) => server.post('/scope', async () => ({ scope: await scopeNow() })),
      });
    // As the product starts it: what is not known to be anybody's is nobody's.
    gateway = await inScope('system', () => inScope('nobody', start));
  });

  afterAll(() => gateway.close());

  beforeEach(() => void (workspaceId = newId() as string as WorkspaceId));

  it.each(TRANSPORTS)('works in the own workspace, over $name', async ({ run }) => {
    expect(await run(gateway, { query: '{ scope }' })).toMatchObject({ data: { scope: workspaceId } });
  });

  it('works there at each step of a stream, and when it is left', async () => {
    const client = createClient({ url: `${gateway.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const seen: unknown[] = [];
    for await (const { data } of client.iterate<{ scope: string }>({ query: 'subscription { scope }' })) {
      seen.push(data?.scope);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([workspaceId, workspaceId, workspaceId]);
    await client.dispose();
    await eventually('the stream has ended', () => ended.length === 1);
    expect(ended).toEqual([workspaceId]);
  });

  it('works there behind a body, wherever its bytes arrived, and with a file', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ text: 'x'.repeat(500_000) });
    const answered = await fetch(`${gateway.url}/scope`, { method: 'POST', headers, body });
    expect(await answered.json()).toEqual({ scope: workspaceId });
    const form = new FormData();
    form.set('file', new Blob(['y'.repeat(200_000)]), 'y.txt');
    const sent = await fetch(`${gateway.url}/files`, { method: 'POST', headers: { 'graft-upload': '1' }, body: form });
    expect(sent.status).toBe(201);
    expect(new Set(stored)).toEqual(new Set([workspaceId]));
  });
});
