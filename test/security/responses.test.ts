/** A response that is kept is found by the key that asked, and by who may read the answers of others; never past a wall or a label. */
import Fastify, { type FastifyInstance } from 'fastify';
import { buildSchema } from 'graphql';
import { AnswerStore, DELETED_TEXT } from '../../src/answer/ask/index.js';
import { localCaller, type Caller, type Role } from '../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, newId, type Uuid, type WorkspaceId } from '../../src/kernel/ids.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { openDomains } from '../../src/server/domains.js';
import { ErrorPresenter } from '../../src/server/graphql/errors.js';
import { addOpenAi } from '../../src/server/openai/index.js';
import { ResponseStore } from '../../src/server/openai/responses/store.js';
import { recordAnswers } from '../support/recorded-answers.js';
import { TestPlatform } from '../support/test-platform.js';

const SOURCE = 'plans/secret.txt';
const REPEATING = [
  { role: 'assistant', text: 'The plan is a secret.' },
  { role: 'user', text: 'And when?' },
];

describe('a response that is kept', () => {
  let test: TestPlatform;
  let server: FastifyInstance;
  let caller: Caller;
  let first: string;
  let second: string;
  let other: WorkspaceId;
  let answerStore: AnswerStore;
  const [own, another] = [newId(), newId()];

  const keyed = (lineId: Uuid, role: Role, more: Partial<Caller> = {}): Caller => ({
    ...localCaller(),
    role,
    key: { id: newId(), lineId, prefix: 'p', name: 'n' },
    ...more,
  });

  beforeAll(async () => {
    test = await TestPlatform.start();
    const domains = await openDomains(test.platform);
    answerStore = domains.ask.parts.answers;
    const { pool } = test.database;
    other = (
      await pool.query<{ id: WorkspaceId }>(
        `INSERT INTO workspace (id, name) VALUES (gen_random_uuid(), 'o') RETURNING id`,
      )
    ).rows[0]!.id;
    const answers = await recordAnswers(test.database, DEFAULT_WORKSPACE_ID, [
      { conversationId: 'c', question: 'What is planned?' },
      { conversationId: 'c', question: 'And when?', askedAs: 'What is planned? And when?' },
    ]);
    [first, second] = [answers[0]!, answers[1]!];
    await pool.query('UPDATE answer SET asked_by = $1', [own]);
    await pool.query('UPDATE answer SET read_from = $1', [[SOURCE]]);
    const responses = new ResponseStore(test.database);
    const request = { repeated: { model: 'graft' }, options: [], ignored: [], mostResults: 0 };
    const [none, behind] = [{ previous: null, answers: [] }, [{ id: first, isErased: false }]];
    await responses.keep(first, { ...request, input: [{ role: 'user', text: 'What is planned?' }] }, none);
    await responses.keep(second, { ...request, input: REPEATING }, { previous: first, answers: behind });
    await pool.query(
      `WITH c AS (INSERT INTO collection (id, workspace_id, name) VALUES (gen_random_uuid(), $1, 'plans') RETURNING id)
       INSERT INTO document_label (workspace_id, collection_id, name, source, access, changed_by)
       SELECT $1, id, 'secret.txt', $2, '{board}', 'test' FROM c`,
      [DEFAULT_WORKSPACE_ID, SOURCE],
    );
    server = Fastify();
    server.decorateRequest('caller', null as never);
    server.addHook('onRequest', (request, _reply, done) => {
      request.caller = caller;
      done();
    });
    const presenter = new ErrorPresenter(silentLogger());
    const kit = { schema: buildSchema('type Query { a: Int }'), presenter, isDraining: () => false };
    addOpenAi(server, domains.openAi.parts, { ...kit, underWay: (work) => work });
  }, 300_000);
  afterAll(async () => {
    await server.close();
    await test.dispose();
  });

  const statuses = async (id: string) => {
    const url = `/v1/responses/resp_${id}`;
    const asked = { model: 'nobody', input: 'And what does it cost?' };
    const reference = [
      { type: 'item_reference', id: `msg_${id}` },
      { role: 'user', content: 'And then?' },
    ];
    const calls = [
      server.inject({ url }),
      server.inject({ url: `${url}?stream=true` }),
      server.inject({ url: `${url}/input_items` }),
      server.inject({ method: 'POST', url: `${url}/cancel` }),
      server.inject({
        method: 'POST',
        url: '/v1/responses',
        payload: { ...asked, previous_response_id: `resp_${id}` },
      }),
      server.inject({ method: 'POST', url: '/v1/responses', payload: { ...asked, input: reference } }),
    ];
    return (await Promise.all(calls)).map((answer) => {
      const { error } = /^\{/.test(answer.body) ? answer.json<{ error?: { param: string } | null }>() : {};
      return error ? `${answer.statusCode} ${error.param}` : answer.statusCode;
    });
  };
  // Who finds it is told of the model next.
  const FOUND = [200, 200, 200, '400 response_id', '404 model', '404 model'];
  const MISSING = ['404 response_id', '404 response_id', '404 response_id', '404 response_id'].concat([
    '404 previous_response_id',
    '404 input',
  ]);

  it.each<[string, () => Caller, unknown[]]>([
    ['the key that asked', () => keyed(own, 'ASK'), FOUND],
    ['another key that may read the answers of others', () => keyed(another, 'EDIT'), FOUND],
    ['who sees the documents that it read', () => keyed(own, 'ASK', { groups: ['board'] }), FOUND],
    ['another key that only asks', () => keyed(another, 'ASK'), MISSING],
    [
      'who no longer sees a document that it, or what it follows, read',
      () => keyed(own, 'ASK', { groups: [] }),
      MISSING,
    ],
    ['another workspace', () => localCaller(other), MISSING],
  ])('to %s', async (_who, who, expected) => {
    caller = who();
    expect(await statuses(first)).toEqual(expected);
    expect(await statuses(second)).toEqual(expected);
  });

  it('says nothing of an erased document, nor does what goes on from it', async () => {
    const erased = { workspaceId: DEFAULT_WORKSPACE_ID, ids: [first], kept: true };
    await test.database.prisma.$transaction((tx) => answerStore.erasing(tx, erased));
    caller = keyed(own, 'ASK', { groups: ['board'] });
    const url = `/v1/responses/resp_${second}`;
    const bodies = [(await server.inject({ url })).body, (await server.inject({ url: `${url}/input_items` })).body];
    expect(bodies[0]).toContain(DELETED_TEXT);
    expect(bodies[1]).toContain('And when?');
    expect(bodies[1]).not.toContain('secret');
  });

  it('loses what is erased while it is made', async () => {
    const [answerId] = await recordAnswers(test.database, DEFAULT_WORKSPACE_ID, [
      { conversationId: 'd', question: 'And?' },
    ]);
    const request = { input: REPEATING, repeated: {}, options: [], ignored: [], mostResults: 0 };
    const isErased = async () =>
      (await test.database.prisma.answer.findFirstOrThrow({ where: { id: answerId! } })).text === DELETED_TEXT;
    await test.database.prisma.answer.update({ where: { id: first }, data: { text: DELETED_TEXT } });
    const responses = new ResponseStore(test.database);
    // What was erased by then was shown to nobody.
    await responses.keep(answerId!, request, { previous: null, answers: [{ id: first, isErased: true }] });
    expect(await isErased()).toBe(false);
    await responses.keep(answerId!, request, { previous: null, answers: [{ id: first, isErased: false }] });
    expect(await isErased()).toBe(true);
    await test.database.prisma.answer.delete({ where: { id: answerId! } });
  });

  it('tells those that hold copies of answers of the ones that followed, too', async () => {
    const told: string[][] = [];
    const copies = new AnswerStore(test.database);
    const responses = new ResponseStore(test.database);
    copies.onFollowing((tx, ids) => responses.followersOf(tx, ids));
    copies.onErasure((_tx, { ids }) => Promise.resolve(void told.push([...ids])));
    for (const kept of [true, false])
      await test.database.prisma.$transaction((tx) =>
        copies.erasing(tx, { workspaceId: DEFAULT_WORKSPACE_ID, ids: [first], kept }),
      );
    expect(told).toEqual([[first, second], [first]]);
  });

  it('looks back on no more than a million characters of requests', async () => {
    const text = 'x'.repeat(600_000);
    const request = { input: [{ role: 'user', text }], repeated: {}, options: [], ignored: [], mostResults: 0 };
    const turn = { conversationId: 'e', question: 'And?' };
    const ids = await recordAnswers(test.database, DEFAULT_WORKSPACE_ID, [turn, turn, turn]);
    const responses = new ResponseStore(test.database);
    for (const [i, id] of ids.entries())
      await responses.keep(id, request, { previous: ids[i - 1] ?? null, answers: [] });
    const chain = await responses.chains(keyed(own, 'EDIT'), [ids[2]!], 20);
    expect(chain.map(({ answerId }) => answerId)).toEqual([ids[2], ids[1]]);
    await test.database.prisma.answer.deleteMany({ where: { id: { in: ids } } });
  });

  it('is stored without the characters that a JSON column refuses', async () => {
    const text = 'nothing\0 and half \ud83d';
    const request = { repeated: { [text]: text }, options: [], ignored: [], mostResults: 0 };
    const stored = new ResponseStore(test.database).keep(
      first,
      { ...request, input: [{ role: 'user', text }] },
      { previous: null, answers: [] },
    );
    await expect(stored).resolves.toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['a reference', { input: [{ type: 'item_reference', id: { toString: 1 } }] }, 'input[0].id'],
    ['a choice of a tool', { tool_choice: { type: 'file_search', more: [[]] } }, 'tool_choice.more'],
  ])('refuses %s in a malformed body by its name', async (_what, body, param) => {
    caller = keyed(own, 'ASK');
    const tools = [{ type: 'file_search', vector_store_ids: ['vs_none'] }];
    const payload = { model: 'nobody', input: 'What?', tools, ...body };
    const answer = await server.inject({ method: 'POST', url: '/v1/responses', payload });
    expect([answer.statusCode, answer.json<{ error: { param: string } }>().error.param]).toEqual([400, param]);
  });

  it('is deleted by who finds it alone, which the audit log says, and leaves the questions that follow it', async () => {
    const gone = async (who: Caller, id: string) => {
      caller = who;
      return (await server.inject({ method: 'DELETE', url: `/v1/responses/resp_${id}` })).statusCode;
    };
    const left = async () =>
      (await test.database.pool.query<{ id: string; body: object }>('SELECT id, body FROM answer ORDER BY id')).rows;
    for (const who of [keyed(another, 'ASK'), keyed(own, 'ASK', { groups: [] }), localCaller(other)])
      expect(await gone(who, first)).toBe(404);
    expect(await left()).toHaveLength(2);
    expect(await gone(keyed(own, 'ASK'), first)).toBe(200);
    expect(await left()).toEqual([
      { id: second, body: expect.not.objectContaining({ askedAs: expect.anything() as string }) },
    ]);
    expect((await test.database.pool.query('SELECT 1 FROM response')).rowCount).toBe(1);
    const audited = await test.database.pool.query(
      'SELECT subject FROM audit_entry WHERE what = $1 AND outcome IS NOT NULL',
      ['DELETE /v1/responses'],
    );
    expect(audited.rowCount).toBeGreaterThan(0);
  });
});
