import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  CALM,
  openAffinity,
  separate,
  runningTask,
  threadSpreader,
  type Affinity,
  type ThreadPlacement,
} from '../../gpu-worker/engines/inference/spread-threads.js';
import { itWhen } from '../support/skip.js';

const ROUNDS = 10;

/** Of this process; null where threads can't be moved. */
const affinity = await openAffinity();

/** Two busy threads that start on one core, as llama.cpp's would: on how many they are at once, and whether they may leave them. */
async function crowdedBatch({ cores: own, ...moving }: Affinity): Promise<{ cores: number; free: boolean }> {
  /** How many spin, and whether they shall end. */
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const before = new Set(threadIds());
  let busy: number[] = [];
  const workers = threadSpreader({ cores: own, ...moving })(own.length, () => {
    const started = [1, 2].map(() => new Worker(SPIN, { eval: true, workerData: flags }));
    while (Atomics.load(flags, 0) < 2) continue;
    busy = threadIds().filter((tid) => !before.has(tid));
    for (const tid of busy) moving.move({ tid, core: own[0]! });
    return started;
  });
  const cores = new Set(busy.map(coreOf));
  const free = busy.every((tid) => allowedCores(tid) === allowedCores(process.pid));
  Atomics.store(flags, 1, 1);
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  return { cores: cores.size, free };
}

const coreOf = (tid: number): number | undefined =>
  runningTask(tid, readFileSync(`/proc/self/task/${tid}/stat`, 'latin1'))?.core;

const allowedCores = (tid: number): string | undefined =>
  /Cpus_allowed_list:\t(.*)/.exec(readFileSync(`/proc/${tid}/status`, 'latin1'))?.[1];

const threadIds = (): number[] => readdirSync('/proc/self/task').map(Number);

const SPIN = `const { workerData } = require('node:worker_threads');
Atomics.add(workerData, 0, 1);
while (Atomics.load(workerData, 1) === 0);`;

const cores = fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 16 });
const crowd = cores.chain((all) =>
  fc.record({
    all: fc.constant(all),
    tasks: fc
      .array(fc.constantFrom(...all), { maxLength: 32 })
      .map((list) => list.map((core, index): ThreadPlacement => ({ tid: 100 + index, core }))),
  }),
);

describe('threads that share a core', () => {
  it('go apart as far as there are cores, and those that have one of their own stay', () => {
    fc.assert(
      fc.property(crowd, ({ all, tasks }) => {
        const moves = separate(tasks, all);
        const places = new Map(tasks.map(({ tid, core }) => [tid, core]));
        for (const { tid, core } of moves) places.set(tid, core);
        expect(new Set(places.values()).size).toBe(Math.min(tasks.length, all.length));
        const alone = tasks.filter(({ core }) => tasks.filter((other) => other.core === core).length === 1);
        for (const { tid, core } of alone) expect(places.get(tid)).toBe(core);
        expect(
          separate(
            [...places].map(([tid, core]) => ({ tid, core })),
            all,
          ),
        ).toEqual([]);
      }),
    );
  });

  it.each([
    ['7 (node) R 1', 3, { tid: 7, core: 3 }],
    ['7 (a) S (b) R 1', 0, { tid: 7, core: 0 }],
    ['7 (node) S 1', 3, null],
  ])('%j on core %i is read as %j', (start, core, task) => {
    // Fields 5 to 38 of proc(5), then the core.
    expect(runningTask(7, `${start} ${'0 '.repeat(34)}${core} 0 0\n`)).toEqual(task);
  });

  itWhen(affinity !== null, 'threads are moved on Linux alone, and between two to four cores')(
    'really go to different cores once their batch has started, and are free to leave them',
    async () => {
      const rounds = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await crowdedBatch(affinity!));
      // Now and then another program takes the core that was empty.
      expect(rounds.filter(({ cores }) => cores === 2).length).toBeGreaterThan(ROUNDS / 2);
      for (const { free } of rounds) expect(free).toBe(true);
      expect(allowedCores(process.pid)).toBe(allowedCores(process.ppid));
    },
  );

  itWhen(process.platform === 'linux', 'threads are looked at on Linux alone')(
    'leave the core of the thread that started them',
    async () => {
      const flags = new Int32Array(new SharedArrayBuffer(8));
      const known = new Set(threadIds());
      const worker = new Worker(SPIN, { eval: true, workerData: flags });
      while (Atomics.load(flags, 0) < 1) continue;
      const busy = threadIds().find((tid) => !known.has(tid))!;
      let left = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const moved: ThreadPlacement[] = [];
        // Cores that nobody has, so that there is always one to go to.
        const spread = threadSpreader({
          cores: [1_000, 1_001, 1_002],
          currentCore: () => coreOf(busy) ?? -1,
          move: (task) => moved.push(task) > 0,
          free: () => true,
        });
        spread(3, () => undefined);
        if (moved.some(({ tid, core }) => tid === busy && core >= 1_000)) left += 1;
      }
      Atomics.store(flags, 1, 1);
      await new Promise((resolve) => worker.once('exit', resolve));
      expect(left).toBeGreaterThan(ROUNDS / 2);
    },
  );

  it('are looked for less and less where the kernel spreads them, and not where each core is to have none or several', () => {
    let looks = 0;
    const spread = threadSpreader({
      cores: [0, 1],
      currentCore: () => 1_000 + looks++,
      move: () => false,
      free: () => true,
    });
    for (let batch = 0; batch < CALM; batch += 1)
      for (const threads of [1, 3]) expect(spread(threads, () => 7)).toBe(7);
    expect(looks).toBe(0);
    for (let batch = 0; batch < 5 * CALM; batch += 1) expect(spread(2, () => batch)).toBe(batch);
    expect(looks).toBe(CALM + 4);
  });

  it('are left alone from the first failure on, which is no matter of the batch', async () => {
    let looks = 0;
    const spread = threadSpreader({
      cores: [0, 1],
      currentCore: () => {
        looks += 1;
        throw new Error('no such call');
      },
      move: () => false,
      free: () => true,
    });
    const logged = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    await expect(spread(2, () => Promise.reject(new Error('the batch’s own')))).rejects.toThrow('the batch’s own');
    expect(spread(2, () => 'second')).toBe('second');
    expect(looks).toBe(1);
    expect(logged.mock.calls.map(String)).toEqual([expect.stringContaining('no such call')]);
    logged.mockRestore();
  });
});
