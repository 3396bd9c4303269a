/** `/mcp` as an agent speaks it, through the official client: the operations are its tools, under the rules of every other client. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

describe('operations as tools', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let agent: Client;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    agent = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(`${graft.url}/mcp`));
    await agent.connect(transport);
  }, 300_000);
  afterAll(async () => {
    await agent.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  test('are listed with what they are for and what they take', async () => {
    const { tools } = await agent.listTools();
    const ask = tools.find(({ name }) => name === 'Ask')!;
    expect(ask.description).not.toBe('');
    expect(ask.inputSchema).toMatchObject({ type: 'object', required: ['input'] });
    expect(tools.find(({ name }) => name === 'System')!.annotations).toMatchObject({ readOnlyHint: true });
    expect(tools.length).toBeGreaterThan(50);
    expect(tools.some(({ name }) => name === 'AskStream')).toBe(false);
  });

  test('answer as GraphQL does', async () => {
    const made = await agent.callTool({ name: 'CreateCollection', arguments: { input: { name: 'notes' } } });
    expect(made.isError).toBeFalsy();
    const { structuredContent } = await agent.callTool({ name: 'System', arguments: {} });
    expect(structuredContent).toMatchObject({ system: { worker: { state: 'READY' } } });
  });

  test('tell what was wrong, by its code', async () => {
    const again = await agent.callTool({ name: 'CreateCollection', arguments: { input: { name: 'No name!' } } });
    expect(again).toMatchObject({
      isError: true,
      structuredContent: { errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'input.name' } }] },
    });
  });

  test('are the only ones: what isn’t on the list can’t be sent', async () => {
    for (const name of ['query { __typename }', 'AskStream', '__proto__'])
      await expect(agent.callTool({ name, arguments: {} })).rejects.toMatchObject({ code: -32602 });
  });

  test.each([
    ['no JSON', '{', -32_700],
    ['nothing', '', -32_700],
    ['no message', '{"hello": 1}', -32_600],
  ])('are not reached by what is %s, which is told as JSON-RPC has it', async (_, body, code) => {
    const response = await fetch(`${graft.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body,
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { jsonrpc: '2.0', id: null, error: { code } },
    ]);
  });

  test.each([
    ['no params', {}],
    ['no name', { params: { arguments: {} } }],
    ['arguments that are no object', { params: { name: 'System', arguments: 5 } }],
  ])('tell whoever calls with %s that the params are wrong', async (_, wrong) => {
    const response = await fetch(`${graft.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', ...wrong }),
    });
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32_602 } });
  });

  test('are refused to pages of other origins, as everything is', async () => {
    const response = await fetch(`${graft.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        origin: 'https://elsewhere.example',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    expect(response.status).toBe(403);
  });
});

describe('operations as tools of a gateway that answers listed operations only', () => {
  test('are answered, as they are listed; nothing else is', async () => {
    const home = await temporaryHome();
    const graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_OPERATIONS: 'enforce' }).started;
    const agent = new Client({ name: 'test', version: '1' });
    try {
      await agent.connect(new StreamableHTTPClientTransport(new URL(`${graft.url}/mcp`)));
      const { structuredContent } = await agent.callTool({ name: 'System', arguments: {} });
      expect(structuredContent).toMatchObject({ system: { worker: { state: 'READY' } } });
      const response = await fetch(`${graft.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ system { version } }' }),
      });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('OPERATION_NOT_LISTED');
    } finally {
      await agent.close();
      graft.child.kill('SIGTERM');
      await graft.ended;
      await home.remove();
    }
  }, 300_000);
});
