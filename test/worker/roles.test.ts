import { getPriority, constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InteractiveGauge } from '../../src/platform/worker/interactive-gauge.js';
import { TrainWorker, WorkerSupervisor, type SupervisorOptions } from '../../src/platform/worker/index.js';
import { countingRole, type countingOperations } from '../support/counting-role.js';
import { PROCESS_TIMINGS } from '../../src/platform/worker/worker-process.js';
import { until } from '../support/eventually.js';
import { isAlive, workspaceId } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
type Counting = typeof countingOperations;
let worker: WorkerSupervisor<Counting> | TrainWorker | undefined;
afterEach(() => worker?.stop());

async function startCounting(options: Partial<SupervisorOptions<Counting>> = {}): Promise<WorkerSupervisor<Counting>> {
  const counting = new WorkerSupervisor({
    role: countingRole,
    settings: () => Promise.resolve({}),
    program: join(process.cwd(), 'dist/test/support/counting-worker.js'),
    log: silent,
    drainMs: 0,
    ...options,
  });
  worker = counting;
  await counting.start();
  return counting;
}

describe('a role of one’s own, defined by its operations and their handlers', () => {
  it('is kept running, says what it can, and streams typed chunks and progress', async () => {
    const counting = await startCounting();
    expect(counting.status.hello).toMatchObject({ role: 'counting', operations: ['count'] });
    const seen: unknown[] = [];
    for await (const event of counting.stream('count', workspaceId, { to: 2 })) seen.push(event);
    expect(seen).toEqual([
      { type: 'chunk', chunk: { counted: 1 } },
      { type: 'progress', fraction: 0.5, message: '1 of 2' },
      { type: 'chunk', chunk: { counted: 2 } },
      { type: 'progress', fraction: 1, message: '2 of 2' },
      { type: 'done', output: { counted: 2, paused: false } },
    ]);
  });

  it('checks what goes in', async () => {
    const counting = await startCounting();
    await expect(counting.call('count', workspaceId, { to: 1.5 })).rejects.toMatchObject({
      code: 'PROTOCOL_ERROR',
      field: 'input.to',
    });
  });

  it('is not taken for another role', async () => {
    const other = { name: 'other', operations: countingRole.operations };
    await expect(startCounting({ role: other })).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
  });

  it('pauses long work at its next batch, and the work says how far it came', async () => {
    const counting = await startCounting();
    const pause = new AbortController();
    const events = counting.stream(
      'count',
      workspaceId,
      { to: 1e6, batchMs: 1 },
      { pause: pause.signal, deadlineMs: null },
    );
    let last: unknown;
    for await (const event of events) {
      if (event.type === 'chunk' && event.chunk.counted === 3) pause.abort();
      last = event;
    }
    expect(last).toMatchObject({ type: 'done', output: { paused: true } });
  });

  it('holds long work between two batches and resumes it, also in a process that was restarted meanwhile', async () => {
    const counting = await startCounting({ limits: { firstDelayMs: 1 } });
    let counted = 0;
    const read = async (): Promise<void> => {
      for await (const event of counting.stream('count', workspaceId, { to: 1e6, batchMs: 5 }))
        if (event.type === 'chunk') counted = event.chunk.counted;
    };
    const standsStill = async (): Promise<void> => {
      await sleep(200); // the batch under way ends
      const before = counted;
      await sleep(300);
      expect(counted).toBe(before);
    };
    const first = read().catch(() => undefined);
    await until(() => counted > 2);
    counting.hold();
    await standsStill();
    counting.resume();
    const before = counted;
    await until(() => counted > before + 2);

    counting.hold();
    process.kill(counting.status.pid ?? 0, 'SIGKILL');
    await first;
    await until(() => counting.status.state === 'ready');
    counted = 0;
    const second = read().catch(() => undefined);
    await standsStill();
    expect(counted).toBe(0);
    counting.resume();
    await until(() => counted > 2);
    await counting.stop();
    await second;
  });

  it('starts on demand, ends when it has had nothing to do, and starts again', async () => {
    const counting = await startCounting({ idleMs: 200 });
    expect(counting.status).toMatchObject({ state: 'idle', pid: null });
    expect(await counting.call('count', workspaceId, { to: 0 })).toEqual({ counted: 0, paused: false });
    const pid = counting.status.pid ?? 0;
    await until(() => counting.status.state === 'idle');
    await until(() => !isAlive(pid));
    expect(await counting.call('count', workspaceId, { to: 0 })).toEqual({ counted: 0, paused: false });
    expect(counting.status.restarts).toBe(0);
  });

  it('started on demand, waits for the next demand after a crash', async () => {
    const counting = await startCounting({ idleMs: 60_000, limits: { firstDelayMs: 1 } });
    const work = counting.call('count', workspaceId, { to: 1e6, batchMs: 5 });
    await until(() => counting.status.pid !== null);
    process.kill(counting.status.pid ?? 0, 'SIGKILL');
    await expect(work).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    await until(() => counting.status.state === 'idle');
    expect(await counting.call('count', workspaceId, { to: 0 })).toEqual({ counted: 0, paused: false });
  });
});

describe('the train worker', () => {
  it('starts when it is first asked, at low priority and without a model', async () => {
    const train = new TrainWorker({ log: silent, drainMs: 0 });
    worker = train;
    await train.start();
    expect(train.status).toMatchObject({ state: 'idle', pid: null });
    const hello = await train.hello();
    expect(hello).toMatchObject({ role: 'train', limits: { queue: 512 } });
    expect(getPriority(train.status.pid ?? 0)).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
  });

  it('is not taken for dead when a busy machine lets it wait for longer than a worker that answers may', async () => {
    const train = new TrainWorker({ log: silent, drainMs: 0 });
    worker = train;
    await train.start();
    await train.hello();
    const { pid } = train.status;
    process.kill(pid ?? 0, 'SIGSTOP');
    await sleep(PROCESS_TIMINGS.silenceMs + 2_000);
    process.kill(pid ?? 0, 'SIGCONT');
    await train.hello();
    expect(train.status).toMatchObject({ pid, restarts: 0 });
  }, 60_000);

  it('stands aside while somebody waits for an answer, from the first call until a moment after the last', async () => {
    const gauge = new InteractiveGauge(50);
    const told: boolean[] = [];
    gauge.onChange((busy) => told.push(busy));
    const first = gauge.enter();
    const second = gauge.enter();
    first();
    await sleep(100);
    expect(told).toEqual([true]);
    second();
    const third = gauge.enter(); // the next step of the same answer
    third();
    expect(told).toEqual([true]);
    await until(() => !gauge.busy);
    expect(told).toEqual([true, false]);
  });
});
