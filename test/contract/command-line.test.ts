import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftClient } from '../../src/client/graft-client.js';
import { CreateCollectionDocument } from '../../src/operations/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

describe('the command line', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;

  const run = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) =>
      execFile(
        process.execPath,
        [join(packageRoot(), 'dist', 'src', 'cli', 'graft.js'), '--url', graft.url, ...args],
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    const client = new GraftClient(graft.url);
    await client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    client.close();
  }, 240_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  it('ingests a file, then answers from it and finds it, with JSON for scripts', async () => {
    const path = join(home.path, '..', 'orlo.txt');
    await writeFile(path, 'The Orlo pump runs at 37 bar.');
    const ingested = await run('ingest', 'pumps', path, '--json');
    expect(ingested).toMatchObject({ code: 0 });
    expect(JSON.parse(ingested.stdout)).toMatchObject({ documents: [{ name: 'orlo.txt', outcome: 'INDEXED' }] });

    const told = await run('ask', 'At what pressure does the Orlo pump run?');
    expect(told.code).toBe(0);
    expect(told.stdout).toContain('“The Orlo pump runs at 37 bar.”');

    const found = await run('search', 'pressure of the pump', '--json');
    expect(JSON.parse(found.stdout)).toMatchObject({ hits: [{ document: { name: 'orlo.txt' } }] });
    expect((await run('runs')).stdout).toContain('SUCCEEDED');
    expect((await run('models')).stdout).not.toBe('');
  }, 180_000);

  it('says a refusal in one line with its code and ends with 1; wrong usage ends with 2', async () => {
    const refused = await run('search', 'pump', '--collection', 'none');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^[A-Z_]+: .*\n$/);
    expect((await run('no-such-command')).code).toBe(2);
    expect((await run('ask')).code).toBe(2);
  }, 60_000);
});
