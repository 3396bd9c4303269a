import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

const PROGRAM = join(packageRoot(), 'dist', 'src', 'start.js');

/** How a start that a wrong setting ends begins, before anything else is read. */
const firstLine = (command: string, args: readonly string[], env: Record<string, string> = {}): string => {
  const { stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, GRAFT_PORT: 'none', ...env },
  });
  return (stderr || stdout).split(/\r?\n/)[0]!;
};

describe('a start', () => {
  it('says so at once: a plain line on a terminal, JSON elsewhere, and nothing where only errors are wanted', () => {
    expect(firstLine('script', ['-qec', `"${process.execPath}" "${PROGRAM}"`, '/dev/null'])).toBe('Starting Graft …');
    expect(JSON.parse(firstLine(process.execPath, [PROGRAM]))).toMatchObject({ level: 'info', msg: 'starting' });
    expect(firstLine(process.execPath, [PROGRAM], { LOG_LEVEL: 'error' })).toMatch(/^SETUP_FAILED/);
  }, 60_000);
});
