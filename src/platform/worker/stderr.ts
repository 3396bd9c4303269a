import type { ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

/** What this module needs of the logger. */
export interface LogLines {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const TAIL_BYTES = 8 * 1024;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Puts a worker's stderr lines into our log and keeps the last 8 KiB for the report of a crash. */
export function followStderr(child: ChildProcess, log: LogLines): { tail(): string } {
  let tail = '';
  let rest = '';
  const decoder = new StringDecoder('utf8');
  child.stderr?.on('data', (data: Buffer) => {
    const text = decoder.write(data);
    tail = (tail + text).slice(-TAIL_BYTES);
    const lines = (rest + text).split('\n');
    // A line without an end can't grow without bounds.
    rest = (lines.pop() ?? '').slice(-TAIL_BYTES);
    for (const line of lines) if (line.trim() !== '') logLine(line, child.pid, log);
  });
  return { tail: () => tail };
}

/** Workers write JSON objects; native libraries write what they like. */
function logLine(line: string, workerPid: number | undefined, log: LogLines): void {
  try {
    const { level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const levelName = LEVELS.find((name) => name === level);
    if (levelName !== undefined && typeof message === 'string')
      return log[levelName]({ workerPid, ...fields }, message);
  } catch {
    // not ours
  }
  log.warn({ workerPid, line: line.slice(0, 500) }, 'the worker wrote to stderr');
}
