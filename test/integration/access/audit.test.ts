import { summarised } from '../../../src/operate/access/audit/audit.js';
import { AuditLog } from '../../../src/operate/access/audit/audit-log.js';
import { AuditStore } from '../../../src/operate/access/audit/audit-store.js';
import { execute, parse } from 'graphql';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, NodeRegistry, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller, type Caller } from '../../../src/kernel/caller.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { createLogger } from '../../../src/platform/telemetry/index.js';
import { instead } from '../../support/instead.js';
import { accessKit, type AccessKit } from './access-kit.js';

const SILENT = createLogger({ level: 'silent' });

interface Entry {
  who: string;
  role: string;
  what: string;
  outcome: string | null;
  subjectId: string | null;
  input: Record<string, unknown>;
  before: unknown;
  after: Record<string, unknown> | null;
}

describe('the audit log', () => {
  let kit: AccessKit;
  beforeAll(async () => void (kit = await accessKit()));
  afterAll(() => kit.dispose());

  const run = async (source: string, caller: Caller = localCaller()) => {
    const nodes = new NodeRegistry();
    kit.access.hooks.lookBy(nodes);
    const own = kit.access.offer.resolvers(nodes);
    const classes = new Set(own.map(({ constructor }) => constructor as unknown));
    const schema = buildGraphSchema(
      [...own, ...RESOLVER_CLASSES.filter((each) => !classes.has(each))],
      kit.access.hooks,
    );
    const contextValue = createGraphContext(caller, 'request-1', new AbortController());
    return execute({ schema, document: parse(source), contextValue });
  };
  const log = async (caller: Caller = localCaller()): Promise<Entry[]> => {
    const { data } = await run(
      '{ auditLog(first: 50) { edges { node { who role what outcome subjectId input before after } } } }',
      caller,
    );
    return (data as unknown as { auditLog: { edges: { node: Entry }[] } }).auditLog.edges.map(({ node }) => node);
  };

  it('says who, with which role, changed what, how it was and is, and holds no secret', async () => {
    const { data } = await run('mutation { createApiKey(input: { name: "desk", role: EDIT }) { token key { id } } }');
    const { token, key } = (data as unknown as { createApiKey: { token: string; key: { id: string } } }).createApiKey;
    await run(
      `mutation { setBudget(input: { keyId: "${key.id}", window: DAY, requests: 5 }) { budgets { requestsLeft } } }`,
    );
    await run(
      `mutation { setBudget(input: { keyId: "${key.id}", window: DAY, requests: 9 }) { budgets { requestsLeft } } }`,
    );
    const [second, , made] = await log();
    expect(made).toMatchObject({
      who: 'local',
      role: 'ADMIN',
      what: 'createApiKey',
      outcome: 'DONE',
      subjectId: key.id,
    });
    expect(made!.after).toMatchObject({ name: 'desk', role: 'EDIT' });
    expect(second).toMatchObject({ what: 'setBudget', before: { requests: 5 }, after: { window: 'DAY', requests: 9 } });
    expect(JSON.stringify(await log())).not.toContain(token.slice(17));
  });

  it('says how what a mutation changes was before, also of a mutation that says nothing of it', async () => {
    const { key } = await kit.key('ASK');
    const id = toGlobalId('ApiKey', key.id);
    await run(`mutation { updateApiKey(input: { id: "${id}", role: EDIT }) { key { id } } }`);
    await run(`mutation { revokeApiKey(input: { id: "${id}" }) { key { id } } }`);
    const [revoked, updated] = await log();
    expect(updated).toMatchObject({
      what: 'updateApiKey',
      subjectId: id,
      before: { role: 'ASK', name: 'of ASK' },
      after: { role: 'EDIT' },
    });
    expect(revoked).toMatchObject({ what: 'revokeApiKey', subjectId: id, before: { role: 'EDIT' } });
  });

  it('says it of the keys of another workspace, too, to who looks after it, and to nobody else', async () => {
    const workspace = await kit.workspace();
    const workspaceId = toGlobalId('Workspace', workspace);
    const change = async (caller: Caller) => {
      const { key } = await kit.key('ASK', workspace);
      const id = toGlobalId('ApiKey', key.id);
      await run(
        `mutation { updateApiKey(input: { id: "${id}", workspaceId: "${workspaceId}", role: EDIT }) { key { id } } }`,
        caller,
      );
      return { id, entry: (await log(caller))[0] };
    };
    const ours = await change(localCaller());
    const before = { role: 'ASK', name: 'of ASK' };
    expect(ours.entry).toMatchObject({ what: 'updateApiKey', subjectId: ours.id, before, after: { role: 'EDIT' } });
    const foreign = await change(localCaller(await kit.workspace()));
    expect(foreign.entry).toMatchObject({ outcome: 'NOT_FOUND', subjectId: null, before: null, after: null });
  });

  it('changes what it can’t look at before, and says whose id it was of what failed', async () => {
    const { key } = await kit.key('ASK');
    const id = toGlobalId('ApiKey', key.id);
    const nodes = { fetch: () => Promise.reject(new Error('away')) };
    kit.access.hooks.lookBy(nodes);
    const schema = buildGraphSchema(kit.access.offer.resolvers(new NodeRegistry()), kit.access.hooks);
    const contextValue = createGraphContext(localCaller(), 'request-2', new AbortController());
    const source = `mutation { updateApiKey(input: { id: "${id}", role: EDIT }) { key { role } } }`;
    const { errors } = await execute({ schema, document: parse(source), contextValue });
    expect(errors).toBeUndefined();
    expect((await log())[0]).toMatchObject({ what: 'updateApiKey', before: null, after: { role: 'EDIT' } });
    await run(`mutation { updateApiKey(input: { id: "${id}", name: " " }) { key { id } } }`);
    expect((await log())[0]).toMatchObject({ outcome: 'BAD_USER_INPUT', subjectId: id, before: null, after: null });
  });

  it('keeps attempts that failed, with their code, and says whose key it was', async () => {
    const { key } = await kit.key('ADMIN');
    const caller: Caller = { ...localCaller(), key: { ...key } };
    await run('mutation { createApiKey(input: { name: " ", role: ASK }) { token } }', caller);
    expect((await log())[0]).toMatchObject({ who: `of ADMIN (${key.prefix})`, outcome: 'BAD_USER_INPUT', after: null });
  });

  it('is seen by administrators of its workspace alone', async () => {
    const other: Caller = { ...localCaller(await kit.workspace()) };
    expect(await log(other)).toEqual([]);
    const { errors } = await run('{ auditLog { edges { cursor } } }', { ...localCaller(), role: 'OPERATE' });
    expect(errors![0]!.originalError).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is a file, too, of any length, and goes by age alone', async () => {
    const workspace = await kit.workspace();
    const caller: Caller = { ...localCaller(workspace) };
    await kit.database.pool.query(
      `INSERT INTO audit_entry (id, workspace_id, who, role, what, request_id, input, created_at)
       SELECT gen_random_uuid(), $1, 'local', 'ADMIN', 'deleteFile', n::text, '{}', now() - make_interval(days => n % 500)
       FROM generate_series(1, 1200) n`,
      [workspace],
    );
    const lines = async (filter = {}) => {
      let text = '';
      for await (const some of kit.access.auditLines(workspace, filter)) text += some;
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Entry & { id: string });
    };
    const all = await lines();
    expect(new Set(all.map(({ id }) => id)).size).toBe(1200);
    expect(all[0]).toMatchObject({ who: 'local', role: 'ADMIN', what: 'deleteFile', outcome: null });
    const from = new Date(Date.now() - 10 * 86_400_000);
    expect((await lines({ from })).length).toBeLessThan(40);
    const store = new AuditStore(kit.database);
    await store.removeOlderThan(0);
    expect(await lines()).toHaveLength(1200);
    await store.removeOlderThan(400);
    const kept = (await lines()).length;
    expect(kept).toBeGreaterThan(900);
    expect(kept).toBeLessThan(1010);
    expect((await log(caller)).length).toBe(50);
  });

  it('where it can’t be written nothing is changed', async () => {
    const failing = instead(new AuditStore(kit.database), {
      begin: () => Promise.reject(new GraftError('DATABASE_UNAVAILABLE', 'gone')),
    });
    const work = jest.fn<Promise<void>, []>();
    const call = { what: 'createApiKey', caller: localCaller(), requestId: 'r', input: {} };
    await expect(new AuditLog({ store: failing, log: SILENT }).around(call, work)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    expect(work).not.toHaveBeenCalled();
  });

  it('keeps names and numbers, and of every other text only how long it was', () => {
    const kept = summarised({
      collection: 'manuals',
      count: 3,
      when: new Date(0),
      question: 'Who is ill?',
      token: 'graft_x',
      documents: Array.from({ length: 30 }, (_, i) => ({ name: `${i}.txt`, text: 'private' })),
    }) as Record<string, unknown>;
    expect(kept).toMatchObject({
      collection: 'manuals',
      count: 3,
      question: { characters: 11 },
      token: { characters: 7 },
    });
    expect(kept['documents']).toHaveLength(21);
    expect(JSON.stringify(kept)).not.toContain('private');
    expect(JSON.stringify(summarised({ a: { a: { a: { a: { a: { a: { a: 1 } } } } } } })).length).toBeLessThan(100);
  });
});
