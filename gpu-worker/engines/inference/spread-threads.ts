import { readdirSync, readFileSync } from 'node:fs';
import { procStatFields } from '../../../src/kernel/proc-stat.js';
import { errorFields, log } from '../../log.js';

/** Starts a batch that will run in so many threads; where each core is to have one, sees to it that each has. */
export type SpreadThreads = <T>(threads: number, start: () => T) => T;

/** A thread that wants a core, and the core that it has or waits for, or is to have. */
export interface ThreadPlacement {
  tid: number;
  core: number;
}

/** Larger machines have cores to spare, and to look after many threads takes longer than it saves. */
const MOST_CORES = 4;
/** How long to wait for llama.cpp's threads to appear. */
const LONGEST_WAIT_MS = 2;
/** After so many batches in a row whose threads lay well, only one in so many is looked at: there, the kernel spreads them. */
export const CALM = 10;
/** Bytes of a core mask: 1,024 cores, as in the C library's cpu_set_t. */
const MASK_BYTES = 128;

/**
 * llama.cpp starts threads anew for each batch, and they wait for each other by spinning. A kernel that puts a woken thread beside its
 * waker, so that another core may sleep, leaves two of them on one core until its balancer parts them. On two virtual cores, 9 tokens
 * of SmolLM2-135M after a second's pause: 35 ms as the kernel places them, 30 spread (`npm run bench -- prefill`).
 *
 * So the main thread, from which batches are started, first sends llama.cpp's first thread away from its own core if that was put there,
 * waits for the others to appear, and separates those that share a core. None stays bound: where the kernel puts them afterwards is its
 * business.
 *
 * @returns what only calls `start` where this can't be done: not Linux, no C library of this name, forbidden, one core or many
 */
export async function openThreadSpreader(): Promise<SpreadThreads> {
  const affinity = await openAffinity();
  return affinity === null ? (_, start) => start() : threadSpreader(affinity);
}

/** With as many threads as cores there is nothing to choose: each goes to the core that has none. */
export function threadSpreader(affinity: Affinity): SpreadThreads {
  let calm = 0;
  let passed = 0;
  let broken = false;
  /** A batch that has started must be awaited whatever happens here. */
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      broken = true;
      log('warn', 'llama.cpp’s threads stay where the kernel puts them from now on', errorFields(error));
      return undefined;
    }
  };
  return (threads, start) => {
    if (broken || threads < 2 || threads !== affinity.cores.length) return start();
    if (calm >= CALM && ++passed % CALM !== 0) return start();
    const threadsBefore = attempt(threadIds);
    const started = start();
    const moveCount = threadsBefore && attempt(() => spread(affinity, new Set(threadsBefore), threads));
    calm = moveCount === 0 ? calm + 1 : 0;
    return started;
  };
}

/** @returns how many threads were moved */
function spread(affinity: Affinity, threadsBefore: ReadonlySet<number>, threads: number): number {
  const { cores } = affinity;
  const main: ThreadPlacement = { tid: process.pid, core: affinity.currentCore() };
  const first = runningTasks([...threadsBefore].filter((tid) => tid !== main.tid));
  const tasks = separate([main, ...first], cores).filter(({ tid }) => tid !== main.tid);
  let moveCount = tasks.filter((task) => affinity.move(task)).length;

  let busyThreads: number[] = [];
  for (
    const until = performance.now() + LONGEST_WAIT_MS;
    busyThreads.length < threads - 1 && performance.now() < until;
  )
    busyThreads = threadIds().filter((tid) => !threadsBefore.has(tid));
  // The main thread does not count: it is about to sleep.
  const candidates = separate(runningTasks([...first.map(({ tid }) => tid), ...busyThreads]), cores);
  moveCount += candidates.filter((task) => !threadsBefore.has(task.tid) && affinity.move(task)).length;
  // One that was started while its starter was on the move has inherited that it may be on one core alone.
  for (const tid of busyThreads) affinity.free(tid);
  return moveCount;
}

/** Moves after which no two tasks share a core while another core has none; of those on one core the first stays. */
export function separate(running: readonly ThreadPlacement[], cores: readonly number[]): ThreadPlacement[] {
  const takenCores = new Set<number>();
  const crowded = running.filter(({ core }) => takenCores.size === takenCores.add(core).size);
  const empty = cores.filter((core) => !takenCores.has(core));
  return crowded.slice(0, empty.length).map(({ tid }, index) => ({ tid, core: empty[index]! }));
}

/** What /proc/<pid>/task/<tid>/stat says if the thread wants a core: fields 3 (state) and 39 (core) of proc(5). */
export function runningTask(tid: number, stat: string): ThreadPlacement | null {
  const fields = procStatFields(stat);
  return fields[0] === 'R' ? { tid, core: Number(fields[36]) } : null;
}

const threadIds = (): number[] => readdirSync('/proc/self/task').map(Number);

const runningTasks = (tids: readonly number[]): ThreadPlacement[] =>
  tids.flatMap((tid) => {
    try {
      return runningTask(tid, readFileSync(`/proc/self/task/${tid}/stat`, 'latin1')) ?? [];
    } catch {
      return []; // it has ended meanwhile
    }
  });

export interface Affinity {
  /** Those that the main thread could use when this was opened. */
  cores: number[];
  /** The core of the main thread. */
  currentCore(): number;
  /** @returns whether the thread went there; it is free again, and one that has ended meanwhile did not go */
  move(task: ThreadPlacement): boolean;
  /** Lets a thread run wherever the main thread may. */
  free(tid: number): boolean;
}

/** sched_setaffinity(2) of the C library; Node has no way to it. @returns null where it can't be used or is of no use */
export async function openAffinity(): Promise<Affinity | null> {
  if (process.platform !== 'linux') return null;
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const get = libc.func('int sched_getaffinity(int tid, size_t bytes, _Out_ uint8_t *mask)');
    const set = libc.func('int sched_setaffinity(int tid, size_t bytes, const uint8_t *mask)');
    const currentCore = libc.func('int sched_getcpu()') as () => number;
    const ownMask = (): Uint8Array => {
      const mask = new Uint8Array(MASK_BYTES);
      if (get(0, MASK_BYTES, mask) !== 0) throw new Error('sched_getaffinity failed');
      return mask;
    };
    // Read each time: an operator may have bound the process meanwhile.
    const free = (tid: number): boolean => set(tid, MASK_BYTES, ownMask()) === 0;
    const move = ({ tid, core }: ThreadPlacement): boolean => {
      const only = new Uint8Array(MASK_BYTES);
      only[core >> 3] = 1 << (core & 7);
      const went = set(tid, MASK_BYTES, only) === 0;
      return free(tid) && went;
    };
    if (!free(0)) throw new Error('sched_setaffinity is forbidden');
    const cores = coresOf(ownMask());
    return cores.length < 2 || cores.length > MOST_CORES ? null : { cores, currentCore, move, free };
  } catch (error) {
    log('info', 'llama.cpp’s threads stay where the kernel puts them', errorFields(error));
    return null;
  }
}

const coresOf = (mask: Uint8Array): number[] =>
  [...Array(MASK_BYTES * 8).keys()].filter((core) => (mask[core >> 3]! & (1 << (core & 7))) !== 0);
