import { readdirSync, readFileSync } from 'node:fs';

const EVERY_MS = 200;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** A field of /proc/<pid>/status that is given in kB, in bytes; 0 for a process that is gone. */
const statusBytes = (pid: string | number, field: string): number =>
  1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

export interface PeakMemory {
  /** Most that one child had resident, by the kernel's own mark (VmHWM), in bytes. */
  child: number;
  /** Most that this process had resident while it was watched, in bytes. */
  own: number;
}

/** Watches the children of this process whose command line holds `name`. Linux only: elsewhere all is 0. */
export function watchMemory(name: string): { stop(): PeakMemory } {
  const peak = { child: 0, own: 0 };
  const look = () => {
    peak.own = Math.max(peak.own, process.memoryUsage.rss());
    for (const pid of process.platform === 'linux' ? readdirSync('/proc') : [])
      if (/^\d+$/.test(pid) && read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1] === String(process.pid))
        if (read(`/proc/${pid}/cmdline`).includes(name)) peak.child = Math.max(peak.child, statusBytes(pid, 'VmHWM'));
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}
