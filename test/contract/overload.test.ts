/** Many more questions at once than can be answered, by every way in, of the product with the tiny model. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createClient as createWsClient } from 'graphql-ws';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { GraftClient } from '../../src/client/graft-client.js';
import { BudgetsDocument, RegisterModelDocument, SetBudgetDocument } from '../../src/client/operations/index.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyModel } from '../support/tiny-model.js';

const QUESTION = 'What does a keeper of lighthouses do at night, and what by day?';
const INPUT = { question: QUESTION, strategy: 'BASE', model: 'tiny', generation: { maxTokens: 200 } };
const ASK = 'query ($input: AskInput!) { ask(input: $input) { id } }';
const STREAM = 'subscription ($input: AskInput!) { askStream(input: $input) { __typename } }';
const REQUESTS = 10_000;

interface Told {
  errors?: { extensions: { code: string; retryAfterMs?: number } }[];
}
interface Outcome {
  code: string;
  retryAfterMs: number | undefined;
}

describe('five times what can be answered', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let client: GraftClient;
  let agent: Client;

  beforeAll(async () => {
    home = await temporaryHome();
    const folder = await temporaryFolder();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_MAX_WAIT_SECONDS: '1' }).started;
    client = new GraftClient(graft.url);
    const { path } = writeTinyModel(join(folder.path, 'tiny.gguf'));
    const { registerModel } = await client.request(RegisterModelDocument, {
      input: { fileId: await client.upload(path), name: 'tiny', idempotencyKey: 'tiny' },
    });
    await eventually('the model is there', async () => {
      const { node } = await client.request<{ node: { status: string } }>(
        'query ($id: ID!) { node(id: $id) { ... on Run { status } } }',
        { id: registerModel.run.id },
      );
      return node.status === 'SUCCEEDED';
    });
    await folder.remove();
    agent = new Client({ name: 'test', version: '1' });
    await agent.connect(new StreamableHTTPClientTransport(new URL(`${graft.url}/mcp`)));
  }, 300_000);
  afterAll(async () => {
    await agent.close();
    client.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const outcomeOf = ({ errors }: Told): Outcome => ({
    code: errors?.[0]?.extensions.code ?? 'answered',
    retryAfterMs: errors?.[0]?.extensions.retryAfterMs,
  });
  const post = (path: string, body: object, accept = 'application/json') =>
    fetch(`${graft.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(body),
    });
  const WAYS: Record<string, () => Promise<Outcome>> = {
    HTTP: async () => {
      const response = await post('/graphql', { query: ASK, variables: { input: INPUT } });
      return outcomeOf((await response.json()) as Told);
    },
    WebSocket: async () => {
      const socket = createWsClient({
        url: `${graft.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
      });
      try {
        for await (const result of socket.iterate({ query: STREAM, variables: { input: INPUT } }))
          if (result.errors) return outcomeOf(result as Told);
        return outcomeOf({});
      } catch (errors) {
        return outcomeOf({ errors: errors as Told['errors'] });
      } finally {
        await socket.dispose();
      }
    },
    SSE: async () => {
      const response = await post(
        '/graphql/stream',
        { query: STREAM, variables: { input: INPUT } },
        'text/event-stream',
      );
      const refused = /^data: (\{"errors".*)$/m.exec(await response.text())?.[1];
      return outcomeOf(refused === undefined ? {} : (JSON.parse(refused) as Told));
    },
    '/v1': async () => {
      const response = await post('/v1/chat/completions', {
        model: 'tiny',
        max_completion_tokens: 200,
        messages: [{ role: 'user', content: QUESTION }],
      });
      const { error } = (await response.json()) as { error?: { code: string } };
      if (error === undefined) return outcomeOf({});
      expect([response.status, error.code]).toEqual([503, 'rate_limit_exceeded']);
      return { code: 'OVERLOADED', retryAfterMs: Number(response.headers.get('retry-after')) * 1_000 };
    },
    '/mcp': async () => {
      const { structuredContent } = await agent.callTool({ name: 'Ask', arguments: { input: INPUT } });
      return outcomeOf(structuredContent as Told);
    },
  };

  it('is refused at once by every way in, with when to come back, and costs nothing; whoever is let in is answered', async () => {
    for (const _ of Array.from({ length: 3 })) await WAYS['HTTP']!();
    await client.request(SetBudgetDocument, { input: { window: 'MONTH', requests: REQUESTS } });
    const order: string[] = [];
    const outcomes: Record<string, Outcome[]> = {};
    const burst = Array.from({ length: 60 }, () => Object.entries(WAYS))
      .flat()
      .map(async ([name, ask]) => {
        const outcome = await ask();
        order.push(outcome.code);
        (outcomes[name] ??= []).push(outcome);
      });
    await Promise.all(burst);

    const all = Object.values(outcomes).flat();
    const answered = all.filter(({ code }) => code === 'answered');
    const refused = all.filter(({ code }) => code === 'OVERLOADED');
    expect(answered.length + refused.length).toBe(all.length);
    expect(answered.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThanOrEqual(4 * answered.length);
    for (const [name, told] of Object.entries(outcomes))
      expect([name, told.some(({ code }) => code === 'OVERLOADED')]).toEqual([name, true]);
    for (const { retryAfterMs } of refused) expect(retryAfterMs).toBeGreaterThanOrEqual(500);
    expect(order.at(-1)).toBe('answered');

    const { me } = await client.request(BudgetsDocument);
    const left = me.workspace.budgets.map(({ requestsLeft }) => requestsLeft);
    expect(left).toEqual([REQUESTS - answered.length]);
  }, 120_000);

  it('is over as soon as it is over: the next is answered', async () => {
    for (const [name, ask] of Object.entries(WAYS)) expect([name, (await ask()).code]).toEqual([name, 'answered']);
  }, 60_000);
});
