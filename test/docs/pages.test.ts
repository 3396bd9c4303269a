import { join } from 'node:path';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { NpmProject } from '../support/npm-project.js';
import { blocksOf, pageShell } from '../support/page-blocks.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

/** In the order in which a reader meets them: later pages use what earlier ones made. */
const PAGES = [
  'answer-from-documents',
  'sources',
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

const pages: [name: string, blocks: Block[]][] = [];
for (const name of PAGES) {
  const blocks: Block[] = [];
  for (const block of blocksOf(name, 'sh')) blocks.push({ ...block, ...(await projectOf(block.command)) });
  pages.push([name, blocks]);
}

describe('the pages of docs/, tried from top to bottom on an empty home', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  /** One shell for all of a page, so that a variable set in one block is there in the next. */
  let run: (script: string) => Promise<string>;

  beforeAll(async () => {
    home = await temporaryHome({ first: true });
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    run = pageShell(join(home.path, '..'), { GRAFT_URL: graft.url, GRAFT_HOME: home.path });
  }, 600_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await Promise.all([home.remove(), ...projects.map((project) => project.remove())]);
  });

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
