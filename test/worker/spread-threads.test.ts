import fc from 'fast-check';
import koffi from 'koffi';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import {
  CALM,
  openThreadSpreader,
  partings,
  runningTask,
  threadSpreader,
  type SpreadThreads,
  type Task,
} from '../../gpu-worker/engines/inference/spread-threads.js';
import { itWhen } from '../support/skip.js';

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
        const moves = partings(tasks, all);
        const places = new Map(tasks.map(({ tid, core }) => [tid, core]));
        for (const { tid, core } of moves) places.set(tid, core);
        expect(new Set(places.values()).size).toBe(Math.min(tasks.length, all.length));
        const alone = tasks.filter(({ core }) => tasks.filter((other) => other.core === core).length === 1);
        for (const { tid, core } of alone) expect(places.get(tid)).toBe(core);
        expect(
          partings(
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

  const canMove = process.platform === 'linux' && availableParallelism() > 1;
  itWhen(canMove, 'threads can be moved on Linux alone, and between two cores at least')(
    'really go to different cores once their batch has started',
    async () => {
      const spread = await openThreadSpreader();
      expect(await timesApart(spread)).toBeGreaterThan(ROUNDS / 2);
      // So soon the kernel would not have done it.
      expect(await timesApart((_, start) => start())).toBeLessThan(ROUNDS / 2);
    },
  );

  it('are looked for less and less where the kernel spreads them, and not where there is one', () => {
    let looks = 0;
    // Without a core to go to, nothing is ever moved.
    const spread = threadSpreader({ cores: [], here: () => looks++, move: () => undefined });
    for (let batch = 0; batch < CALM; batch += 1) expect(spread(1, () => batch)).toBe(batch);
    expect(looks).toBe(0);
    for (let batch = 0; batch < 5 * CALM; batch += 1) expect(spread(2, () => batch)).toBe(batch);
    expect(looks).toBeGreaterThan(CALM);
    expect(looks).toBeLessThan(2 * CALM);
  });
});

const ROUNDS = 10;

/** How often two busy threads, put onto one core, are on two of them right after their start. */
async function timesApart(spread: SpreadThreads): Promise<number> {
  let apart = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    /** How many spin, and whether they shall end. */
    const flags = new Int32Array(new SharedArrayBuffer(8));
    const before = new Set(threadIds());
    let busy: number[] = [];
    const workers = spread(3, () => {
      const started = [1, 2].map(() => new Worker(SPIN, { eval: true, workerData: flags }));
      while (Atomics.load(flags, 0) < 2) continue;
      busy = threadIds().filter((tid) => !before.has(tid));
      for (const tid of busy) crowdOnto(tid, ownCores()[0] ?? 0);
      return started;
    });
    const cores = new Set(
      busy.map((tid) => runningTask(tid, readFileSync(`/proc/self/task/${tid}/stat`, 'latin1'))?.core),
    );
    if (cores.size === 2) apart += 1;
    Atomics.store(flags, 1, 1);
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  }
  return apart;
}

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
