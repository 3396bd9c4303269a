/**
 * Who may do and see what, tried from outside over every way in: two workspaces, four roles and three groups, by HTTP, WebSocket, server-sent events, MCP and
 * the console, against the whole product.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { followAnyRun } from '../../src/cli/call.js';
import { readyOperation } from '../../src/client/operations/ready.js';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateApiKeyDocument,
  CreateCollectionDocument,
  CreateWorkspaceDocument,
  IngestDocumentsDocument,
  SetDocumentAccessDocument,
} from '../../src/client/operations/index.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import { firstKey } from '../support/first-key.js';
import { TRANSPORTS, type Transport } from '../support/transports.js';

type Role = 'ASK' | 'EDIT' | 'OPERATE' | 'ADMIN';
type Variables = Record<string, unknown>;
type Result = Awaited<ReturnType<Transport['run']>>;

interface Way {
  name: string;
  /** Sends a ready operation, and gives its first result; errors of any kind become `errors`. */
  send(url: string, token: string, operation: string, variables: Variables): Promise<Result>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const WAYS: readonly Way[] = [
  ...TRANSPORTS.map(({ name, run }): Way => ({
    name,
    send: (url, token, operation, variables) =>
      run({ url }, { query: readyOperation(operation).text, variables }, bearer(token)),
  })),
  {
    name: 'MCP',
    async send(url, token, operation, variables) {
      const agent = new Client({ name: 'test', version: '1' });
      const requestInit = { headers: bearer(token) };
      try {
        await agent.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
        const { isError, structuredContent } = await agent.callTool({ name: operation, arguments: variables });
        return isError ? (structuredContent as Result) : { data: structuredContent as Result['data'] };
      } catch (errors) {
        return { errors: errors as Result['errors'] };
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

/** Who has which key, and which documents they see by it. */
const PEOPLE: Readonly<Record<string, { role: Role; groups: string[]; elsewhere?: true; sees: string[] }>> = {
  asks: { role: 'ASK', groups: ['red'], sees: ['open', 'red'] },
  edits: { role: 'EDIT', groups: ['green', 'blue'], sees: ['blue', 'green', 'open'] },
  operates: { role: 'OPERATE', groups: [], sees: ['open'] },
  administers: { role: 'ADMIN', groups: [], sees: ['blue', 'green', 'open', 'red'] },
  'asks elsewhere': { role: 'ASK', groups: [...GROUPS], elsewhere: true, sees: ['theirs'] },
  'administers elsewhere': { role: 'ADMIN', groups: [...GROUPS], elsewhere: true, sees: ['theirs'] },
};
const SEEN = Object.fromEntries(Object.entries(PEOPLE).map(([who, { sees }]) => [who, sees]));
const ROLES: readonly Role[] = ['ASK', 'EDIT', 'OPERATE', 'ADMIN'];
/** What each role may, the least first. */
const ACTS: readonly { operation: string; least: Role; variables: (n: string) => Variables }[] = [
  { operation: 'Search', least: 'ASK', variables: () => ({ input: { query: QUESTION } }) },
  { operation: 'CreateCollection', least: 'EDIT', variables: (n) => ({ input: { name: `made-${n}` } }) },
  { operation: 'Webhooks', least: 'OPERATE', variables: () => ({}) },
  { operation: 'Workspaces', least: 'ADMIN', variables: () => ({}) },
];

/** Of errors of GraphQL, of a WebSocket that was closed, or of a request that was refused as a whole. */
function codeOf({ errors }: Result): unknown {
  if (errors === undefined || Array.isArray(errors)) return errors?.[0]?.extensions?.['code'] ?? null;
  const { code, response } = errors as { code?: unknown; response?: Response };
  return code ?? response?.status;
}

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
    const { createWorkspace } = await here.request(CreateWorkspaceDocument, { input: { name: 'elsewhere' } });
    for (const [name, { role, groups, elsewhere }] of Object.entries(PEOPLE)) {
      const input = { name, role, groups, workspaceId: elsewhere && createWorkspace.workspace.id };
      tokens[name] = (await here.request(CreateApiKeyDocument, { input })).createApiKey.token;
    }
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

  describe.each(WAYS)('over $name', (way) => {
    it('whoever has a key sees documents of the own workspace and groups, and those without a label', async () => {
      const seen: Record<string, string[]> = {};
      for (const who of Object.keys(PEOPLE)) {
        const input = { query: QUESTION, collections: ['cellar'], limit: 10 };
        const { data } = await way.send(url, tokens[who]!, 'Search', { input });
        const { hits } = data!['search'] as { hits: { document: { name: string } }[] };
        seen[who] = hits.map(({ document }) => document.name.replace('.txt', '')).sort();
      }
      expect(seen).toEqual(SEEN);
    });

    it('may do what the role allows, and nothing beyond it', async () => {
      for (const [who, { role }] of Object.entries(PEOPLE))
        for (const { operation, least, variables } of ACTS) {
          const allowed = ROLES.indexOf(role) >= ROLES.indexOf(least);
          const n = `${way.name}-${who}`.toLowerCase().replace(/\W+/g, '-');
          const result = await way.send(url, tokens[who]!, operation, variables(n));
          const answered = result.data !== undefined && result.data !== null;
          expect([who, operation, codeOf(result), answered]).toEqual(
            allowed ? [who, operation, null, true] : [who, operation, 'FORBIDDEN', false],
          );
        }
    });

    it('is nobody with a key that there is none of', async () => {
      const wrong = `${tokens['asks']!.slice(0, -4)}AAAA`;
      const result = await way.send(url, wrong, 'Search', { input: { query: QUESTION } });
      expect(['UNAUTHENTICATED', 4401, 4403, 401]).toContain(codeOf(result));
    });
  });

  itInBrowser(
    'the console shows each the documents of the own workspace and groups',
    async () => {
      const seen: Record<string, string[]> = {};
      for (const who of Object.keys(PEOPLE)) {
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
      expect(seen).toEqual(SEEN);
    },
    300_000,
  );
});
