import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { procStatFields } from '../../kernel/proc-stat.js';

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}

/**
 * What tells one process from a later one with the same id: its start time (and, on Linux, the boot), or null when no such
 * process runs. A zombie counts as gone: it holds nothing, and as a child of an idle parent it would never go away.
 */
export function processIdentity(pid: number): string | null {
  return process.platform === 'linux' ? linuxIdentity(pid) : psIdentity(pid);
}

/** Where process ids mean what they mean here: this boot and, of containers, this one's PID namespace; null where that can't be told. */
export function processSpace(): string | null {
  try {
    return `${bootId()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

export const isRunning = (pid: number, identity: string): boolean => processIdentity(pid) === identity;

function linuxIdentity(pid: number): string | null {
  try {
    const fields = procStatFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const [state, startTime] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return null;
    return `${bootId()}:${startTime}`;
  } catch {
    return null;
  }
}

function psIdentity(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    if (line === '' || line.startsWith('Z')) return null;
    return line.replace(/^\S+\s+/, '');
  } catch {
    return null;
  }
}
