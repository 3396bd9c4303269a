import { readFileSync } from 'node:fs';

/**
 * Memory that this process takes, in bytes: its proportional set size where the kernel tells (Linux), in which a page that is mapped several
 * times counts once, else its resident set size, in which it counts as often as it is mapped. The programs of a training map the same weights.
 */
export function memoryOfProcess(): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
    if (kilobytes !== undefined) return 1024 * Number(kilobytes);
  } catch {
    // No such file, or it may not be read.
  }
  return process.memoryUsage.rss();
}
