import { Option, type Command } from 'commander';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import { Role } from '../kernel/caller.js';
import {
  ApiKeysDocument,
  CreateApiKeyDocument,
  CreateWorkspaceDocument,
  RevokeApiKeyDocument,
  RotateApiKeyDocument,
  WorkspacesDocument,
  type ApiKeysQuery,
} from '../client/operations/index.js';
import { printJson, say } from '../platform/terminal.js';
import { aNumber } from './a-number.js';
import type { createKeyAtHome, KeyAtHome } from './keys-at-home.js';
import { DAY_MS } from '../kernel/duration.js';

export type WithClient = (
  /** `named`: whether somebody said which gateway it is */
  work: (client: GraftClient, options: { url: string; named: boolean; json?: boolean }) => Promise<void>,
) => Promise<void>;

const ROLES = Object.values(Role);

type Key = ApiKeysQuery['apiKeys']['edges'][number]['node'];

/** The key alone on stdout, so that a script can take it. */
function sayToken(token: string, json: boolean | undefined, key: object): void {
  if (json) return printJson({ token, key });
  process.stderr.write('This is shown once. Send it as `Authorization: Bearer …`, or set GRAFT_API_KEY.\n');
  say(token);
}

interface PageOf<Node> {
  edges: { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

export async function everyOne<Node>(page: (after: string | null) => Promise<PageOf<Node>>): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let cursor: string | null = null; ;) {
    const { edges, pageInfo }: PageOf<Node> = await page(cursor);
    nodes.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return nodes;
    cursor = pageInfo.endCursor ?? null;
  }
}

const everyKey = (client: GraftClient, workspaceId: string | null): Promise<Key[]> =>
  everyOne(
    async (cursor) => (await client.request(ApiKeysDocument, { first: 100, after: cursor, workspaceId })).apiKeys,
  );

const everyWorkspace = (client: GraftClient) =>
  everyOne(async (cursor) => (await client.request(WorkspacesDocument, { first: 100, after: cursor })).workspaces);

/** How a mutation names the key of this prefix. @param workspaceName the workspace's name; the caller's own by default */
async function keyByPrefix(client: GraftClient, prefix: string, workspaceName: string | undefined) {
  const inWorkspace = await workspaceId(client, workspaceName);
  const match = (await everyKey(client, inWorkspace)).find((key) => key.prefix === prefix);
  if (match) return { id: match.id, workspaceId: inWorkspace };
  throw new GraftClientError(
    'NOT_FOUND',
    `There is no key ${prefix} in ${workspaceName === undefined ? 'your workspace' : `the workspace ${JSON.stringify(workspaceName)}`}.`,
    'List them with `graft keys list`, those of another workspace with -w.',
  );
}

async function workspaceId(client: GraftClient, name: string | undefined): Promise<string | null> {
  if (name === undefined) return null;
  const match = (await everyWorkspace(client)).find((workspace) => workspace.name === name);
  if (!match) throw new GraftClientError('NOT_FOUND', `There is no workspace ${JSON.stringify(name)}.`);
  return match.id;
}

const stateOf = ({ revokedAt, expiresAt, lastUsedAt }: Key): string => {
  if (revokedAt) return 'revoked';
  if (expiresAt && new Date(expiresAt).getTime() <= Date.now()) return 'expired';
  return lastUsedAt ? `used ${new Date(lastUsedAt).toISOString().slice(0, 16)}` : 'never used';
};

/** `graft keys …` and `graft workspaces …`. */
export function addAccessCommands(program: Command, withClient: WithClient): void {
  addKeyCommands(program, withClient);
  addWorkspaceCommands(program, withClient);
}

