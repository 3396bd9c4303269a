import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/kernel/clock.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import { encodeCursor, pageRequest } from '../../../src/kernel/pagination.js';
import { EventLog, type StoredEvent } from '../../../src/platform/events/index.js';
import { RunQueue, runStream, type RunQueueOptions } from '../../../src/platform/runs/index.js';
import type { NewRun, RunContext, RunRow } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from './eventually.js';
import { CuttableWay } from './outage.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;
const LEASE_MS = 600;
const CHILD = new URL('../../../dist/test/integration/platform/run-child.js', import.meta.url).pathname;

describe('runs', () => {
  let database: TestDatabase;
  let events: EventLog;
  const queues: RunQueue[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    database = await testDatabase();
    events = new EventLog({ database, log: silentLogger() });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(queues.splice(0).map((queue) => queue.stop(500)));
    await events.close();
    await database.dispose();
  });

  function queueOf(
    handler: (context: RunContext) => Promise<unknown>,
    options: Partial<RunQueueOptions> = {},
    concurrency = 1,
  ) {
    const queue = new RunQueue({
      ...{ database, events, clock: systemClock, log: silentLogger(), owner: newId() },
      ...{ leaseMs: LEASE_MS, pollMs: 50, retryMs: 50, ...options },
    });
    queue.handle('INGESTION', handler as (context: RunContext) => Promise<void>, { concurrency });
    queues.push(queue);
    return queue;
  }
  const newRun = (over: Partial<NewRun> = {}): NewRun => ({
    workspaceId: WORKSPACE,
    kind: 'INGESTION',
    input: { documents: 3 },
    idempotencyKey: newId(),
    ...over,
  });
  const row = (run: RunRow) => database.prisma.run.findUniqueOrThrow({ where: { id: run.id } });
  const reaches = (run: RunRow, status: string) =>
    eventually(`the run to be ${status}`, async () => {
      const now = await row(run);
      return now.status === status ? now : null;
    });
  const eventsOf = async (run: RunRow): Promise<StoredEvent[]> =>
    database.prisma.event.findMany({ where: { stream: runStream(run.id) }, orderBy: { sequence: 'asc' } });

  /** A runner in another process. */
  async function child(
    mode: 'hang' | 'die' | 'write',
    { owner, leaseMs = LEASE_MS }: { owner?: string; leaseMs?: number } = {},
  ) {
    const process_ = spawn(process.execPath, [CHILD, database.url, mode, owner ?? newId(), String(leaseMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(process_);
    const lines: Record<string, unknown>[] = [];
    createInterface({ input: process_.stdout }).on('line', (line) => lines.push(JSON.parse(line) as never));
    const ended = new Promise<void>((resolve) => process_.on('close', () => resolve()));
    return {
      lines,
      ended,
      kill: (signal: NodeJS.Signals) => process_.kill(signal),
      says: (at: string) => eventually(`the child to be ${at}`, () => lines.find((line) => line['at'] === at)),
    };
  }

  it('does the work, writes progress down, and ends with one last event', async () => {
    const queue = queueOf(async ({ progress, input, emit, fenced, run }) => {
      expect(input).toEqual({ documents: 3 });
      await progress(0.5, 'half way', { documents: 1 });
      await emit('document', { name: 'a.md' });
      await fenced((tx) => tx.workspace.create({ data: { id: run.subjectId!, name: 'made by the run' } }));
      return { chunks: 12 };
    });
    queue.start();
    const subjectId = newId();
    const run = await queue.enqueue(newRun({ subjectId }));
    expect(run).toMatchObject({ status: 'QUEUED', progress: 0, attempt: 0, startedAt: null });
    const done = await reaches(run, 'SUCCEEDED');
    expect(done).toMatchObject({
      progress: 1,
      output: { chunks: 12 },
      message: 'half way',
      errorCode: null,
      leaseOwner: null,
    });
    expect(done.finishedAt!.getTime()).toBeGreaterThanOrEqual(done.startedAt!.getTime());
    expect((await eventsOf(run)).map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: 'progress', payload: { progress: 0.5, message: 'half way', detail: { documents: 1 } } },
      { type: 'document', payload: { name: 'a.md' } },
      { type: 'finished', payload: { status: 'SUCCEEDED', progress: 1 } },
    ]);
    expect(await database.prisma.workspace.count({ where: { id: subjectId } })).toBe(1);
  });

  it('is followed from any place until it ends, also by those who come when it is over', async () => {
    const queue = queueOf(async ({ progress }) => {
      for (const n of [1, 2, 3]) await progress(n / 4, `step ${n}`);
    });
    const run = await queue.enqueue(newRun());
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
    const queue = queueOf(async () => undefined);
    const run = newRun();
    const rows = await Promise.all(Array.from({ length: 10 }, () => queue.enqueue(run)));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    expect((await queue.enqueue({ ...run, input: { documents: 3 } })).id).toBe(rows[0]!.id);
    await expect(queue.enqueue({ ...run, input: { documents: 4 } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const elsewhere = await queue.enqueue({ ...run, workspaceId: freshWorkspace() });
    expect(elsewhere.id).not.toBe(rows[0]!.id);
    await expect(queue.enqueue({ ...run, idempotencyKey: '' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('exists only if the transaction that asked for it commits', async () => {
    const queue = queueOf(async () => undefined);
    const run = newRun();
    await expect(
      database.prisma.$transaction(async (tx) => {
        await queue.enqueue(run, tx);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await database.prisma.run.count()).toBe(0);
  });

  it('never lets two runners hold one run', async () => {
    const holders = new Map<string, number>();
    const done: string[] = [];
    const work = async ({ run }: RunContext) => {
      holders.set(run.id, (holders.get(run.id) ?? 0) + 1);
      expect(holders.get(run.id)).toBe(1);
      await sleep(randomInt(20));
      holders.set(run.id, 0);
      done.push(run.id);
    };
    const [first] = [1, 2, 3].map(() => queueOf(work, {}, 3));
    const runs = await Promise.all(Array.from({ length: 40 }, () => first!.enqueue(newRun())));
    for (const queue of queues) queue.start();
    await eventually('all runs', () => done.length >= 40);
    await Promise.all(runs.map((run) => reaches(run, 'SUCCEEDED')));
    expect([...done].sort()).toEqual(runs.map(({ id }) => id).sort());
  });

  it('resumes a run whose process was killed', async () => {
    const runner = await child('hang');
    const run = await queueOf(async () => undefined).enqueue(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    expect(await row(run)).toMatchObject({ status: 'RUNNING', attempt: 1, progress: 0.5 });
    const attempts: number[] = [];
    queueOf(async (context) => void attempts.push(context.run.attempt)).start();
    await reaches(run, 'SUCCEEDED');
    expect(attempts).toEqual([2]);
  });

  it('gives a restarted gateway its runs back at once when it keeps its name', async () => {
    const runner = await child('hang', { owner: 'gateway of this home', leaseMs: 60_000 });
    const run = await queueOf(async () => undefined).enqueue(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    queueOf(async () => undefined, { owner: 'gateway of this home', leaseMs: 60_000 }).start();
    await reaches(run, 'SUCCEEDED');
  });

  it('keeps a run away from others while its runner is alive, far beyond one lease', async () => {
    const runner = await child('hang');
    const run = await queueOf(async () => undefined).enqueue(newRun());
    await runner.says('working');
    let stolen = false;
    queueOf(async () => void (stolen = true)).start();
    await sleep(3 * LEASE_MS);
    expect(stolen).toBe(false);
    expect(await row(run)).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  it('lets a runner that was frozen beyond its lease write nothing any more', async () => {
    const runner = await child('write');
    const subjectId = newId();
    const run = await queueOf(async () => undefined).enqueue(newRun({ subjectId }));
    await runner.says('working');
    runner.kill('SIGSTOP');
    queueOf(async () => ({ by: 'the second runner' })).start();
    await reaches(run, 'SUCCEEDED');
    runner.kill('SIGCONT');
    const wrote = await runner.says('wrote');
    expect(wrote).toMatchObject({ code: 'CONFLICT', abortedAfter: true });
    await sleep(200);
    expect(await row(run)).toMatchObject({ status: 'SUCCEEDED', output: { by: 'the second runner' } });
    expect(await database.prisma.workspace.count({ where: { id: subjectId } })).toBe(0);
    expect((await eventsOf(run)).filter(({ type }) => type === 'finished')).toHaveLength(1);
  });

  it('gives up a run that kills its process every time, and says so', async () => {
    const run = await queueOf(async () => undefined).enqueue(newRun());
    for (const attempt of [1, 2, 3]) {
      const runner = await child('die');
      await runner.ended;
      expect(runner.lines.at(-1)).toEqual({ at: 'working', attempt });
    }
    let taken = false;
    queueOf(async () => void (taken = true), { maxAttempts: 3 }).start();
    const failed = await reaches(run, 'FAILED');
    expect(taken).toBe(false);
    expect(failed).toMatchObject({
      errorCode: 'INTERNAL_ERROR',
      errorMessage: expect.stringContaining('died in the middle of this run 3 times'),
    });
    expect((await eventsOf(run)).at(-1)).toMatchObject({
      type: 'finished',
      payload: { status: 'FAILED', errorCode: 'INTERNAL_ERROR' },
    });
  });

  it('puts its runs back when it stops, without counting the attempt', async () => {
    const first = queueOf(async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
    });
    first.start();
    const run = await first.enqueue(newRun());
    await reaches(run, 'RUNNING');
    await first.stop();
    expect(await row(run)).toMatchObject({ status: 'QUEUED', attempt: 0, leaseOwner: null });
    queueOf(async () => undefined).start();
    expect(await reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 1 });
  });

  it('stops in time when a handler does not let go, and lets it write nothing afterwards', async () => {
    let late: Promise<unknown> | undefined;
    const stubborn = queueOf(async ({ fenced }) => {
      late = sleep(600).then(() => fenced(async () => 'written').catch((error: GraftError) => error.code));
      await late;
    });
    stubborn.start();
    const run = await stubborn.enqueue(newRun());
    await reaches(run, 'RUNNING');
    const started = performance.now();
    await stubborn.stop(100);
    expect(performance.now() - started).toBeLessThan(500);
    expect(await row(run)).toMatchObject({ status: 'QUEUED' });
    expect(await late).toBe('CONFLICT');
  });

  describe('cancel', () => {
    const untilAborted = ({ signal }: RunContext) =>
      new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

    it('ends a queued run at once', async () => {
      const queue = queueOf(async () => undefined);
      const run = await queue.enqueue(newRun());
      expect(await queue.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'CANCELLED' });
      queue.start();
      await sleep(200);
      expect(await row(run)).toMatchObject({ status: 'CANCELLED', attempt: 0 });
      expect((await eventsOf(run)).map(({ type }) => type)).toEqual(['finished']);
    });

    it('stops a run in the middle, also one of another gateway, and at once', async () => {
      const here = queueOf(untilAborted, { leaseMs: 60_000 });
      here.start();
      const elsewhere = queueOf(async () => undefined);
      const run = await here.enqueue(newRun());
      await reaches(run, 'RUNNING');
      const asked = performance.now();
      expect(await elsewhere.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'RUNNING', cancelRequested: true });
      await reaches(run, 'CANCELLED');
      expect(performance.now() - asked).toBeLessThan(1_500);
      expect(await elsewhere.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'CANCELLED' });
    });

    it('cancels a run whose process died before it could obey', async () => {
      const runner = await child('hang');
      const queue = queueOf(async () => undefined);
      const run = await queue.enqueue(newRun());
      await runner.says('working');
      runner.kill('SIGKILL');
      await runner.ended;
      await queue.cancel(WORKSPACE, run.id);
      queue.start();
      expect(await reaches(run, 'CANCELLED')).toMatchObject({ attempt: 1 });
    });

    it('refuses what has ended, does not exist or belongs to another workspace', async () => {
      const queue = queueOf(async () => undefined);
      queue.start();
      const run = await queue.enqueue(newRun());
      await reaches(run, 'SUCCEEDED');
      await expect(queue.cancel(WORKSPACE, run.id)).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(queue.cancel(WORKSPACE, newId())).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(queue.cancel(freshWorkspace(), run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(queue.cancel(WORKSPACE, 'nonsense')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('failures', () => {
    it('keep their code and message when they are meant for users', async () => {
      const queue = queueOf(async ({ progress }) => {
        await progress(0.25, 'a quarter');
        throw new GraftError('DOCUMENT_UNREADABLE', 'a.pdf can’t be parsed:\0 bad header.');
      });
      queue.start();
      const run = await queue.enqueue(newRun());
      expect(await reaches(run, 'FAILED')).toMatchObject({
        ...{ errorCode: 'DOCUMENT_UNREADABLE', errorMessage: 'a.pdf can’t be parsed: bad header.' },
        ...{ progress: 0.25, attempt: 1 },
      });
    });

    it('are masked when they are unexpected', async () => {
      const queue = queueOf(async () => {
        throw new TypeError('secret of the house');
      });
      queue.start();
      const run = await queue.enqueue(newRun());
      const failed = await reaches(run, 'FAILED');
      expect(failed).toMatchObject({ errorCode: 'INTERNAL_ERROR', attempt: 1 });
      expect(failed.errorMessage).toContain(run.id);
      expect(failed.errorMessage).not.toContain('secret');
    });

    it('of a part that comes back are tried again, and reported while they last', async () => {
      let broken = 2;
      const queue = queueOf(async () => {
        if (broken-- > 0) throw new GraftError('VECTOR_STORE_UNAVAILABLE', 'Chroma can’t be reached.');
      });
      queue.start();
      const run = await queue.enqueue(newRun());
      expect(await reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 3 });
      expect((await eventsOf(run))[0]).toMatchObject({
        type: 'progress',
        payload: { message: 'Chroma can’t be reached. Trying again in 1 s.' },
      });
    });

    it('of a part that does not come back end the run when the attempts are used up', async () => {
      const queue = queueOf(
        async () => {
          throw new GraftError('WORKER_CRASHED', 'The worker died.');
        },
        { maxAttempts: 2, retryMs: 10 },
      );
      queue.start();
      const run = await queue.enqueue(newRun());
      expect(await reaches(run, 'FAILED')).toMatchObject({ errorCode: 'WORKER_CRASHED', attempt: 2 });
    });
  });

  it('goes on when the database was gone for a while, without doing the work twice', async () => {
    const { database: distant, way } = await CuttableWay.to(database);
    const log = new EventLog({ database: distant, log: silentLogger() });
    let [begun, done] = [false, 0];
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = queueOf(
      async () => {
        begun = true;
        await gate;
        done++;
      },
      { database: distant, events: log },
    );
    queue.start();
    const run = await queue.enqueue(newRun());
    await eventually('the work to begin', () => begun);
    await way.cut();
    release();
    await sleep(2 * LEASE_MS);
    expect(done).toBe(1);
    await way.restore();
    expect(await reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 1 });
    const next = await queue.enqueue(newRun());
    await reaches(next, 'SUCCEEDED');
    expect(done).toBe(2);
    await queue.stop();
    await log.close();
    await distant.close();
    await way.cut();
  });

  it('lists the runs of a workspace, newest first, by kind, status and subject, page by page', async () => {
    const queue = queueOf(async () => undefined);
    const subjectId = newId();
    const runs: RunRow[] = [];
    for (let n = 0; n < 5; n++)
      runs.push(await queue.enqueue(newRun(n % 2 === 0 ? { subjectId } : { kind: 'DOWNLOAD' })));
    await queue.cancel(WORKSPACE, runs[0]!.id);
    const ids = async (filter: Parameters<RunQueue['list']>[1], first = 20, after?: string) => {
      const page = await queue.list(WORKSPACE, filter, pageRequest(first, after));
      return { ids: page.items.map(({ id }) => runs.findIndex((run) => run.id === id)), more: page.hasNextPage };
    };
    expect(await ids({})).toEqual({ ids: [4, 3, 2, 1, 0], more: false });
    expect(await ids({ kind: 'DOWNLOAD' })).toEqual({ ids: [3, 1], more: false });
    expect(await ids({ status: 'CANCELLED' })).toEqual({ ids: [0], more: false });
    expect(await ids({ subjectId, status: 'QUEUED' }, 1)).toEqual({ ids: [4], more: true });
    expect(await ids({}, 2, encodeCursor([runs[3]!.id]))).toEqual({ ids: [2, 1], more: true });
    expect((await queue.list(freshWorkspace(), {}, pageRequest())).items).toEqual([]);
    expect(await queue.get(WORKSPACE, runs[0]!.id)).toMatchObject({ id: runs[0]!.id });
    expect(await queue.get(freshWorkspace(), runs[0]!.id)).toBeNull();
    expect(await queue.get(WORKSPACE, 'nonsense')).toBeNull();
  });
});
