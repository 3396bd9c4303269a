import fc from 'fast-check';
import { PreprocessingStep, renderFeatures, TaskKind } from '../../../src/sources/data/index.js';
import { FeatureType, type FeatureValues } from '../../../src/sources/data/features/feature-view.js';
import { joinFeatures } from '../../../src/sources/data/datasets/making/join-features.js';
import { TableEngine } from '../../../src/sources/data/datasets/storage/duckdb.js';
import type { Clock } from '../../../src/kernel/clock.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import { DataKit, ws } from './data-kit.js';

/** A clock that the test sets. */
class HandClock implements Clock {
  time = Date.parse('2026-01-01T00:00:00Z');
  now = () => new Date(this.time);
  monotonic = () => performance.now();
}

const clock = new HandClock();
let kit: DataKit;
beforeAll(async () => (kit = await DataKit.start({ clock })));
afterAll(() => kit.dispose());

let names = 0;
async function view(ttlSeconds: number | null = null): Promise<string> {
  const name = `view-${++names}`;
  await kit.data.features.defineView(ws, {
    name,
    entity: 'customer',
    fields: [
      // Not in the order in which PostgreSQL keeps them.
      { name: 'seats', type: FeatureType.INTEGER },
      { name: 'plan', type: FeatureType.STRING },
    ],
    ttlSeconds,
  });
  return name;
}
const write = (name: string, entity: string, at: number, plan: string | null, createdAt?: number) =>
  kit.data.features.write(ws, name, [
    {
      entity,
      eventTime: new Date(at),
      values: { plan, seats: at % 100 },
      createdTime: createdAt === undefined ? null : new Date(createdAt),
    },
  ]);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'passed',
    (e: unknown) => (isGraftError(e) ? `${e.code} ${e.field}` : String(e)),
  );

/** What the offline join gives for rows of (entity, time). */
async function offline(name: string, rows: { entity: string; at: number }[]): Promise<(FeatureValues | null)[]> {
  const folder = `${kit.folder}/offline`;
  const history = await kit.data.features.exportHistory(ws, name, folder);
  const engine = await TableEngine.open({ folder });
  try {
    const writer = await engine.createTable('rows', {
      ordinal: 'BIGINT',
      entity: 'VARCHAR',
      event_time: 'BIGINT',
      features: 'VARCHAR',
    });
    rows.forEach((row, i) => writer.add([i, row.entity, row.at, null]));
    writer.close();
    await joinFeatures(engine, [history]);
    const joined = await engine.rows<{ features: string | null }>('SELECT features FROM rows ORDER BY ordinal');
    return joined.map(({ features }) =>
      features === null ? null : (JSON.parse(features) as Record<string, FeatureValues>)[name]!,
    );
  } finally {
    engine.close();
  }
}

