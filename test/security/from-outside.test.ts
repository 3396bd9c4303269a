/**
 * Who may do and see what, tried from outside over every way in: two workspaces, four roles and three groups, by HTTP, WebSocket, server-sent events, MCP and
 * the console, against the whole product.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { followAnyRun, readyOperation } from '../../src/cli/call.js';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateApiKeyDocument,
  CreateCollectionDocument,
  CreateWorkspaceDocument,
  IngestDocumentsDocument,
  SetDocumentAccessDocument,
} from '../../src/operations/index.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import { firstKey } from '../support/first-key.js';

type Role = 'ASK' | 'EDIT' | 'OPERATE' | 'ADMIN';
type Variables = Record<string, unknown>;

interface Result {
  data?: Record<string, unknown> | null;
  errors?: readonly { extensions?: Record<string, unknown> }[];
}
interface Way {
  name: string;
  /** Sends a ready operation, and gives its first result. */
  send(url: string, token: string, operation: string, variables: Variables): Promise<Result>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const textOf = (operation: string): string => readyOperation(operation).text;

async function first(results: AsyncIterable<unknown>): Promise<Result> {
  for await (const result of results) return result as Result;
  return {};
}

const WAYS: readonly Way[] = [
  {
    name: 'HTTP',
    async send(url, token, operation, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ query: textOf(operation), variables }),
      });
      return (await response.json()) as Result;
    },
  },
  {
    name: 'WebSocket',
    async send(url, token, operation, variables) {
      const client = createWsClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: bearer(token),
      });
      try {
        return await first(client.iterate({ query: textOf(operation), variables }));
      } finally {
        await client.dispose();
      }
    },
  },
  {
    name: 'server-sent events',
    async send(url, token, operation, variables) {
      const client = createSseClient({ url: `${url}/graphql/stream`, retryAttempts: 0, headers: bearer(token) });
      try {
        return await first(client.iterate({ query: textOf(operation), variables }));
      } finally {
        client.dispose();
      }
    },
  },
  {
    name: 'MCP',
    async send(url, token, operation, variables) {
      const agent = new Client({ name: 'test', version: '1' });
      const requestInit = { headers: bearer(token) };
      await agent.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
      try {
        const { isError, structuredContent } = await agent.callTool({ name: operation, arguments: variables });
        return isError ? (structuredContent as Result) : { data: structuredContent as Result['data'] };
      } finally {
        await agent.close();
      }
    },
  },
];

/** Whose documents each group sees; `open.txt` has no label. */
const GROUPS = ['red', 'green', 'blue'] as const;
const documentOf = (group: string) => `${group}.txt`;
const QUESTION = 'What does the box in the cellar hold?';

