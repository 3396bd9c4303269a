import { jest } from '@jest/globals';
import fc from 'fast-check';
import koffi from 'koffi';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  CALM,
  openThreadSpreader,
  separate,
  runningTask,
  threadSpreader,
  type SpreadThreads,
  type Task,
} from '../../gpu-worker/engines/inference/spread-threads.js';
import { itWhen } from '../support/skip.js';

const ROUNDS = 10;

/** Two busy threads that start on one core, as llama.cpp's would: on how many they are at once, and whether they may leave them. */
async function crowdedBatch(spread: SpreadThreads): Promise<{ cores: number; free: boolean }> {
  /** How many spin, and whether they shall end. */
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const before = new Set(threadIds());
  let busy: number[] = [];
  const workers = spread(ownCores().length, () => {
    const started = [1, 2].map(() => new Worker(SPIN, { eval: true, workerData: flags }));
    while (Atomics.load(flags, 0) < 2) continue;
    busy = threadIds().filter((tid) => !before.has(tid));
    for (const tid of busy) crowdOnto(tid, ownCores()[0] ?? 0);
    return started;
  });
  const cores = new Set(
    busy.map((tid) => runningTask(tid, readFileSync(`/proc/self/task/${tid}/stat`, 'latin1'))?.core),
  );
  const free = busy.every((tid) => allowedCores(tid) === allowedCores(process.pid));
  Atomics.store(flags, 1, 1);
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  return { cores: cores.size, free };
}

const allowedCores = (tid: number): string | undefined =>
  /Cpus_allowed_list:\t(.*)/.exec(readFileSync(`/proc/${tid}/status`, 'latin1'))?.[1];

const threadIds = (): number[] => readdirSync('/proc/self/task').map(Number);

const SPIN = `const { workerData } = require('node:worker_threads');
Atomics.add(workerData, 0, 1);
while (Atomics.load(workerData, 1) === 0);`;

const libc = process.platform === 'linux' ? koffi.load('libc.so.6') : null;

const ownCores = (): number[] => {
  const mask = new Uint8Array(128);
  libc?.func('int sched_getaffinity(int pid, size_t bytes, _Out_ uint8_t *mask)')(0, mask.length, mask);
  return [...Array(1024).keys()].filter((core) => (mask[core >> 3]! & (1 << (core & 7))) !== 0);
};

/** Puts a thread onto a core, free to leave it. */
function crowdOnto(tid: number, core: number): void {
  const set = libc?.func('int sched_setaffinity(int pid, size_t bytes, const uint8_t *mask)');
  for (const cores of [[core], ownCores()]) {
    const mask = new Uint8Array(128);
    for (const one of cores) mask[one >> 3]! |= 1 << (one & 7);
    set?.(tid, mask.length, mask);
  }
}

const cores = fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 16 });
const crowd = cores.chain((all) =>
  fc.record({
    all: fc.constant(all),
    tasks: fc
      .array(fc.constantFrom(...all), { maxLength: 32 })
      .map((list) => list.map((core, index): Task => ({ tid: 100 + index, core }))),
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

  const few = ownCores().length > 1 && ownCores().length <= 4;
  itWhen(few, 'threads are moved on Linux alone, and between two to four cores')(
    'really go to different cores once their batch has started, and are free to leave them',
    async () => {
      const spread = await openThreadSpreader();
      const rounds = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await crowdedBatch(spread));
      // Now and then another program takes the core that was empty.
      expect(rounds.filter(({ cores }) => cores === 2).length).toBeGreaterThan(ROUNDS / 2);
      for (const { free } of rounds) expect(free).toBe(true);
      expect(allowedCores(process.pid)).toBe(allowedCores(process.ppid));
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
