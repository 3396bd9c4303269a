import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

interface Sample {
  all: number;
  busy: number;
  own: number;
}

/** Milliseconds of processor time since the machine, or this process, started. */
function sample(): Sample {
  const times = cpus().map((cpu) => cpu.times);
  const total = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.idle + t.irq, 0);
  const { user, system } = process.cpuUsage();
  return { all: total, busy: total - times.reduce((sum, t) => sum + t.idle, 0), own: (user + system) / 1000 };
}

/** Share of all processors, 0..1, that other programs used between two samples. */
function othersShare(from: Sample, to: Sample): number {
  const total = to.all - from.all;
  const foreign = to.busy - from.busy - (to.own - from.own);
  return total <= 0 ? 0 : Math.min(1, Math.max(0, foreign / total));
}

/** @returns a function that tells the others' share since this call */
export function watchOthers(): () => number {
  const from = sample();
  return () => othersShare(from, sample());
}

/** The shorter, the sooner a core counts as free again whose program has ended: at most two intervals later. */
const INTERVAL_MS = 300;

/**
 * Programs that want a core at this moment; Linux only, elsewhere as many as there can be. Neither this thread counts, nor the
 * gateway, which has just sent the request that is being looked at and goes to sleep.
 */
function runnableNow(): number {
  try {
    // The fourth field is running/all.
    const running = Number(readFileSync('/proc/loadavg', 'latin1').split(' ')[3]?.split('/')[0]);
    return running - 1 - (wantsCore(readFileSync(`/proc/${process.ppid}/stat`, 'latin1')) ? 1 : 0);
  } catch {
    return Infinity;
  }
}

/** What /proc/<pid>/stat says: the state comes after the program's name, which is in brackets and may hold anything. */
export const wantsCore = (stat: string): boolean => /^ R/.test(stat.slice(stat.lastIndexOf(')') + 1));

/** Looks at this moment, and how far they lie apart, in ms: a client that reads an event wants a core for less. */
const LOOKS = 4;
const BETWEEN_LOOKS_MS = 0.15;

/** The fewest of a few looks, until one sees nobody: a program that stays busy is seen by all of them. */
function runnableThroughout(): number {
  let fewest = runnableNow();
  for (let look = 1; look < LOOKS && fewest > 0 && Number.isFinite(fewest); look += 1) {
    for (const until = performance.now() + BETWEEN_LOOKS_MS; performance.now() < until;) continue;
    fewest = Math.min(fewest, runnableNow());
  }
  return fewest;
}

/**
 * How many cores other programs leave to us. llama.cpp's threads wait for each other by spinning: with more threads than
 * free cores each step waits for a thread that isn't running. On two cores with five busy programs, prefill took 19 to 58
 * tokens/s with two threads and 55 to 137 with one. A core counts as taken only if the last interval and this moment both
 * say so: the first alone would blame a program that has just ended, the second alone one that only blinked.
 */
export class FreeCores {
  private free: number;

  constructor(private readonly cores = availableParallelism()) {
    this.free = cores;
    let previous = sample();
    setInterval(() => {
      const now = sample();
      this.free = Math.round(this.cores * (1 - othersShare(previous, now)));
      previous = now;
    }, INTERVAL_MS).unref();
  }

  /** At least 1. */
  get count(): number {
    if (this.free >= this.cores) return this.cores;
    return Math.max(1, this.free, this.cores - runnableThroughout());
  }
}
