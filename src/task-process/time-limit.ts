import { workedMs } from './processor-time.js';

const LOOK_MS = 50;

/**
 * Watches how long a process works, in ms of processor time: on a machine that others use, the time of the clock says
 * nothing about a task. Where the system does not tell it (other than Linux), the clock has to do.
 * @param lastsMs how long it may last by the clock, however little it works
 * @param tell called once, unless ended before: 'too slow' when it has worked for `limitMs`, else 'starved' after `lastsMs`
 * @returns what ends it
 */
export function limitTime(
  pid: number,
  { limitMs, lastsMs = 4 * limitMs + 60_000 }: { limitMs: number; lastsMs?: number },
  tell: (reason: 'too slow' | 'starved') => void,
): () => void {
  const began = performance.now();
  const initialMs = workedMs(pid) ?? 0;
  let timer: NodeJS.Timeout;
  const look = () => {
    const lasted = performance.now() - began;
    const worked = (workedMs(pid) ?? Infinity) - initialMs;
    if (worked >= limitMs) return tell('too slow');
    if (lasted >= lastsMs) return tell('starved');
    wait(Math.min(Math.max(limitMs - worked, LOOK_MS), lastsMs - lasted));
  };
  const wait = (ms: number) => (timer = setTimeout(look, ms));
  wait(limitMs);
  return () => clearTimeout(timer);
}