describe('from outside', () => {
  let stand: ConsoleStand;
  let url: string;
  const tokens: Record<string, string> = {};

  beforeAll(async () => {
    let admin = '';
    stand = await consoleStand({ GRAFT_REQUIRE_KEY: 'on' }, async (made) => {
      admin = await firstKey(made);
    });
    ({ url } = stand.graft);
    const here = new GraftClient(url, admin);
    const key = async (name: string, role: Role, groups: string[], workspaceId?: string) => {
      const { createApiKey } = await here.request(CreateApiKeyDocument, { input: { name, role, groups, workspaceId } });
      tokens[name] = createApiKey.token;
    };
    await key('asks', 'ASK', ['red']);
    await key('edits', 'EDIT', ['green', 'blue']);
    await key('operates', 'OPERATE', []);
    tokens['administers'] = admin;
    const { createWorkspace } = await here.request(CreateWorkspaceDocument, { input: { name: 'elsewhere' } });
    await key('asks elsewhere', 'ASK', [...GROUPS], createWorkspace.workspace.id);
    await key('administers elsewhere', 'ADMIN', [...GROUPS], createWorkspace.workspace.id);
    await fill(here, ['open', ...GROUPS]);
    for (const group of GROUPS)
      await here.request(SetDocumentAccessDocument, {
        input: { collection: 'cellar', names: [documentOf(group)], access: [group] },
      });
    // A collection of the same name is another one.
    await fill(new GraftClient(url, tokens['administers elsewhere']), ['theirs']);
  }, 300_000);
  afterAll(() => stand.stop());

  async function fill(client: GraftClient, names: string[]): Promise<void> {
    await client.request(CreateCollectionDocument, { input: { name: 'cellar' } });
    const documents = names.map((name) => ({
      name: documentOf(name),
      text: `The ${name} box in the cellar holds ${name} lamps.`,
    }));
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
      input: { collection: 'cellar', documents, idempotencyKey: 'cellar' },
    });
    await followAnyRun(client, ingestDocuments.run.id);
  }

  /** Who sees which documents. */
  const SEES: Readonly<Record<string, string[]>> = {
    asks: ['open', 'red'],
    edits: ['blue', 'green', 'open'],
    operates: ['open'],
    administers: ['blue', 'green', 'open', 'red'],
    'asks elsewhere': ['theirs'],
    'administers elsewhere': ['theirs'],
  };
  /** What each role may, the least first. */
  const ACTS: readonly { operation: string; least: Role; variables: (n: string) => Variables }[] = [
    { operation: 'Search', least: 'ASK', variables: () => ({ input: { query: QUESTION } }) },
    { operation: 'CreateCollection', least: 'EDIT', variables: (n) => ({ input: { name: `made-${n}` } }) },
    { operation: 'Webhooks', least: 'OPERATE', variables: () => ({}) },
    { operation: 'Workspaces', least: 'ADMIN', variables: () => ({}) },
  ];
  const ROLES: readonly Role[] = ['ASK', 'EDIT', 'OPERATE', 'ADMIN'];
  const ROLE_OF: Readonly<Record<string, Role>> = {
    asks: 'ASK',
    edits: 'EDIT',
    operates: 'OPERATE',
    administers: 'ADMIN',
    'asks elsewhere': 'ASK',
    'administers elsewhere': 'ADMIN',
  };
  const codeOf = ({ errors }: Result): unknown => errors?.[0]?.extensions?.['code'] ?? null;

  /** Of a client that throws: errors of GraphQL, the code of a closed WebSocket, or the status that the others tell. */
  function refusal(error: unknown): unknown {
    if (Array.isArray(error)) return codeOf({ errors: error as Result['errors'] });
    const { code, response } = error as { code?: unknown; response?: Response };
    return code ?? response?.status;
  }

  describe.each(WAYS)('over $name', (way) => {
    it('whoever has a key sees documents of the own workspace and groups, and those without a label', async () => {
      const seen: Record<string, string[]> = {};
      for (const who of Object.keys(SEES)) {
        const input = { query: QUESTION, collections: ['cellar'], limit: 10 };
        const { data } = await way.send(url, tokens[who]!, 'Search', { input });
        const { hits } = data!['search'] as { hits: { document: { name: string } }[] };
        seen[who] = hits.map(({ document }) => document.name.replace('.txt', '')).sort();
      }
      expect(seen).toEqual(SEES);
    });

    it('may do what the role allows, and nothing beyond it', async () => {
      for (const [who, role] of Object.entries(ROLE_OF))
        for (const { operation, least, variables } of ACTS) {
          const allowed = ROLES.indexOf(role) >= ROLES.indexOf(least);
          const n = `${way.name}-${who}`.toLowerCase().replace(/\W+/g, '-');
          const result = await way.send(url, tokens[who]!, operation, variables(n));
          expect([who, operation, codeOf(result)]).toEqual([who, operation, allowed ? null : 'FORBIDDEN']);
        }
    });

    it('is nobody with a key that there is none of', async () => {
      const wrong = `${tokens['asks']!.slice(0, -4)}AAAA`;
      const outcome = await way.send(url, wrong, 'Search', { input: { query: QUESTION } }).then(codeOf, refusal);
      expect(['UNAUTHENTICATED', 4401, 4403, 401]).toContain(outcome);
    });
  });

  itInBrowser(
    'the console shows each the documents of the own workspace and groups',
    async () => {
      const seen: Record<string, string[]> = {};
      for (const who of Object.keys(SEES)) {
        const page = await stand.browser.open('/knowledge/cellar');
        await page.getByLabel('Key').fill(tokens[who]!);
        await page.getByRole('button', { name: 'Use the key' }).click();
        await page.getByRole('heading', { level: 1, name: 'cellar' }).waitFor({ timeout: 60_000 });
        await page
          .getByText(/^(open|theirs)\.txt$/)
          .first()
          .waitFor({ timeout: 60_000 });
        const texts = await page.getByText(/^\w+\.txt$/).allInnerTexts();
        seen[who] = [...new Set(texts.map((name) => name.replace('.txt', '')))].sort();
        await page.context().close();
      }
      expect(seen).toEqual(SEES);
    },
    300_000,
  );
});
