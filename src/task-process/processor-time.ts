import { readdirSync, readFileSync } from 'node:fs';
import { procStatFields } from '../kernel/proc-stat.js';

/** Linux tells processor time in hundredths of a second to every program. */
const TICK_MS = 10;

/** Processor time of all threads of a process until now; null where that can't be known. */
export function workedMs(pid: number): number | null {
  try {
    const fields = procStatFields(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

/** Whether a thread of the process runs or waits for nothing but a processor; a process that was stopped does not. */
export function wantsProcessor(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(
      (thread) => procStatFields(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1'))[0] === 'R',
    );
  } catch {
    return false;
  }
}
