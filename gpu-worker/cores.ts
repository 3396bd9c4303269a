import { availableParallelism, cpus } from 'node:os';

interface Sample {
  all: number;
  busy: number;
  own: number;
}

/** Milliseconds of processor time since the machine, or this process, started. */
function sample(): Sample {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.idle + t.irq, 0);
  const { user, system } = process.cpuUsage();
  return { all, busy: all - times.reduce((sum, t) => sum + t.idle, 0), own: (user + system) / 1000 };
}

/** Share of all processors, 0..1, that other programs used between two samples. */
export function othersShare(from: Sample, to: Sample): number {
  const all = to.all - from.all;
  const others = to.busy - from.busy - (to.own - from.own);
  return all <= 0 ? 0 : Math.min(1, Math.max(0, others / all));
}

/** @returns a function that tells the others' share since this call */
export function watchOthers(): () => number {
  const from = sample();
  return () => othersShare(from, sample());
}

const INTERVAL_MS = 1_000;

/**
 * How many cores other programs leave to us, looked at every second. llama.cpp's threads wait for each other by spinning:
 * with more threads than free cores each step waits for a thread that isn't running. On two cores with five busy
 * programs, prefill took 19 to 58 tokens/s with two threads and 55 to 137 with one.
 */
export class FreeCores {
  private free: number;

  constructor(private readonly cores = availableParallelism()) {
    this.free = cores;
    let before = sample();
    setInterval(() => {
      const now = sample();
      this.free = Math.max(1, Math.round(this.cores * (1 - othersShare(before, now))));
      before = now;
    }, INTERVAL_MS).unref();
  }

  /** At least 1. */
  get count(): number {
    return this.free;
  }
}
