import { join } from 'node:path';
import { auditServer } from 'graphql-http';
import { getIntrospectionQuery } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';
import { readyOperations } from '../../src/client/operations/ready.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { chromiumPath } from '../support/chromium.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';

const STREAM = `subscription ($question: String!, $maxTokens: Int!, $conversationId: ID) {
  askStream(input: { question: $question, strategy: BASE, conversationId: $conversationId,
                     generation: { maxTokens: $maxTokens, temperature: 0 } }) {
    __typename ... on TextDelta { text } ... on AnswerReady { answer { text } } } }`;

interface StreamEvent {
  data?: { askStream: { __typename: string; text?: string; answer?: { text: string } } } | null;
}

/** The two clients that users have, as iterables. */
const CLIENTS = [
  {
    name: 'graphql-ws',
    connect: (url: string) => {
      const client = createWsClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
      });
      return { iterate: client.iterate.bind(client), dispose: () => client.dispose() };
    },
  },
  {
    name: 'graphql-sse',
    connect: (url: string) => {
      const client = createSseClient({ url: `${url}/graphql/stream`, retryAttempts: 0 });
      return { iterate: client.iterate.bind(client), dispose: () => client.dispose() };
    },
  },
];

const screenshots = join(packageRoot(), 'test', '.tmp', 'screenshots');

describe('the whole product over its own protocols', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
  }, 180_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const post = async <T = object>(query: string, variables = {}) => {
    const response = await fetch(`${graft.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as { data?: T; errors?: unknown[] };
  };
  const busy = async () => {
    const { data } = await post<{ system: { worker: { active: number } } }>('{ system { worker { active } } }');
    return data!.system.worker.active > 0;
  };

  it('passes the audits of graphql-http, and introspects within its limits', async () => {
    const results = await auditServer({ url: `${graft.url}/graphql` });
    expect(results.filter(({ status }) => status === 'error' || status === 'warn')).toEqual([]);
    expect((await post(getIntrospectionQuery())).errors).toBeUndefined();
  });

  it('answers every query that ships, on an empty installation', async () => {
    const quiet = readyOperations().filter(({ name }) =>
      ['Answers', 'Collections', 'Models', 'Runs', 'Adapters', 'ApiKeys', 'Me', 'System', 'Workspaces'].includes(name),
    );
    for (const { name, text, example } of quiet)
      expect([name, (await post(text, example === '' ? {} : (JSON.parse(example) as object))).errors]).toEqual([
        name,
        undefined,
      ]);
  });

  describe.each(CLIENTS)('$name', ({ name, connect }) => {
    it('streams an answer: deltas, then the answer that counts', async () => {
      const client = connect(graft.url);
      const events: StreamEvent[] = [];
      const variables = { question: 'What is the capital of France?', maxTokens: 16 };
      for await (const event of client.iterate({ query: STREAM, variables })) events.push(event as StreamEvent);
      const types = events.map(({ data }) => data?.askStream.__typename);
      expect(types[0]).toBe('RouteChosen');
      expect(types).toContain('TextDelta');
      expect(types.at(-1)).toBe('AnswerReady');
      await client.dispose();
    });

    it('cancels one: the worker stops generating, and no answer comes of it', async () => {
      const client = connect(graft.url);
      const conversationId = `cancelled by ${name}`;
      const variables = { question: 'Tell a very long story about a garden.', maxTokens: 500, conversationId };
      const stream = client.iterate({ query: STREAM, variables });
      for (;;) {
        const { value, done } = await stream.next();
        expect(done).toBe(false);
        if ((value as StreamEvent).data?.askStream.__typename === 'TextDelta') break;
      }
      await stream.return!();
      // The worker reports its load with each heartbeat.
      await eventually('the worker to be idle', async () => !(await busy()));
      // A story that was told to its end would stand here.
      const { data } = await post(
        'query ($conversationId: ID!) { answers(filter: { conversationId: $conversationId }) { edges { node { id } } } }',
        { conversationId },
      );
      expect(data).toEqual({ answers: { edges: [] } });
      await client.dispose();
    });
  });

  itWhen(chromiumPath() !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one')(
    'streams an answer into the Playground from its ready operation',
    async () => {
      // What the ready operations ask about.
      await post('mutation { createCollection(input: { name: "handbook" }) { collection { id } } }');
      const text = 'At a wind speed of 45 km/h the roof vents are forced shut.';
      const documents = [{ name: 'vents.txt', text }];
      await post(
        `mutation ($documents: [DocumentInput!]!) {
          ingestDocuments(input: { collection: "handbook", idempotencyKey: "vents", documents: $documents }) { run { id } } }`,
        { documents },
      );
      await eventually('the document to be indexed', async () =>
        JSON.stringify(await post('{ runs { edges { node { status } } } }')).includes('SUCCEEDED'),
      );
      const browser = await chromium.launch({
        executablePath: chromiumPath()!,
        args: ['--no-sandbox', '--disable-gpu'],
      });
      try {
        const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
        await page.goto(`${graft.url}/playground`);
        const editor = page.locator('.graphiql-query-editor .view-lines');
        await editor.filter({ hasText: 'query' }).waitFor();
        const run = async (name: string, shown: RegExp) => {
          await page
            .getByRole('region', { name: 'Operations' })
            .locator('button')
            .filter({ hasText: new RegExp(`^${name}(query|subscription)$`) })
            .click();
          await editor.filter({ hasText: name }).waitFor();
          // GraphiQL reads the operation's name a moment after the tab has changed.
          await page.waitForTimeout(1_000);
          await page.locator('.graphiql-execute-button').click();
          await page.locator('.result-window').filter({ hasText: shown }).waitFor({ timeout: 60_000 });
          await page.screenshot({ path: join(screenshots, `${name}.png`) });
        };
        await run('System', /versions/);
        await run('Ask', /45\s*km\/h/);
        await run('AskStream', /AnswerReady[^]*45\s*km\/h/);
      } finally {
        await browser.close();
      }
    },
    120_000,
  );
});