function addKeyCommands(program: Command, withClient: WithClient): void {
  const keys = program.command('keys').description('who may use this Graft');
  const workspace = new Option('-w, --workspace <name>', 'of this workspace, for administrators of the first one');

  keys
    .command('create [name]')
    .description(
      'make a key and print it, once; in the database of GRAFT_HOME or DATABASE_URL where no gateway runs and none is named',
    )
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--days <n>', 'how long it works; without end by default', aNumber)
    .option('--at-home', 'in the database itself though a gateway runs, where no other key is left')
    .addOption(workspace)
    .action((name: string | undefined, { role, days, atHome, workspace: workspaceName }: CreateOptions) =>
      withClient(async (client, { json, named }) => {
        const called = name ?? 'first key';
        const expiresAt = days === undefined ? null : new Date(Date.now() + days * DAY_MS);
        const key = { name: called, role, expiresAt };
        const gatewayKey = atHome ? null : await createThere(client, key, workspaceName, named);
        const createdKey = gatewayKey ?? (await sayingWhere(atHomeAlone(key, workspaceName)));
        sayToken(createdKey.token, json, createdKey.key);
      }),
    );

  keys
    .command('list')
    .description('the keys of your workspace, newest first')
    .addOption(workspace)
    .action(({ workspace: workspaceName }: { workspace?: string }) =>
      withClient(async (client, { json }) => {
        const keyList = await everyKey(client, await workspaceId(client, workspaceName));
        if (json) return printJson(keyList);
        if (keyList.length === 0) say('There are no keys yet: `graft keys create --role ADMIN` makes the first.');
        for (const key of keyList) say(`${key.prefix}  ${key.role.padEnd(7)}  ${key.name}  ${stateOf(key)}`);
      }),
    );

  keys
    .command('rotate <prefix>')
    .description('make a key in place of another, and print it')
    .option('--overlap <seconds>', 'how long the old one still works; a day by default', aNumber)
    .addOption(workspace)
    .action((prefix: string, { overlap, workspace: workspaceName }: { overlap?: number; workspace?: string }) =>
      withClient(async (client, { json }) => {
        const key = await keyByPrefix(client, prefix, workspaceName);
        const input = { ...key, ...(overlap === undefined ? {} : { overlapSeconds: overlap }) };
        const { rotateApiKey } = await client.request(RotateApiKeyDocument, { input });
        sayToken(rotateApiKey.token, json, rotateApiKey.key);
      }),
    );

  keys
    .command('revoke <prefix>')
    .description('end a key')
    .addOption(workspace)
    .action((prefix: string, { workspace: workspaceName }: { workspace?: string }) =>
      withClient(async (client, { json }) => {
        const input = await keyByPrefix(client, prefix, workspaceName);
        const { revokeApiKey } = await client.request(RevokeApiKeyDocument, { input });
        if (json) printJson(revokeApiKey.key);
        else say(`revoked ${prefix}`);
      }),
    );
}

function addWorkspaceCommands(program: Command, withClient: WithClient): void {
  const workspaces = program.command('workspaces').description('tenants, each with its own data and keys');
  workspaces
    .command('create <name>')
    .description('make a workspace')
    .action((name: string) =>
      withClient(async (client, { json }) => {
        const { createWorkspace } = await client.request(CreateWorkspaceDocument, { input: { name } });
        if (json) printJson(createWorkspace.workspace);
        else say(`made ${name}; its first key: graft keys create --role ADMIN --workspace ${JSON.stringify(name)}`);
      }),
    );
  workspaces
    .command('list')
    .description('the workspaces that you look after')
    .action(() =>
      withClient(async (client, { json }) => {
        const workspaceList = await everyWorkspace(client);
        if (json) return printJson(workspaceList);
        for (const { name } of workspaceList) say(name);
      }),
    );
}

interface CreateOptions {
  role: Role;
  days?: number;
  atHome?: boolean;
  workspace?: string;
}

interface KeyToMake {
  name: string;
  role: Role;
  expiresAt: Date | null;
}

/** The key as a running gateway makes it; null where none was named and none answers: one that was may be of another home. */
async function createThere(
  client: GraftClient,
  key: KeyToMake,
  workspaceName: string | undefined,
  isGatewayNamed: boolean,
) {
  try {
    const input = {
      ...key,
      expiresAt: key.expiresAt?.toISOString() ?? null,
      workspaceId: await workspaceId(client, workspaceName),
    };
    return (await client.request(CreateApiKeyDocument, { input })).createApiKey;
  } catch (error) {
    if (!(error instanceof GraftClientError && error.code === 'UNREACHABLE')) throw error;
    if (!isGatewayNamed) return null;
    throw new GraftClientError(
      error.code,
      error.sentence,
      'Without --url and GRAFT_URL, or with --at-home, the key is made in GRAFT_HOME or DATABASE_URL.',
    );
  }
}

/** The database's code is loaded by who needs it: every command would wait for it. */
const atHomeAlone: typeof createKeyAtHome = async (...args) =>
  (await import('./keys-at-home.js')).createKeyAtHome(...args);

async function sayingWhere(pendingKey: Promise<KeyAtHome>): Promise<KeyAtHome> {
  const key = await pendingKey;
  process.stderr.write(`Made in ${key.where}, past any gateway.\n`);
  return key;
}
