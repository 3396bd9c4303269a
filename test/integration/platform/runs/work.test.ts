import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../../../src/kernel/ids.js';
import { encodeCursor, pageRequest } from '../../../../src/kernel/pagination.js';
import type { RunQueue, RunRow } from '../../../../src/platform/runs/index.js';
import { freshWorkspace } from '../../../support/chroma.js';
import { eventually } from '../../../support/eventually.js';
import { newRun, RunsKit, WORKSPACE, type TestContext } from './runs-kit.js';
import { testKind } from './test-kind.js';

describe('runs', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('does the work, writes progress down, and ends with one last event', async () => {
    const queue = kit.queue(async ({ progress, input, emit, fenced, run }) => {
      expect(input).toEqual({ documents: 3 });
      await progress(0.5, 'half way', { documents: 1 });
      await emit('document', { name: 'a.md' });
      await fenced((tx) =>
        tx.collection.create({ data: { id: run.subjectId!, workspaceId: WORKSPACE, name: 'made' } }),
      );
      return { chunks: 12 };
    });
    queue.start();
    const subjectId = newId();
    const run = await queue.ask(newRun({ subjectId }));
    expect(run).toMatchObject({ status: 'QUEUED', progress: 0, attempt: 0, startedAt: null });
    const done = await kit.reaches(run, 'SUCCEEDED');
    expect(done).toMatchObject({
      progress: 1,
      output: { chunks: 12 },
      message: 'half way',
      errorCode: null,
      leaseOwner: null,
    });
    expect(done.finishedAt!.getTime()).toBeGreaterThanOrEqual(done.startedAt!.getTime());
    expect((await kit.eventsOf(run)).map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: 'progress', payload: { progress: 0.5, message: 'half way', detail: { documents: 1 } } },
      { type: 'document', payload: { progress: 0.5, message: 'half way', detail: { name: 'a.md' } } },
      { type: 'finished', payload: { status: 'SUCCEEDED', progress: 1 } },
    ]);
    expect(await kit.database.prisma.collection.count({ where: { id: subjectId } })).toBe(1);
  });

  it('is followed from any place until it ends, also by those who come when it is over', async () => {
    const queue = kit.queue(async ({ progress }) => {
      for (const n of [1, 2, 3]) await progress(n / 4, `step ${n}`);
    });
    const run = await queue.ask(newRun());
    const follow = async (after?: bigint) => {
      const seen: number[] = [];
      const { signal } = new AbortController();
      for await (const event of queue.follow(WORKSPACE, run.id, { after, signal })) seen.push(Number(event.sequence));
      return seen;
    };
    const live = follow();
    queue.start();
    expect(await live).toEqual([1, 2, 3, 4]);
    expect(await follow()).toEqual([1, 2, 3, 4]);
    expect(await follow(3n)).toEqual([4]);
    expect(await follow(4n)).toEqual([]);
    const { signal } = new AbortController();
    await expect(queue.follow(freshWorkspace(), run.id, { signal }).next()).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('takes one key for one piece of work, also when asked ten times at once', async () => {
    const queue = kit.queue(async () => undefined);
    const run = newRun();
    const rows = await Promise.all(Array.from({ length: 10 }, () => queue.ask(run)));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    expect((await queue.ask({ ...run, input: { documents: 3 } })).id).toBe(rows[0]!.id);
    await expect(queue.ask({ ...run, input: { documents: 4 } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const elsewhere = await queue.ask({ ...run, workspaceId: freshWorkspace() });
    expect(elsewhere.id).not.toBe(rows[0]!.id);
    await expect(queue.ask({ ...run, idempotencyKey: '' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('exists only if the transaction that asked for it commits', async () => {
    const queue = kit.queue(async () => undefined);
    const run = newRun();
    await expect(
      kit.database.prisma.$transaction(async (tx) => {
        await queue.enqueue(queue.kind, run, tx);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await kit.database.prisma.run.count()).toBe(0);
  });

  it('never lets two runners hold one run', async () => {
    const holders = new Map<string, number>();
    const done: string[] = [];
    const work = async ({ run }: TestContext) => {
      holders.set(run.id, (holders.get(run.id) ?? 0) + 1);
      expect(holders.get(run.id)).toBe(1);
      await sleep(randomInt(20));
      holders.set(run.id, 0);
      done.push(run.id);
    };
    const [first] = [1, 2, 3].map(() => kit.queue(work, {}, { concurrency: 3 }));
    const runs = await Promise.all(Array.from({ length: 40 }, () => first!.ask(newRun())));
    kit.startAll();
    await eventually('all runs', () => done.length >= 40);
    await Promise.all(runs.map((run) => kit.reaches(run, 'SUCCEEDED')));
    expect([...done].sort()).toEqual(runs.map(({ id }) => id).sort());
  });

  it('lists the runs of a workspace, newest first, by kind, status and subject, page by page', async () => {
    const queue = kit.queue(async () => undefined);
    const other = testKind({ kind: 'OTHER' });
    const subjectId = newId();
    const runs: RunRow[] = [];
    for (let n = 0; n < 5; n++)
      runs.push(await (n % 2 === 0 ? queue.ask(newRun({ subjectId })) : queue.enqueue(other, newRun())));
    await queue.cancel(WORKSPACE, runs[0]!.id);
    const ids = async (filter: Parameters<RunQueue['list']>[1], first = 20, after?: string) => {
      const page = await queue.list(WORKSPACE, filter, pageRequest(first, after));
      return { ids: page.items.map(({ id }) => runs.findIndex((run) => run.id === id)), more: page.hasNextPage };
    };
    expect(await ids({})).toEqual({ ids: [4, 3, 2, 1, 0], more: false });
    expect(await ids({ kind: 'OTHER' })).toEqual({ ids: [3, 1], more: false });
    expect(await ids({ status: 'CANCELLED' })).toEqual({ ids: [0], more: false });
    expect(await ids({ subjectId, status: 'QUEUED' }, 1)).toEqual({ ids: [4], more: true });
    expect(await ids({}, 2, encodeCursor([runs[3]!.id]))).toEqual({ ids: [2, 1], more: true });
    expect((await queue.list(freshWorkspace(), {}, pageRequest())).items).toEqual([]);
    expect(await queue.get(WORKSPACE, runs[0]!.id)).toMatchObject({ id: runs[0]!.id });
    expect(await queue.get(freshWorkspace(), runs[0]!.id)).toBeNull();
    expect(await queue.get(WORKSPACE, 'nonsense')).toBeNull();
  });
});
