import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftClient } from '../../src/client/graft-client.js';
import { CreateCollectionDocument, type ModelRecommendationsQuery } from '../../src/client/operations/index.js';
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
    // Nothing can be fetched: `auto` has to do with what is here.
    const env = { GRAFT_MODEL: 'auto', HF_ENDPOINT: 'http://127.0.0.1:1', LOG_LEVEL: 'warn' };
    graft = await spawnGraft(home.path, env).started;
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

    const again = await run('ingest', 'pumps', path);
    expect(again).toMatchObject({ code: 0, stdout: 'unchanged  orlo.txt\n' });

    const told = await run('ask', 'At what pressure does the Orlo pump run?');
    expect(told.code).toBe(0);
    expect(told.stdout).toContain('“The Orlo pump runs at 37 bar.”');
    expect(told.stdout).not.toContain('questions in one');
    const twice = await run('ask', 'At what pressure does the Orlo pump run? And how long is its hose?');
    expect(twice.stdout).toContain('2 questions in one');

    const found = await run('search', 'pressure of the pump', '--json');
    expect(JSON.parse(found.stdout)).toMatchObject({ hits: [{ document: { name: 'orlo.txt' } }] });
    const { runId } = JSON.parse(ingested.stdout) as { runId: string };
    expect((await run('runs')).stdout).toMatch(new RegExp(`^SUCCEEDED .*${runId}`, 'm'));
    expect((await run('models')).stdout).not.toBe('');
  }, 180_000);

  it('brings a folder into a collection as it is, and the second time uploads nothing', async () => {
    const folder = join(home.path, '..', 'wiki');
    await mkdir(join(folder, 'deep'), { recursive: true });
    await writeFile(join(folder, 'deep', 'hoist.txt'), 'The hoist lifts 900 kg.');
    await writeFile(join(folder, 'cranes.txt'), 'The crane lifts 4 t.');
    await writeFile(join(folder, 'empty.txt'), '');
    const sync = (...more: string[]) => run('sync', folder, '-c', 'wiki', ...more);
    expect(await sync()).toMatchObject({
      code: 1,
      stderr: 'NOT_FOUND: There is no collection "wiki". Pass --create to make it.\n',
    });
    const first = await sync('--create');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('failed  empty.txt: The file is empty') });
    expect(first.stdout).toContain('3 uploaded, 0 unchanged; 2 in, 0 failed, 1 without text, 0 gone\n');
    const second = await sync('--json');
    expect(JSON.parse(second.stdout)).toMatchObject({ uploaded: 0, unchanged: 2, source: { counts: { in: 2 } } });
    expect((await run('sources')).stdout).toMatch(/^SYNCED +wiki +\(wiki\) +2 in, .* as of 2/m);

    await rm(folder, { recursive: true });
    expect(await sync()).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no file') });
    await mkdir(folder);
    expect(await sync()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('2 of the source’s 2 documents would go'),
    });
    expect((await run('call', 'Collection', 'name=wiki', '--pick', 'collection.documentCount')).stdout).toBe('2\n');
    expect((await sync('--accept-loss')).stdout).toContain('0 in, 0 failed, 0 without text, 2 gone');
  }, 180_000);

  it('says which model of the catalogue fits the machine', async () => {
    const json = await run('models', 'recommend', '--json');
    const { models, answerSeconds } = JSON.parse(json.stdout) as ModelRecommendationsQuery['modelRecommendations'];
    expect([json.code, answerSeconds]).toEqual([0, 10]);
    const here = models.find(({ model }) => model.name === 'smollm2-135m-instruct')!;
    expect(here).toMatchObject({ here: true, measuredOn: 'smollm2-135m-instruct' });
    const best = models.find(({ fit }) => fit === 'RECOMMENDED')!;

    const { stdout, code } = await run('models', 'recommend');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    for (const { model } of models)
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${model.name} +\\S`)));
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${best.model.name} .*recommended$`)));
    expect(stdout).toContain(`GRAFT_MODEL=${best.model.name}, or GRAFT_MODEL=auto.`);
  });

  it('makes a collection only when told to, says why a file failed, and then ends with 1', async () => {
    const path = join(home.path, '..', 'broken.pdf');
    await writeFile(path, '%PDF-1.7 and no more');
    const refused = await run('ingest', 'manuals', path);
    expect(refused).toMatchObject({
      code: 1,
      stderr: 'NOT_FOUND: There is no collection "manuals". Pass --create to make it.\n',
    });
    const failed = await run('ingest', '--create', 'manuals', path);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^failed {2}broken\.pdf: .+\n$/);
  }, 180_000);

  it('says what an operation takes, and what is missing before anything is sent', async () => {
    const told = await run('operations', 'StartTraining');
    expect(told.stdout).toMatch(/^ {2}adapter: String!, needed\n {6}Name of the adapter/m);
    expect(told.stdout).toMatch(/^ {2}recipe: RecipeInput\n/m);
    const missing = await run('call', 'StartTraining', 'adapter=routing');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('StartTraining needs datasetVersion (ID!).');
  }, 60_000);

  it('says its version, and which operations there are, group by group', async () => {
    const { version } = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
    const { stdout } = await run('operations');
    const groups = stdout.match(/^\S.*$/gm)!;
    expect(groups.slice(0, 2)).toEqual(['Ask', 'Knowledge']);
    expect(new Set(groups).size).toBe(groups.length);
    expect(stdout).toMatch(/^Ask\n {2}Ask +query +One question, one answer/);
  }, 60_000);

  it('follows a run to its end and says how it ended; one that has ended is not cancelled', async () => {
    const path = join(home.path, '..', 'labels.csv');
    await writeFile(path, 'text,label\none,a\ntwo,b\n');
    await run('call', 'CreateDataset', 'name=labels', 'task=CLASSIFICATION');
    const file = (await run('upload', path)).stdout.trim();
    const made = await run('call', 'AddDatasetVersion', 'dataset=labels', `files=[{"file":"${file}"}]`, '--follow');
    expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/^SUCCEEDED/m) as string });
    const { addDatasetVersion } = JSON.parse(made.stdout) as { addDatasetVersion: { run: { id: string } } };
    const cancelled = await run('call', 'CancelRun', `id=${addDatasetVersion.run.id}`);
    expect(cancelled).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFLICT: /) as string });
  }, 120_000);

  it('deletes documents and collections, and says what became of them', async () => {
    const path = join(home.path, '..', 'gone.txt');
    await writeFile(path, 'The Orlo valve closes at 12 bar.');
    await run('ingest', '--create', 'valves', path);
    const gone = await run('call', 'DeleteDocuments', 'collection=valves', 'names=["gone.txt"]');
    expect(JSON.parse(gone.stdout)).toMatchObject({ deleteDocuments: { deleted: ['gone.txt'] } });
    const whole = await run('call', 'DeleteCollection', 'collection=valves');
    expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining('"complete"') as string });
    expect((await run('call', 'Collection', 'name=valves')).stdout).toContain('"collection": null');
  }, 120_000);

  it('ends without a word where who reads has had enough', async () => {
    const graftJs = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
    const script = `set -o pipefail; "${process.execPath}" "${graftJs}" operations --json | head -c 1`;
    const ended = await new Promise<Ended>((resolve) =>
      execFile('bash', ['-c', script], (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );
    expect(ended).toEqual({ code: 0, stdout: '[', stderr: '' });
  }, 60_000);

  it('makes a version of a dataset from a file, and says what its rows lack', async () => {
    const path = join(home.path, '..', 'kinds.csv');
    const rows = ['It leaks.,FAULT', 'It leaks.,FAULT', 'What does it cost?,PRICE'];
    await writeFile(path, `text,label\n${rows.join('\n')}\n`);
    const imported = await run('import', 'kinds', path, '--create', 'classification', '--split', 'train');
    expect(imported).toMatchObject({ code: 0 });
    expect(imported.stdout).toContain('version 1: 3 rows for training, 0 for validation, 0 for the test\n');
    expect(imported.stdout).toMatch(/^warning: exact-duplicate \(1\)\. .+$/m);
  }, 60_000);

  it('takes rows of OpenAI’s tuning as labels or as texts, whichever their answers are', async () => {
    const chat = (answer: (i: number) => string) =>
      Array.from({ length: 12 }, (_, i) => ({
        messages: [
          { role: 'user', content: `Pump number ${i} is loud.` },
          { role: 'assistant', content: answer(i) },
        ],
      }))
        .map((row) => `${JSON.stringify(row)}\n`)
        .join('');
    for (const [name, rows, means] of [
      ['sorted', chat((i) => (i % 2 ? 'NOISE' : 'OTHER')), 'taken as labels'],
      ['told', chat((i) => `Tighten screw ${i}.`), 'taken as texts'],
    ] as const) {
      const path = join(home.path, '..', `${name}.jsonl`);
      await writeFile(path, rows);
      const imported = await run('import', '--openai', path);
      expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining(means) });
      expect(imported.stdout).toContain(`imported into ${name}\nversion 1: `);
    }
    expect(await run('import', 'nameless')).toMatchObject({ code: 2 });
  }, 60_000);

  it('says a refusal in one line with its code and ends with 1; wrong usage ends with 2', async () => {
    const refused = await run('search', '--collection', 'none', 'pump');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^[A-Z_]+: .*\n$/);
    const missing = await run('ingest', 'pumps', '/no/such/file.txt');
    expect(missing).toMatchObject({ code: 1, stderr: 'There is no file /no/such/file.txt.\n' });
    const unknown = await run('import', 'none', join(packageRoot(), 'package.json'));
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('Pass --create') });
    expect((await run('no-such-command')).code).toBe(2);
    expect((await run('ask')).code).toBe(2);
  }, 120_000);
});
