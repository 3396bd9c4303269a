import { summarised } from '../../../src/access/audit/audit.js';
import { execute, parse } from 'graphql';
import { RESOLVER_CLASSES } from '../../../src/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/graphql/schema.js';
import { createGraphContext, NodeRegistry } from '../../../src/graphql-kit/index.js';
import { localCaller, type Caller } from '../../../src/kernel/caller.js';
import { accessKit, type AccessKit } from './access-kit.js';

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
    const own = kit.access.offer.resolvers(new NodeRegistry());
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

  it('keeps names and numbers, and of every other text only how long it was', () => {
    const kept = summarised({
      ...{ collection: 'manuals', count: 3, when: new Date(0), question: 'Who is ill?', token: 'graft_x' },
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
