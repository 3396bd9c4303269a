import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

/** In the order in which a reader meets them: later pages use what earlier ones made. */
const PAGES = [
  'answer-from-documents',
  'train-an-adapter',
  'prove-and-ship',
  'evaluation',
  'learn',
  'rag-or-fine-tuning',
  'clients',
  'graphql',
  'snippets',
  'models',
  'operate',
  'access',
  'watch',
  'backup',
  'hardening',
  'sizing',
  'troubleshooting',
  'tutorial',
];

/** A page's commands (blocks of `sh`), each with what its output must show (`<!-- shows: a|b -->` behind it: all of them). */
function commandsOf(page: string): { command: string; shows: string[] }[] {
  const blocks = page.matchAll(/```sh\n([\s\S]*?)```\n(?:<!-- shows: (.*?) -->)?/g);
  return [...blocks].map(([, command, shows]) => ({ command: command!, shows: shows?.split('|') ?? [] }));
}

describe('the pages of docs/, tried from top to bottom on an empty home', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let bin: string;

  beforeAll(async () => {
    home = await temporaryHome({ first: true });
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    // `npx graft` is this checkout's command line; npx itself would ask a registry first.
    bin = join(home.path, '..', 'bin');
    mkdirSync(bin);
    const program = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(bin, 'npx'), 0o755);
  }, 600_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  /** One shell for all of a page, so that a variable set in one block is there in the next. */
  const run = (script: string): Promise<string> =>
    new Promise((resolve, reject) =>
      execFile(
        'bash',
        ['-euo', 'pipefail', '-c', script],
        {
          cwd: packageRoot(),
          env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, GRAFT_URL: graft.url, GRAFT_HOME: home.path },
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) =>
          error ? reject(new Error(`${error.message}\n${stderr}\n${stdout.slice(-4_000)}`)) : resolve(stdout),
      ),
    );

  it.each(PAGES)(
    '%s.md does what it says',
    async (name) => {
      const page = readFileSync(join(packageRoot(), 'docs', `${name}.md`), 'utf8');
      const commands = commandsOf(page);
      expect(commands.length).toBeGreaterThan(0);
      const marked = commands.map(({ command }, index) => `${command}\necho "=== end of block ${index}"`);
      const output = await run(marked.join('\n'));
      const outputs = output.split(/=== end of block \d+\n/);
      commands.forEach(({ shows }, index) => {
        for (const text of shows) expect(outputs[index]).toContain(text);
      });
    },
    1_200_000,
  );
});