describe('the point-in-time join', () => {
  it('gives each row what a reader at its moment saw, on random histories with late arrivals and a time to live', async () => {
    const start = clock.time;
    const action = fc.record({
      wait: fc.integer({ min: 0, max: 5_000 }),
      // Writes are about a moment before (late) or after (announced) the time of writing; the others read.
      about: fc.option(fc.integer({ min: -8_000, max: 3_000 }), { freq: 2 }),
      entity: fc.constantFrom('customer:1', 'customer:2'),
      plan: fc.option(fc.constantFrom('seedling', 'grower', 'estate'), { freq: 5 }),
    });
    let reads = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 5, maxLength: 25 }),
        fc.option(fc.integer({ min: 1, max: 6 })),
        async (actions, ttl) => {
          clock.time += 60_000;
          const name = await view(ttl);
          const seen: { entity: string; at: number; values: FeatureValues | null }[] = [];
          for (const { wait, about, entity, plan } of actions) {
            clock.time += wait;
            if (about !== null) await write(name, entity, clock.time + about, plan);
            else {
              const [read] = await kit.data.features.read(ws, entity, [name]);
              seen.push({ entity, at: clock.time, values: read!.values });
              // Nothing more is written in this millisecond: a later write would be created at a moment that was read already.
              clock.time += 1;
            }
          }
          const joined = await offline(name, seen);
          expect(joined).toEqual(seen.map((s) => s.values));
          // A prompt of training and one of serving name them in one order, that of the schema.
          for (const values of [...joined, ...seen.map((s) => s.values)])
            expect(Object.keys(values ?? { seats: 0, plan: '' })).toEqual(['seats', 'plan']);
          // Online at a moment of the past gives the same, though more has been written since.
          for (const { entity, at, values } of seen)
            expect((await kit.data.features.read(ws, entity, [name], { at: new Date(at) }))[0]!.values).toEqual(values);
          reads += seen.length;
          found += seen.filter((s) => s.values !== null).length;
        },
      ),
      { numRuns: 40 },
    );
    console.log(`${reads} reads compared, ${found} with a value`);
    expect(found).toBeGreaterThan(20);
    clock.time = start + 1e9;
  }, 120_000);

  it('never sees a value that was created later, takes the latest correction, and lets values expire', async () => {
    const name = await view(3600);
    const hour = 3_600_000;
    const t0 = clock.time - 10 * hour;
    await write(name, 'c', t0, 'first', t0);
    await write(name, 'c', t0, 'corrected', t0 + 60_000);
    await write(name, 'c', t0 + 120_000, 'late', t0 + 2 * hour);
    const at = [t0 - 1, t0, t0 + 59_999, t0 + 60_000, t0 + 120_000, t0 + hour, t0 + hour + 1, t0 + 2 * hour];
    const expected = [null, 'first', 'first', 'corrected', 'corrected', 'corrected', null, null];
    expect(
      (
        await offline(
          name,
          at.map((t) => ({ entity: 'c', at: t })),
        )
      ).map((v) => v?.['plan'] ?? null),
    ).toEqual(expected);
    for (const [i, t] of at.entries())
      expect((await kit.data.features.read(ws, 'c', [name], { at: new Date(t) }))[0]!.values?.['plan'] ?? null).toBe(
        expected[i],
      );
  });

  it('is part of a dataset version, with null values kept and rows without history left alone', async () => {
    const [plans, seats] = [await view(), await view()];
    const day = 86_400_000;
    const t = Date.parse('2026-01-05T00:00:00Z');
    clock.time = t + 30 * day;
    await write(plans, 'customer:1', t, 'grower', t);
    await write(plans, 'customer:1', t + 2 * day, null, t + 2 * day);
    await write(seats, 'customer:1', t, 'x', t);
    await kit.data.datasets.createDataset(ws, { name: 'joined', task: TaskKind.CLASSIFICATION });
    const row = (text: string, customer: string | undefined, days: number) => ({
      text,
      label: text.length % 2 ? 'a' : 'b',
      customer,
      sent_at: new Date(t + days * day).toISOString(),
    });
    const version = await kit.imported(
      'joined',
      [
        row('one', 'customer:1', 1),
        row('three', 'customer:1', 3),
        row('four', 'customer:2', 3),
        row('before', 'customer:1', -1),
      ],
      { features: [plans, seats] },
    );
    const features: unknown[] = [];
    for await (const batch of kit.data.rows.stream(
      TaskKind.CLASSIFICATION,
      await kit.data.store.rowGroups(version.id),
      {},
    ))
      features.push(...batch.map((r) => r.features));
    expect(features).toEqual([
      { [plans]: { plan: 'grower', seats: t % 100 }, [seats]: { plan: 'x', seats: t % 100 } },
      { [plans]: { plan: null, seats: t % 100 }, [seats]: { plan: 'x', seats: t % 100 } },
      null,
      null,
    ]);
  });
});

