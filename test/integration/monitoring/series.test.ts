import { systemClock } from '../../../src/kernel/clock.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { Roller, SeriesService, SeriesStore } from '../../../src/operate/monitoring/index.js';
import { createLogger, silentLogger } from '../../../src/platform/telemetry/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { TOTAL, type Dimension } from '../../../src/operate/monitoring/series/metric.js';
import { seriesOf } from '../../../src/operate/monitoring/series/series.js';
import type { SeriesRow } from '../../../src/operate/monitoring/series/series-store.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { plantAnswer, type PlantedAnswer } from './monitoring-kit.js';

describe('series', () => {
  let database: TestDatabase;
  let store: SeriesStore;
  let series: SeriesService;
  const rollerOf = () => new Roller({ database, store, clock: systemClock, log: silentLogger() });

  beforeAll(async () => {
    database = await testDatabase();
    store = new SeriesStore(database);
    series = new SeriesService({ store, clock: systemClock });
  });
  afterAll(() => database.dispose());

  const minutesAgo = (minutes: number) => new Date(Math.floor(Date.now() / 60_000) * 60_000 - minutes * 60_000);

  async function planted(...answers: PlantedAnswer[]) {
    const workspaceId = freshWorkspace();
    for (const answer of answers) await plantAnswer(database, workspaceId, answer);
    await rollerOf().rollAll();
    return workspaceId;
  }

  it('count answers, failures and withdrawn questions by minute, and say why they failed', async () => {
    // Midnight lies between none of them.
    const isOneDay = minutesAgo(5).getUTCDate() === minutesAgo(3).getUTCDate();
    const [at, later] = isOneDay ? [minutesAgo(5), minutesAgo(3)] : [minutesAgo(3), minutesAgo(1)];
    const workspaceId = await planted(
      { at },
      { at },
      { at, status: 'FAILED' as const, errorCode: 'WORKER_CRASHED' },
      { at, status: 'CANCELLED' as const, errorCode: 'CANCELLED' },
      { at: later },
    );
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'MINUTE' });
    expect(volume!.points).toMatchObject([
      { at, count: 3, value: 3 },
      { at: later, value: 1 },
    ]);
    const [rate] = await series.read(workspaceId, { metric: 'ERROR_RATE', resolution: 'DAY' });
    expect(rate!.points).toMatchObject([{ count: 4, value: 0.25 }]);
    expect(await series.read(workspaceId, { metric: 'ERRORS', by: ['ERROR_CODE'], resolution: 'DAY' })).toMatchObject([
      { values: ['WORKER_CRASHED'], points: [{ value: 1 }] },
    ]);
    const [cancelled] = await series.read(workspaceId, { metric: 'CANCELLED', resolution: 'HOUR' });
    expect(cancelled!.points).toMatchObject([{ value: 1 }]);
  });

  it('count a failure with what was to answer: its strategy, adapter and model', async () => {
    const adapter = { versionId: newId(), name: 'routing', version: 3 };
    const made = { strategy: 'ADAPTER', adapter };
    const workspaceId = await planted(made, { ...made, status: 'FAILED', errorCode: 'WORKER_CRASHED' }, {}, {});
    for (const where of [{ adapter: 'routing@3' }, { strategy: 'ADAPTER' }]) {
      const [rate] = await series.read(workspaceId, { metric: 'ERROR_RATE', resolution: 'DAY', where });
      expect(rate!.points).toMatchObject([{ count: 2, value: 0.5 }]);
    }
    const [rate] = await series.read(workspaceId, { metric: 'ERROR_RATE', resolution: 'DAY', by: ['MODEL'] });
    expect(rate).toMatchObject({ values: ['tiny@Q8_0'], points: [{ count: 4, value: 0.25 }] });
  });

  it('say the same of all answers as of their parts together, quantiles too', async () => {
    const workspaceId = await planted(
      ...Array.from({ length: 12 }, (_, i) => ({
        strategy: ['RAG', 'BASE'][i % 2]!,
        collection: ['manuals', 'tariffs', ''][i % 3]!,
        at: minutesAgo(5),
        ms: 100 * (i + 1),
      })),
    );
    const [all] = await series.read(workspaceId, { metric: 'LATENCY', resolution: 'HOUR' });
    const parts = await series.read(workspaceId, {
      metric: 'LATENCY',
      resolution: 'HOUR',
      by: ['COLLECTION', 'STRATEGY'],
    });
    expect(parts).toHaveLength(6);
    const [whole] = all!.points;
    const each = parts.map(({ points }) => points[0]!);
    expect(whole!.count).toBe(each.reduce((sum, { count }) => sum + count, 0));
    expect(whole!.value).toBeCloseTo(each.reduce((sum, { count, value }) => sum + count * value!, 0) / 12, 9);
    const ordered = each.map(({ p50 }) => p50!).sort((a, b) => a - b);
    expect(whole!.p50).toBeGreaterThan(ordered[0]!);
    expect(whole!.p99).toBeGreaterThan(whole!.p50!);
  });

  it('are split by what answers were made with, and narrowed to it', async () => {
    const adapter = { versionId: newId(), name: 'banking', version: 3 };
    const workspaceId = await planted(
      { strategy: 'RAG', collection: 'manuals' },
      { strategy: 'RAG', collection: 'tariffs' },
      { strategy: 'RAG', collection: 'manuals' },
      { strategy: 'ADAPTER', adapter },
    );
    const by = async (dimension: 'ADAPTER' | 'COLLECTION' | 'MODEL') =>
      Object.fromEntries<number>(
        (await series.read(workspaceId, { metric: 'VOLUME', by: [dimension] })).map(({ values, points }) => [
          values[0]!,
          points.reduce((sum, { count }) => sum + count, 0),
        ]),
      );
    expect(await by('COLLECTION')).toEqual({ manuals: 2, tariffs: 1, '': 1 });
    expect(await by('ADAPTER')).toEqual({ 'banking@3': 1, '': 3 });
    expect(await by('MODEL')).toEqual({ 'tiny@Q8_0': 4 });
    const [narrowed] = await series.read(workspaceId, { metric: 'VOLUME', where: { collection: 'tariffs' } });
    expect(narrowed!.points).toMatchObject([{ count: 1 }]);
    const mix = await series.read(workspaceId, { metric: 'ROUTE_MIX', resolution: 'DAY' });
    expect(mix.map(({ values, points }) => [values[0], points[0]!.value])).toEqual([
      ['RAG', 0.75],
      ['ADAPTER', 0.25],
    ]);
  });

  it('tell latency with percentiles, tokens, cost, confidence, abstention, retrieval scores and labels', async () => {
    const at = minutesAgo(2);
    const workspaceId = await planted(
      ...Array.from({ length: 100 }, (_, i) => ({
        at,
        ms: 10 * (i + 1),
        abstained: i < 20,
        tokens: 50,
        collection: 'manuals',
        score: 0.6,
        label: { label: i < 30 ? 'card' : 'loan', probability: 0.9 },
      })),
    );
    const point = async (metric: Parameters<SeriesService['read']>[1]['metric']) =>
      (await series.read(workspaceId, { metric, resolution: 'DAY' }))[0]!.points[0]!;
    const latency = await point('LATENCY');
    expect(latency.value).toBeCloseTo(505);
    expect(Math.abs(latency.p50! / 500 - 1)).toBeLessThan(0.1);
    expect(Math.abs(latency.p95! / 950 - 1)).toBeLessThan(0.1);
    expect(await point('ABSTENTION_RATE')).toMatchObject({ count: 100, value: 0.2 });
    expect(await point('PROMPT_TOKENS')).toMatchObject({ value: 50 });
    expect((await point('COST')).value).toBeCloseTo(252.5);
    expect((await point('CONFIDENCE')).value).toBeCloseTo(0.9);
    expect((await point('RETRIEVAL_SCORE')).value).toBeCloseTo(0.6);
    const labels = await series.read(workspaceId, { metric: 'LABEL_MIX', resolution: 'DAY' });
    expect(labels.map(({ values, points }) => [values[0], points[0]!.value])).toEqual([
      ['loan', 0.7],
      ['card', 0.3],
    ]);
  });

  it('count each answer once, however many rollers work and however often they are stopped midway', async () => {
    const workspaceId = freshWorkspace();
    for (let i = 0; i < 40; i++) await plantAnswer(database, workspaceId);
    const stopped = rollerOf();
    stopped.watch(() => Promise.reject(new Error('killed')));
    await expect(stopped.roll()).rejects.toThrow('killed');
    await Promise.all([rollerOf().rollAll(), rollerOf().rollAll(), rollerOf().rollAll()]);
    await rollerOf().rollAll();
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' });
    expect(volume!.points).toMatchObject([{ count: 40 }]);
  });

  it('count a label of any text, of which they keep the beginning, never half a character', async () => {
    const begins = 'x'.repeat(199);
    const workspaceId = await planted({ label: { label: `${begins}😀 and so on`, probability: 0.9 } }, {});
    const [label] = await series.read(workspaceId, { metric: 'LABEL_MIX', resolution: 'DAY' });
    expect(label!.values).toEqual([begins]);
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' });
    expect(volume!.points).toMatchObject([{ count: 2 }]);
  });

  it('count all answers but the one that can’t be counted, of which the log tells', async () => {
    const workspaceId = freshWorkspace();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push(await plantAnswer(database, workspaceId));
    const lines: string[] = [];
    const log = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
    const roller = new Roller({ database, store, clock: systemClock, log });
    const seen: string[] = [];
    roller.watch((_tx, answers) => {
      if (answers.some(({ answerId }) => answerId === ids[17])) return Promise.reject(new Error('a fault'));
      seen.push(...answers.map(({ answerId }) => answerId));
      return Promise.resolve();
    });
    await roller.rollAll();
    expect(seen.sort()).toEqual(ids.filter((id) => id !== ids[17]).sort());
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' });
    expect(volume!.points).toMatchObject([{ count: 39 }]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { workspaceId, err: { message: 'a fault' } },
    ]);
  });

  it('leave out as many answers as the database refuses, and no more', async () => {
    const [refused, counted] = [freshWorkspace(), freshWorkspace()];
    for (let i = 0; i < 30; i++) await plantAnswer(database, refused);
    await plantAnswer(database, counted);
    const roller = rollerOf();
    roller.watch(async (tx, answers) => {
      if (answers.some(({ workspaceId }) => workspaceId === refused)) await tx.$queryRaw`SELECT ${'"\\ud83d"'}::jsonb`;
    });
    await roller.rollAll();
    const volume = async (workspaceId: WorkspaceId) =>
      (await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' })).flatMap(({ points }) => points);
    expect(await volume(refused)).toEqual([]);
    expect(await volume(counted)).toMatchObject([{ count: 1 }]);
  });

  it('lie in few pages, point by point, in whatever order answers come: a month of latencies is read from them', async () => {
    const workspaceId = await planted(
      ...Array.from({ length: 240 }, (_, i) => ({
        at: minutesAgo(1),
        ms: 20 + ((i * 7919) % 3_000),
        collection: `collection ${i % 40}`,
      })),
    );
    const { rows } = await database.pool.query<{ bins: number; pages: number }>(
      `SELECT count(*)::int AS bins, count(DISTINCT (b.ctid::text::point)[0])::int AS pages
         FROM metric_bucket b JOIN metric_series s ON s.id = b.series_id
        WHERE b.workspace_id = $1 AND s.model = $2 AND b.resolution = 'HOUR' AND b.metric = 'LATENCY'`,
      [workspaceId, TOTAL.model],
    );
    expect(rows[0]!.bins).toBeGreaterThan(25);
    expect(rows[0]!.pages).toBeLessThanOrEqual(4);
  });

  it('miss no answer that commits late', async () => {
    const workspaceId = freshWorkspace();
    const late = await database.pool.connect();
    try {
      await late.query('BEGIN');
      await plantAnswer({ ...database, pool: late as never }, workspaceId);
      await plantAnswer(database, workspaceId);
      await rollerOf().rollAll();
      await late.query('COMMIT');
    } finally {
      late.release();
    }
    await rollerOf().rollAll();
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' });
    expect(volume!.points).toMatchObject([{ count: 2 }]);
  });

  it('count a question that failed and was asked again as both', async () => {
    const workspaceId = freshWorkspace();
    const id = await plantAnswer(database, workspaceId, { status: 'FAILED', errorCode: 'WORKER_CRASHED' });
    const settle = (status: string) =>
      database.pool.query('UPDATE answer SET status = $2, finished_at = now() WHERE id = $1', [id, status]);
    await settle('RUNNING');
    await rollerOf().rollAll();
    await settle('COMPLETE');
    await rollerOf().rollAll();
    const [rate] = await series.read(workspaceId, { metric: 'ERROR_RATE', resolution: 'DAY' });
    expect(rate!.points).toMatchObject([{ count: 2, value: 0.5 }]);
  });

  it('stay as they are when answers are deleted, and hold no word of them', async () => {
    const workspaceId = await planted({ question: 'My name is Ada Lovelace.' }, {});
    await database.pool.query('DELETE FROM answer WHERE workspace_id = $1', [workspaceId]);
    const [volume] = await series.read(workspaceId, { metric: 'VOLUME', resolution: 'DAY' });
    expect(volume!.points).toMatchObject([{ count: 2 }]);
    const { rows } = await database.pool.query(
      `SELECT b::text, s::text FROM metric_bucket b JOIN metric_series s ON s.id = b.series_id WHERE b.workspace_id = $1`,
      [workspaceId],
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toMatch(/Ada|Lovelace|name is/);
  });

  it('tell what was said of answers when it was said: feedback, accuracy and calibration', async () => {
    const workspaceId = freshWorkspace();
    const adapter = { versionId: newId(), name: 'routing', version: 2 };
    const ids: string[] = [];
    for (let i = 0; i < 20; i++)
      ids.push(await plantAnswer(database, workspaceId, { adapter, label: { label: 'billing', probability: 0.9 } }));
    await rollerOf().rollAll();
    await database.pool.query('UPDATE answer SET confidence = 0.9 WHERE workspace_id = $1', [workspaceId]);
    for (const [i, answerId] of ids.entries())
      await database.pool.query(
        `INSERT INTO feedback (id, workspace_id, answer_id, kind, source_kind, source_name, digest, score, agrees)
         VALUES ($1, $2, $3, 'FEEDBACK', 'HUMAN', 'ada', '', $4, $5)`,
        [newId(), workspaceId, answerId, i < 10 ? 1 : -1, i < 10],
      );
    await rollerOf().rollAll();
    const read = async (metric: 'FEEDBACK' | 'ACCURACY' | 'CALIBRATION_ERROR') =>
      (await series.read(workspaceId, { metric, where: { adapter: 'routing@2' }, resolution: 'DAY' }))[0]!.points[0]!;
    expect(await read('FEEDBACK')).toMatchObject({ count: 20, value: 0 });
    expect(await read('ACCURACY')).toMatchObject({ count: 20, value: 0.5 });
    expect((await read('CALIBRATION_ERROR')).value).toBeCloseTo(0.4);
  });

  it('show nothing of another workspace', async () => {
    await planted({}, {});
    expect(await series.read(freshWorkspace(), { metric: 'VOLUME' })).toEqual([]);
  });

  it('refuse spans that are empty or too long for their resolution, and foreign dimensions', async () => {
    const workspaceId = freshWorkspace();
    const [from, to] = [new Date('2026-01-01'), new Date('2026-03-01')];
    const refused = (input: object, field: string) =>
      expect(series.read(workspaceId, { metric: 'VOLUME', ...input })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        field,
      });
    await refused({ from: to, to: from }, 'input.to');
    await refused({ from, to, resolution: 'MINUTE' }, 'input.resolution');
    await refused({ from, to, by: ['LABEL'] }, 'input.by');
  });

  describe('by age', () => {
    const day = 86_400_000;
    const bucketsOf = async (workspaceId: string, resolution: string) =>
      database.prisma.metricBucket.count({
        where: { workspaceId, resolution, metric: 'ANSWERS', series: { model: TOTAL.model } },
      });

    it('lose minutes, then hours, and keep days; an old answer is counted where it is kept', async () => {
      const workspaceId = await planted(
        { at: new Date(Date.now() - 100 * day) },
        { at: new Date(Date.now() - 10 * day) },
        {},
      );
      expect(await bucketsOf(workspaceId, 'MINUTE')).toBe(1);
      expect(await bucketsOf(workspaceId, 'HOUR')).toBe(2);
      expect(await bucketsOf(workspaceId, 'DAY')).toBe(3);
      for (let i = 0; i < 60; i++) await store.expire(new Date(Date.now() + 5 * day), 24);
      expect(await bucketsOf(workspaceId, 'MINUTE')).toBe(0);
      expect(await bucketsOf(workspaceId, 'HOUR')).toBe(2);
      expect(await bucketsOf(workspaceId, 'DAY')).toBe(3);
    });

    it('keep nearly all when the clock jumps ten years ahead for an hour', async () => {
      const workspaceId = await planted(
        ...Array.from({ length: 10 }, (_, i) => ({ at: new Date(Date.now() - i * day) })),
      );
      const before = await bucketsOf(workspaceId, 'DAY');
      await store.expire(new Date(), 6);
      await store.expire(new Date(Date.now() + 3_650 * day), 6);
      expect(await bucketsOf(workspaceId, 'DAY')).toBeGreaterThanOrEqual(before - 1);
    });

    it('have totals that are still the sum of their parts, bin by bin, after rollers in turns and deleted answers', async () => {
      const workspaceId = freshWorkspace();
      for (let i = 0; i < 60; i++) {
        const at = i % 4 === 0 ? new Date(Date.now() - 91 * day) : new Date(Date.now() - (i % 3) * 3_600_000);
        await plantAnswer(database, workspaceId, { at, ms: 20 + 37 * i, collection: `collection ${i % 10}` });
        if (i % 20 === 19) await Promise.all([rollerOf().rollAll(), rollerOf().rollAll()]);
      }
      await database.pool.query('DELETE FROM answer WHERE workspace_id = $1', [workspaceId]);
      await rollerOf().rollAll();
      const request = { metric: 'LATENCY', where: {}, from: new Date(Date.now() - 92 * day), to: new Date() } as const;
      const read = (by: readonly Dimension[]) =>
        store.read({ ...request, workspaceId, by, resolution: 'HOUR', metrics: ['LATENCY'], binned: true });
      const comparePartsWithTotals = async () => {
        const totals = await read([]);
        const added = new Map<string, SeriesRow>();
        for (const row of await read(['COLLECTION', 'STRATEGY'])) {
          const there = added.get(`${row.start.getTime()} ${row.bin}`) ?? { count: 0, sum: 0 };
          const both = { ...row, values: [], count: row.count + there.count, sum: row.sum + there.sum };
          added.set(`${row.start.getTime()} ${row.bin}`, both);
        }
        const told = (rows: readonly SeriesRow[]) =>
          seriesOf({ ...request, by: [], resolution: 'HOUR' }, rows)[0]!.points.map(({ value, ...exact }) => ({
            ...exact,
            value: expect.closeTo(value!, 6) as number,
          }));
        expect(seriesOf({ ...request, by: [], resolution: 'HOUR' }, totals)[0]!.points).toEqual(
          told([...added.values()]),
        );
        expect(totals.length).toBe(added.size);
        return totals.reduce((sum, { count }) => sum + count, 0);
      };
      expect(await comparePartsWithTotals()).toBe(60);
      for (let i = 0; i < 10; i++) await store.expire(new Date(Date.now() + 5 * day), 24);
      expect(await comparePartsWithTotals()).toBe(45);
    });
  });
});
