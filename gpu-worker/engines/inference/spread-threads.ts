import { readdirSync, readFileSync } from 'node:fs';
import { errorFields, log } from '../../log.js';

/** Starts a batch that will run in so many threads, and sees to it that each has a core of its own. */
export type SpreadThreads = <T>(threads: number, start: () => T) => T;

/** A thread that wants a core, and the core that it has or waits for. */
export interface Task {
  tid: number;
  core: number;
}

/** llama.cpp's threads start 0.6 ms after the batch was handed over; who waits for longer would keep a core from them. */
const LONGEST_WAIT_MS = 2;
/** After so many batches whose threads lay well, one in so many is looked at: there, the kernel spreads them by itself. */
export const CALM = 10;
/** Bytes of a core mask: 1,024 cores, as in the C library's cpu_set_t. */
const MASK_BYTES = 128;

/**
 * llama.cpp starts threads anew for each batch, and they wait for each other by spinning. A kernel that puts a woken thread beside its
 * waker, so that another core may sleep, leaves two of them on one core until its balancer parts them. On two virtual cores, 9 tokens
 * of SmolLM2-135M after a second's pause: 34 ms as the kernel places them, 26 spread (`npm run bench -- prefill`).
 *
 * So this thread, which has nothing else to do for the moment, first sends llama.cpp's first thread to another core than its own, waits
 * for the others to appear, and parts those that share a core. None is bound: where the kernel moves them afterwards is its business.
 *
 * @returns what only calls `start` where this can't be done: not Linux, no C library of this name
 */
export async function openThreadSpreader(): Promise<SpreadThreads> {
  const affinity = await openAffinity();
  return affinity === null || affinity.cores.length < 2 ? (_, start) => start() : threadSpreader(affinity);
}

export function threadSpreader(affinity: Affinity): SpreadThreads {
  let calm = 0;
  return (threads, start) => {
    if (threads < 2 || (calm > CALM && calm++ % CALM !== 0)) return start();
    const before = threadIds();
    const result = start();
    const moves = spread(affinity, before, threads);
    calm = moves === 0 ? calm + 1 : 0;
    return result;
  };
}

/** @returns how many threads were moved */
function spread({ cores, here, move }: Affinity, before: readonly number[], threads: number): number {
  const own: Task = { tid: process.pid, core: here() };
  const started = runningTasks(before.filter((tid) => tid !== own.tid));
  const away = partings([own, ...started], cores).filter(({ tid }) => tid !== own.tid);
  for (const task of away) move(task);

  const known = new Set(before);
  let fresh: number[] = [];
  for (const until = performance.now() + LONGEST_WAIT_MS; fresh.length < threads - 1 && performance.now() < until;)
    fresh = threadIds().filter((tid) => !known.has(tid));
  // Without this thread, which is about to sleep.
  const apart = partings(runningTasks([...started.map(({ tid }) => tid), ...fresh]), cores);
  for (const task of apart) move(task);
  return away.length + apart.length;
}

/** Moves after which no two tasks share a core while another core has none; of those on one core the first stays. */
export function partings(running: readonly Task[], cores: readonly number[]): Task[] {
  const taken = new Set<number>();
  const crowded = running.filter(({ core }) => taken.size === taken.add(core).size);
  const empty = cores.filter((core) => !taken.has(core));
  return crowded.slice(0, empty.length).map(({ tid }, index) => ({ tid, core: empty[index]! }));
}

/** What /proc/<pid>/task/<tid>/stat says if the thread wants a core: fields 3 (state) and 39 (core) of proc(5). */
export function runningTask(tid: number, stat: string): Task | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'R' ? { tid, core: Number(fields[36]) } : null;
}

const threadIds = (): number[] => readdirSync('/proc/self/task').map(Number);

const runningTasks = (tids: readonly number[]): Task[] =>
  tids.flatMap((tid) => {
    try {
      return runningTask(tid, readFileSync(`/proc/self/task/${tid}/stat`, 'latin1')) ?? [];
    } catch {
      return []; // it has ended meanwhile
    }
  });

export interface Affinity {
  /** Those that this process may use. */
  cores: number[];
  /** The core of the calling thread. */
  here(): number;
  move(task: Task): void;
}

/** sched_setaffinity(2) of the C library; Node has no way to it. */
async function openAffinity(): Promise<Affinity | null> {
  if (process.platform !== 'linux') return null;
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const get = libc.func('int sched_getaffinity(int pid, size_t bytes, _Out_ uint8_t *mask)');
    const set = libc.func('int sched_setaffinity(int pid, size_t bytes, const uint8_t *mask)');
    const here = libc.func('int sched_getcpu()') as () => number;
    const all = new Uint8Array(MASK_BYTES);
    get(0, MASK_BYTES, all);
    const cores = [...Array(MASK_BYTES * 8).keys()].filter((core) => (all[core >> 3]! & (1 << (core & 7))) !== 0);
    const move = ({ tid, core }: Task): void => {
      const only = new Uint8Array(MASK_BYTES);
      only[core >> 3] = 1 << (core & 7);
      // It goes there at once, and is then free again. One that has ended meanwhile is no matter.
      set(tid, MASK_BYTES, only);
      set(tid, MASK_BYTES, all);
    };
    return { cores, here, move };
  } catch (error) {
    log('info', 'llama.cpp’s threads stay where the kernel puts them', errorFields(error));
    return null;
  }
}
