import type pg from 'pg';
import { execute, getNamedType, isEnumType, isInputObjectType, isNonNullType, isScalarType, parse } from 'graphql';
import { isObjectType, print, type GraphQLInputType, type GraphQLSchema } from 'graphql';
import { asOwner } from '../../support/as-owner.js';
import type { NewKey } from '../../../src/operate/access/keys/api-key-service.js';
import { operationFields, type OperationField } from '../../../src/server/graphql/guard.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, spendsOf, type GraphContext } from '../../../src/kit/graphql/index.js';
import type { Caller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import { onAccount, spend } from '../../../src/platform/spending/index.js';
import type { BudgetState } from '../../../src/operate/access/budgets/budget.js';
import { Ledger } from '../../../src/operate/access/budgets/ledger.js';
import { BudgetStore } from '../../../src/operate/access/budgets/budget-store.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { mapDatabaseError } from '../../../src/platform/database/index.js';
import { createLogger } from '../../../src/platform/telemetry/index.js';
import { eventually } from '../../support/eventually.js';
import { instead } from '../../support/instead.js';
import { accessKit, type AccessKit } from './access-kit.js';
import { waitingForLocks } from '../../support/lock-waits.js';

const UNLIMITED = { requests: null, tokens: null, concurrent: null, trainingMinutes: null };

/** The least that a type takes. */
function leastOf(type: GraphQLInputType): unknown {
  if (!isNonNullType(type)) return undefined;
  const named = getNamedType(type);
  if (type.toString().startsWith('[')) return [];
  if (isEnumType(named)) return named.getValues()[0]!.value as unknown;
  if (isInputObjectType(named))
    return Object.fromEntries(Object.values(named.getFields()).map(({ name, type: inner }) => [name, leastOf(inner)]));
  if (isScalarType(named) && ['Int', 'Float', 'BigInt'].includes(named.name)) return 1;
  if (named.name === 'Boolean') return true;
  return named.name === 'DateTime' ? '2026-01-01T00:00:00Z' : 'x';
}

/** An operation of nothing but this field. */
function operationOf({ field, operation }: OperationField) {
  const variables = field.args.map(({ name, type }) => ({ name, type: type.toString(), value: leastOf(type) }));
  const given = variables.filter(({ value }) => value !== undefined);
  const declared = given.map(({ name, type }) => `$${name}: ${type}`).join(', ');
  const passed = given.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection =
    isObjectType(getNamedType(field.type)) ||
    'getFields' in getNamedType(field.type) ||
    'getTypes' in getNamedType(field.type)
      ? ' { __typename }'
      : '';
  const source = `${operation} ${declared && `(${declared})`} { ${field.name}${passed && `(${passed})`}${selection} }`;
  return { document: parse(source), variables: Object.fromEntries(given.map(({ name, value }) => [name, value])) };
}

describe('budgets', () => {
  let kit: AccessKit;
  let schema: GraphQLSchema;
  beforeAll(async () => {
    kit = await accessKit();
    // Resolvers have no instance: what is let through ends in an error of another kind.
    schema = buildGraphSchema(RESOLVER_CLASSES, kit.access.hooks);
  });
  afterAll(() => kit.dispose());

  const callerOf = ({ key, token }: NewKey): Promise<Caller> =>
    Promise.resolve(kit.access.authenticator.authenticate(`Bearer ${token}`, key.id));
  const set = async (subject: string, limits: Partial<typeof UNLIMITED> | Record<string, number>) => {
    await kit.budgets.set(DEFAULT_WORKSPACE_ID, subject, 'DAY', { ...UNLIMITED, ...limits }, 'test');
    for (const each of [kit.access, kit.other]) each.ledger.forget(DEFAULT_WORKSPACE_ID);
  };
  const quiet = createLogger({ level: 'silent' });
  /** A ledger whose settlements wait until they are let through. */
  const heldUp = () => {
    const store = new BudgetStore(kit.database);
    const order: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const settle: BudgetStore['settle'] = async (...of) => {
      await gate;
      await store.settle(...of);
      order.push('settled');
    };
    const ledger = new Ledger({ store: instead(store, { settle }), clock: systemClock, log: quiet });
    return { ledger, order, open: () => open() };
  };
  const states = (lineId: string) => kit.access.ledger.states({ workspaceId: DEFAULT_WORKSPACE_ID, lineId });

  it('a spent key is refused by every field that starts paid work, and by none that doesn’t', async () => {
    const key = await kit.key('ADMIN');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 0 });
    const codes: Record<string, unknown> = {};
    for (const each of operationFields(schema)) {
      if (spendsOf(each.field) === undefined) continue;
      const { document, variables } = operationOf(each);
      const contextValue: GraphContext = createGraphContext(caller, 'r', new AbortController());
      const call = { schema, document, variableValues: variables, contextValue };
      const failed =
        each.operation === 'subscription'
          ? await Promise.resolve(each.field.subscribe!({}, variables, contextValue, { schema } as never)).then(
              () => undefined,
              (error: unknown) => error,
            )
          : ((await execute(call)).errors?.[0]?.originalError ?? (await execute(call)).errors?.[0] ?? print(document));
      codes[each.name] = (failed as { code?: string } | undefined)?.code ?? String(failed);
    }
    expect(new Set(Object.values(codes))).toEqual(new Set(['BUDGET_EXCEEDED']));
    expect(Object.keys(codes).length).toBeGreaterThan(25);
    expect(Object.keys(codes)).toEqual(
      expect.arrayContaining(['Query.ask', 'Query.answerAll', 'Query.search', 'Subscription.askStream']),
    );
  });

  it('two gateways let as many in as there are requests, however many ask at once', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 7 });
    const tries = Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? kit.access : kit.other).ledger.reserve(caller, 'ANSWER').then(
        (reservation) => reservation!.settle(10).then(() => 'in'),
        (error: { code: string; hint: string }) => `${error.code} ${error.hint}`,
      ),
    );
    const outcomes = await Promise.all(tries);
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(7);
    expect(outcomes.filter((outcome) => /^BUDGET_EXCEEDED It begins anew at \d{4}/.test(outcome))).toHaveLength(33);
    expect((await states(key.key.id))[0]).toMatchObject({ left: { requests: 0 } });
  });

  it('tokens are overdrawn by one request at most, and a changed limit resets nothing', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { tokens: 1 });
    const first = await kit.access.ledger.reserve(caller, 'ANSWER');
    await expect(kit.other.ledger.reserve(caller, 'ANSWER')).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
    await first!.settle(500);
    await first!.settle(500);
    expect((await states(key.key.id))[0]!.left.tokens).toBe(-499);
    await set(key.key.id, { tokens: 600 });
    expect((await states(key.key.id))[0]!.left.tokens).toBe(100);
    await set(key.key.id, {});
    expect(await states(key.key.id)).toEqual([]);
    await set(key.key.id, { tokens: 600 });
    expect((await states(key.key.id))[0]!.left.tokens).toBe(100);
  });

  it('so many may be under way at once, and a key that follows by rotation spends from the same', async () => {
    const old = await kit.key('ASK');
    const fresh = await kit.access.keys.rotate(DEFAULT_WORKSPACE_ID, old.key.id, 60, 'test');
    await set(old.key.id, { concurrent: 1 });
    const held = await kit.access.ledger.reserve(await callerOf(old), 'ANSWER');
    await expect(kit.access.ledger.reserve(await callerOf(fresh), 'ANSWER')).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      hint: expect.stringMatching(/Wait for an answer/),
    });
    await held!.settle(0);
    await (await kit.access.ledger.reserve(await callerOf(fresh), 'ANSWER'))!.settle(0);
  });

  it('a reservation whose gateway went away lets go of its place, and counts as it was reserved', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { concurrent: 1, tokens: 10_000 });
    await kit.access.ledger.reserve(caller, 'ANSWER');
    await kit.database.pool.query(`UPDATE reservation SET until = now() - interval '1 s' WHERE line_id = $1`, [
      key.key.id,
    ]);
    await (await kit.other.ledger.reserve(caller, 'SEARCH'))!.settle(4);
    await kit.other.ledger.close();
    expect((await states(key.key.id))[0]!.left).toMatchObject({ concurrent: 1, tokens: 10_000 - 4_096 - 4 });
  });

  it('a row that others hold locked is waited for a while, then the caller may try again', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 5 });
    const other = await kit.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM budget WHERE subject_id = $1 FOR UPDATE', [key.key.id]);
      await expect(kit.access.ledger.reserve(caller, 'ANSWER')).rejects.toMatchObject({ code: 'OVERLOADED' });
      await other.query('ROLLBACK');
    } finally {
      other.release();
    }
    await (await kit.access.ledger.reserve(caller, 'ANSWER'))!.settle(0);
    expect((await states(key.key.id))[0]!.left.requests).toBe(4);
  });

  it('a connection that is lost in the middle of a reservation spends nothing, and the next one is let in', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 5 });
    const other = await kit.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM budget WHERE subject_id = $1 FOR UPDATE', [key.key.id]);
      const lost = kit.access.ledger.reserve(caller, 'ANSWER').then(
        () => 'in',
        (error: unknown) => mapDatabaseError(error),
      );
      const pid = await eventually('somebody waits for the lock', async () => (await waitingForLocks(other))[0]);
      await asOwner(kit.database.pool, (owner) => owner.query('SELECT pg_terminate_backend($1)', [pid]));
      expect(await lost).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await other.query('ROLLBACK');
    } finally {
      other.release();
    }
    expect((await states(key.key.id))[0]!.left.requests).toBe(5);
    await (await kit.access.ledger.reserve(caller, 'ANSWER'))!.settle(0);
    expect((await states(key.key.id))[0]!.left.requests).toBe(4);
  });

  it('where the database is away nothing paid begins, though what was under way ends', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 5 });
    const store = new BudgetStore(kit.database);
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    const blind = new Ledger({ store: instead(store, { subjects: away }), clock: systemClock, log: quiet });
    await expect(blind.reserve(caller, 'ANSWER')).rejects.toThrow('away');
    const unsettled = new Ledger({ store: instead(store, { settle: away }), clock: systemClock, log: quiet });
    await expect((await unsettled.reserve(caller, 'ANSWER'))!.settle(1)).resolves.toBeUndefined();
    expect((await states(key.key.id))[0]!.left.requests).toBe(4);
  });

  it('an answer doesn’t wait for its settlement where plenty is left; whoever looks at what is left does', async () => {
    const key = await kit.key('ASK');
    const caller = await callerOf(key);
    await set(key.key.id, { tokens: 1e6, requests: 100 });
    const payer = { workspaceId: DEFAULT_WORKSPACE_ID, lineId: key.key.id };
    const looks: ((ledger: Ledger) => Promise<readonly BudgetState[]>)[] = [
      (ledger) => ledger.states(payer),
      async (ledger) => {
        const next = await ledger.reserve(caller, 'SEARCH');
        await next!.settle(0);
        return next!.before;
      },
    ];
    for (const [times, look] of looks.entries()) {
      const { ledger, open } = heldUp();
      await (await ledger.reserve(caller, 'ANSWER'))!.settle(5);
      const looked = look(ledger);
      open();
      expect((await looked)[0]!.left.tokens).toBe(1e6 - 5 * (times + 1));
      await ledger.close();
    }
  });

  it.each([
    ['concurrent', 1],
    ['concurrent', 8],
    ['tokens', 4_096],
    ['tokens', 8 * 4_096],
  ])('an answer waits for its settlement where others would be refused meanwhile: %s %i', async (limit, value) => {
    const key = await kit.key('ASK');
    await set(key.key.id, { [limit]: value });
    const { ledger, open, order } = heldUp();
    const reservation = await ledger.reserve(await callerOf(key), 'ANSWER');
    const settled = reservation!.settle(5).then(() => order.push('answered'));
    open();
    await settled;
    expect(order).toEqual(['settled', 'answered']);
  });

  it('a gateway that stops settles what it answered, and what couldn’t be settled at once', async () => {
    const key = await kit.key('ASK');
    await set(key.key.id, { tokens: 1e6 });
    const store = new BudgetStore(kit.database);
    let failures = 0;
    const settle: BudgetStore['settle'] = (id, tokens) =>
      failures++ === 0 ? Promise.reject(new Error('away')) : store.settle(id, tokens);
    const ledger = new Ledger({ store: instead(store, { settle }), clock: systemClock, log: quiet });
    await (await ledger.reserve(await callerOf(key), 'ANSWER'))!.settle(7);
    await ledger.close();
    expect(failures).toBe(2);
    expect((await kit.budgets.states({ workspaceId: DEFAULT_WORKSPACE_ID, lineId: key.key.id }))[0]!.left.tokens).toBe(
      1e6 - 7,
    );
  });

  it('a reservation that is over holds nobody up, though what it counts on is locked', async () => {
    const [gone, key] = [await kit.key('ASK'), await kit.key('ASK')];
    for (const each of [gone, key]) await set(each.key.id, { requests: 10, tokens: 1e6 });
    await kit.access.ledger.reserve(await callerOf(gone), 'ANSWER');
    await kit.database.pool.query(`UPDATE reservation SET until = now() - interval '1 s' WHERE line_id = $1`, [
      gone.key.id,
    ]);
    const ledger = new Ledger({ store: new BudgetStore(kit.database), clock: systemClock, log: quiet });
    const other = await kit.database.pool.connect();
    const caller = await callerOf(key);
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM spending WHERE subject_id = $1 FOR UPDATE', [gone.key.id]);
      expect(await ledger.reserve(caller, 'ANSWER')).not.toBeNull();
      await other.query('ROLLBACK');
    } finally {
      other.release();
    }
    await ledger.close();
  });

  it('a reservation waits for no sweep of others', async () => {
    const key = await kit.key('ASK');
    await set(key.key.id, { requests: 10 });
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const store = instead(new BudgetStore(kit.database), { sweep: () => gate });
    const ledger = new Ledger({ store, clock: systemClock, log: quiet });
    expect(await ledger.reserve(await callerOf(key), 'ANSWER')).not.toBeNull();
    open();
    await ledger.close();
  });

  it('a gateway that stops waits for what is settled while it does', async () => {
    const key = await kit.key('ASK');
    await set(key.key.id, { tokens: 1e6 });
    const caller = await callerOf(key);
    const store = new BudgetStore(kit.database);
    const order: string[] = [];
    const gates: (() => void)[] = [];
    const settle: BudgetStore['settle'] = async (...of) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      await store.settle(...of);
      order.push('settled');
    };
    const ledger = new Ledger({ store: instead(store, { settle }), clock: systemClock, log: quiet });
    const [first, late] = [await ledger.reserve(caller, 'ANSWER'), await ledger.reserve(caller, 'ANSWER')];
    await first!.settle(1);
    const closed = ledger.close().then(() => order.push('closed'));
    await late!.settle(1);
    await eventually('both are being settled', () => gates.length === 2);
    gates[0]!();
    await eventually('one is settled', () => order.length === 1);
    gates[1]!();
    await closed;
    expect(order).toEqual(['settled', 'settled', 'closed']);
  });

  it('a spending row that others hold locked keeps nobody who looks waiting for long', async () => {
    const key = await kit.key('ASK');
    await set(key.key.id, { tokens: 1e6 });
    const reservation = await kit.access.ledger.reserve(await callerOf(key), 'ANSWER');
    const other = await kit.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM spending WHERE subject_id = $1 FOR UPDATE', [key.key.id]);
      await reservation!.settle(9);
      expect((await states(key.key.id))[0]!.left.tokens).toBe(1e6 - 4_096);
      await other.query('ROLLBACK');
    } finally {
      other.release();
    }
    await eventually('it is settled', async () => (await states(key.key.id))[0]!.left.tokens === 1e6 - 9 || undefined);
  });

  it('a reservation is one trip to the database', async () => {
    const key = await kit.key('ASK');
    const payer = { workspaceId: DEFAULT_WORKSPACE_ID, lineId: key.key.id };
    await set(key.key.id, { requests: 10, tokens: 1e6, concurrent: 10, trainingMinutes: 10 });
    let trips = 0;
    const connect = async () => {
      const client = await kit.database.pool.connect();
      const { query } = Object.getPrototypeOf(client) as pg.PoolClient;
      const counted = (...of: unknown[]): unknown => ((trips += 1), Reflect.apply(query, client, of));
      return Object.assign(client, { query: counted });
    };
    const store = new BudgetStore({ ...kit.database, pool: instead(kit.database.pool, { connect: connect as never }) });
    const reserve = () => store.reserve(payer, { id: newId(), tokens: 64, seconds: 60, training: false });
    await reserve();
    trips = 0;
    await reserve();
    expect(trips).toBe(1);
  });

  it.each([
    [{ requests: 0 }, 'SEARCH', 'requests of this day'],
    [{ tokens: 0 }, 'SEARCH', 'tokens of this day'],
    [{ concurrent: 0 }, 'SEARCH', 'requests at once'],
    [{ trainingMinutes: 0 }, 'TRAINING', 'minutes of training of this day'],
  ] as const)('%j refuses a %s, says so, and spends nothing', async (limits, work, words) => {
    const key = await kit.key('ADMIN');
    const caller = await callerOf(key);
    await set(key.key.id, { requests: 100, ...limits });
    await expect(kit.access.ledger.reserve(caller, work)).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: `Your key’s budget of ${words} is spent.`,
    });
    if (work === 'TRAINING') await (await kit.access.ledger.reserve(caller, 'SEARCH'))!.settle(0);
    await set(key.key.id, { requests: 100 });
    expect((await states(key.key.id))[0]!.left.requests).toBe(work === 'TRAINING' ? 99 : 100);
    const held = await kit.database.pool.query('SELECT 1 FROM reservation WHERE line_id = $1', [key.key.id]);
    expect(held.rows).toEqual([]);
  });

  it('a run that waited is asked for again before it works, and what it spends is counted', async () => {
    const key = await kit.key('EDIT');
    await set(key.key.id, { tokens: 100 });
    const run = {
      id: 'r',
      kind: 'EVALUATION',
      input: {},
      workspaceId: DEFAULT_WORKSPACE_ID,
      askedBy: key.key.id,
    } as never;
    const { ledger } = kit.access;
    expect(await ledger.aroundRun(run, async () => (await Promise.resolve(), spend(150), 'done'))).toBe('done');
    expect((await states(key.key.id))[0]!.left.tokens).toBe(-50);
    await expect(ledger.aroundRun(run, () => Promise.resolve('again'))).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
    });
    const worked = (kind: string, input: object = {}) =>
      ledger.aroundRun({ ...(run as object), kind, input } as never, () => Promise.resolve('done'));
    await expect(worked('IMPORT', { operation: 'import' })).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
    // What people want gone goes, and what watches users’ answers goes on: ending it would change what they get.
    for (const kind of ['ERASURE', 'UNLEARNING', 'ROLLOUT_WATCH', 'SHADOW_WATCH', 'EXPERIMENT_WATCH'])
      expect([kind, await worked(kind)]).toEqual([kind, 'done']);
    expect(await worked('IMPORT', { operation: 'delete' })).toBe('done');
  });

  it('who has none isn’t held up, and what they spend is counted on their account', async () => {
    const key = await kit.key('ASK');
    expect(await kit.access.ledger.reserve(await callerOf(key), 'ANSWER')).toBeNull();
    const account = { caller: { workspaceId: DEFAULT_WORKSPACE_ID, key: null }, tokens: 0 };
    await onAccount(account, async () => {
      await Promise.resolve();
      spend(3);
    });
    expect(account.tokens).toBe(3);
  });
});