describe('a version that is made of another', () => {
  const t = Date.parse('2026-01-05T00:00:00Z');
  const calls = (n: number, from = 0) =>
    Array.from({ length: n }, (_, i) => ({
      id: `r${from + i}`,
      text: `call ${from + i} about ${i * 7919}`,
      label: i % 2 ? 'a' : 'b',
      customer: `customer:${from + i}`,
      sent_at: new Date(t + 3_600_000).toISOString(),
    }));
  const known = async () => {
    const name = await view();
    clock.time = Math.max(clock.time, t + 1e9);
    for (const i of [0, 1, 2, 9]) await write(name, `customer:${i}`, t, 'grower', t);
    return name;
  };
  const plansOf = async (versionId: string, name: string) => {
    const plans: Record<string, unknown> = {};
    const groups = await kit.data.store.rowGroups(versionId);
    for await (const batch of kit.data.rows.stream(TaskKind.CLASSIFICATION, groups, {}))
      for (const { key, features } of batch)
        plans[key] = (features as Record<string, FeatureValues> | null)?.[name]?.['plan'];
    return plans;
  };

  it('keeps its views through a deletion, and joins them to the rows of an extension', async () => {
    const [name, plans] = [await kit.dataset(), await known()];
    const first = await kit.imported(name, calls(3), { features: [plans] });
    const request = { dataset: name, subject: 'customer:1', reason: 'asked', idempotencyKey: newId() };
    const { versionId } = await kit.output(await kit.data.datasets.deleteRows(ws, request));
    const left = await kit.data.store.requireVersion(ws, versionId!, 'id');
    expect(left.manifest.features).toEqual(first.manifest.features);
    expect(await plansOf(left.id, plans)).toEqual({ r0: 'grower', r2: 'grower' });
    const more = await kit.imported(name, calls(1, 9), { extend: true });
    expect(more.manifest.features).toEqual(first.manifest.features);
    expect(await plansOf(more.id, plans)).toEqual({ r0: 'grower', r2: 'grower', r9: 'grower' });
  });

  it('puts new rows through the steps of the one that it extends', async () => {
    const name = await kit.dataset();
    await kit.imported(name, calls(3), { steps: [PreprocessingStep.MASK_PII] });
    const mail = { id: 'mail', text: 'write to ada@example.com', label: 'a' };
    const more = await kit.imported(name, [mail], { extend: true });
    expect(more.manifest.steps).toEqual([PreprocessingStep.MASK_PII]);
    expect(more.report.problems.map(({ rule }) => rule)).not.toContain('personal-data');
  });

  it('has other steps and views where they are chosen', async () => {
    const [name, plans] = [await kit.dataset(), await known()];
    await kit.imported(name, calls(3), { steps: [PreprocessingStep.MASK_PII], features: [plans] });
    const none = await kit.imported(name, calls(1, 9), { extend: true, steps: [], features: [] });
    expect([none.manifest.steps, none.manifest.features]).toEqual([[], []]);
    expect(Object.values(await plansOf(none.id, plans)).filter(Boolean)).toEqual([]);
  });

  it('begins anew where it extends nothing', async () => {
    const [name, plans] = [await kit.dataset(), await known()];
    await kit.imported(name, calls(3), { steps: [PreprocessingStep.MASK_PII], features: [plans] });
    const anew = await kit.imported(name, calls(4));
    expect([anew.manifest.steps, anew.manifest.features]).toEqual([[], []]);
  });
});

describe('feature views', () => {
  it('check values by their schema and take the same rows twice', async () => {
    const name = await view();
    const put = (values: Record<string, unknown>, entity = 'c') =>
      kit.data.features.write(ws, name, [{ entity, eventTime: new Date(5), values }]);
    expect(await failure(put({ plan: 1 }))).toBe('BAD_USER_INPUT input.rows.0.values.plan');
    expect(await failure(put({ seats: 1.5 }))).toBe('BAD_USER_INPUT input.rows.0.values.seats');
    expect(await failure(put({ colour: 'red' }))).toBe('BAD_USER_INPUT input.rows.0.values.colour');
    expect(await failure(put({}, ' '))).toBe('BAD_USER_INPUT input.rows.0.entity');
    expect(await failure(write(name, 'c', 5, 'x', clock.time + 1))).toBe('BAD_USER_INPUT input.rows.0.createdTime');
    expect(await failure(write('none', 'c', 5, 'x'))).toBe('NOT_FOUND input.view');
    expect(await put({ plan: 'x', seats: '7' })).toBe(1);
    expect(await put({ plan: 'y' })).toBe(0);
    expect(
      await failure(
        kit.data.features.defineView(ws, { name, entity: 'c', fields: [{ name: 'a', type: FeatureType.FLOAT }] }),
      ),
    ).toBe('ALREADY_EXISTS input.name');
    expect(await failure(kit.data.features.defineView(ws, { name: 'other', entity: 'c', fields: [] }))).toBe(
      'BAD_USER_INPUT input.fields',
    );
  });

  it('are rendered into the same lines for training and serving', () => {
    expect(
      renderFeatures([
        { view: 'plans', values: { plan: 'grower', seats: 7, note: null } },
        { view: 'empty', values: null },
      ]),
    ).toBe('plans: plan grower, seats 7');
  });
});
