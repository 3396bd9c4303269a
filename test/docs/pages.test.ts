import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { NpmProject } from '../support/npm-project.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

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

interface Block {
  command: string;
  /** What its output must show, all of it. */
  shows: string[];
  /** How the shell comes to where the block runs; empty in the checkout. */
  enter: string;
  /** Why it can't be run. */
  reason?: string;
}

const projects: NpmProject[] = [];

/** A block that installs packages of a registry runs in a project of its own, not in the checkout. */
async function projectOf(command: string): Promise<Pick<Block, 'enter' | 'reason'>> {
  const [, installer, words] = /^(npm|pip) install (.+)$/m.exec(command) ?? [];
  if (installer === undefined) return { enter: '' };
  const packages = words!.split(' ').filter((word) => !/^[-/]/.test(word));
  const project = await (installer === 'npm' ? NpmProject : Python).with(packages);
  if (typeof project === 'string') return { enter: '', reason: project };
  if (project instanceof Python) return { enter: `PATH='${project.programs}':"$PATH"` };
  projects.push(project);
  return { enter: `cd '${project.path}'` };
}

/** A page's commands (blocks of `sh`), each with what its output must show (`<!-- shows: a|b -->` behind it). */
async function blocksOf(name: string): Promise<Block[]> {
  const page = readFileSync(join(packageRoot(), 'docs', `${name}.md`), 'utf8');
  const blocks: Block[] = [];
  for (const [, command, shows] of page.matchAll(/```sh\n([\s\S]*?)```\n(?:<!-- shows: (.*?) -->)?/g))
    blocks.push({ command: command!, shows: shows?.split('|') ?? [], ...(await projectOf(command!)) });
  return blocks;
}

const pages: [name: string, blocks: Block[]][] = [];
for (const name of PAGES) pages.push([name, await blocksOf(name)]);

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
    await Promise.all([home.remove(), ...projects.map((project) => project.remove())]);
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

  it.each(pages)(
    '%s.md does what it says',
    async (_name, all) => {
      const blocks = all.filter(({ reason }) => reason === undefined);
      expect(blocks.length).toBeGreaterThan(0);
      const marked = blocks.map(({ command, enter }, index) => {
        const entered = enter === '' ? command : `(\n${enter}\n${command})`;
        return `${entered}\necho "=== end of block ${index}"`;
      });
      const output = await run(marked.join('\n'));
      const outputs = output.split(/=== end of block \d+\n/);
      blocks.forEach(({ shows }, index) => {
        for (const text of shows) expect(outputs[index]).toContain(text);
      });
    },
    1_200_000,
  );

  for (const [name, blocks] of pages)
    for (const { command, reason } of blocks)
      if (reason !== undefined) itWhen(false, reason)(`${name}.md: ${command.split('\n')[0]}`, () => Promise.resolve());
});
