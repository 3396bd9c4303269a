import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

interface PageBlock {
  command: string;
  /** What its output must show, all of it. */
  shows: string[];
}

/**
 * Blocks of a page of docs/ in a language, each with what its output must show (`<!-- shows: a|b -->` behind it).
 * @param name the page without `.md` @param language `sh` is run by everybody, `console` takes users or time
 */
export function blocksOf(name: string, language: 'sh' | 'console'): PageBlock[] {
  const page = readFileSync(join(packageRoot(), 'docs', `${name}.md`), 'utf8');
  const pattern = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\`\\n(?:<!-- shows: (.*?) -->)?`, 'g');
  return [...page.matchAll(pattern)].map(([, command, shows]) => ({
    command: command!,
    shows: shows?.split('|') ?? [],
  }));
}

/**
 * A shell in which `npx graft` is this checkout's command line; npx itself would ask a registry first.
 * @param folder where the program that stands for `npx` is put
 * @returns what a script printed @throws Error with all that it printed, where it fails
 */
export function pageShell(
  folder: string,
  env: { GRAFT_URL: string; GRAFT_HOME?: string },
  cwd = packageRoot(),
): (script: string) => Promise<string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const program = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(join(bin, 'npx'), 0o755);
  const options = {
    cwd,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, ...env },
    maxBuffer: 64 * 1024 * 1024,
  };
  return (script) =>
    new Promise((resolve, reject) =>
      execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stderr}\n${stdout.slice(-4_000)}`)) : resolve(stdout),
      ),
    );
}
