import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';

const BUILD = `
import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('dist/src/cli', { recursive: true });
writeFileSync('dist/src/cli/graft.js', 'console.log(process.argv.slice(2).join())');
`;

describe('npx graft', () => {
  const { bin } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { bin: { graft: string } };
  let checkout: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'graft-checkout-'));
    const program = join(checkout, bin.graft);
    mkdirSync(dirname(program), { recursive: true });
    cpSync(join(packageRoot(), bin.graft), program);
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
    writeFileSync(join(checkout, 'scripts/build.mjs'), BUILD);
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  const run = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(checkout, bin.graft), ...args], { encoding: 'utf8', cwd: checkout });

  it('is a program of the checkout itself, which npx finds before anything is built', () => {
    expect(bin.graft).not.toMatch(/^dist\//);
    expect(() => accessSync(join(packageRoot(), bin.graft), constants.X_OK)).not.toThrow();
  });

  it('builds what was never built, says so, and builds no more', () => {
    const said = { status: 0, stdout: 'ask,why\n' };
    expect(run('ask', 'why')).toMatchObject({ ...said, stderr: expect.stringContaining('Building') as string });
    expect(run('ask', 'why')).toMatchObject({ ...said, stderr: '' });
  });
});
