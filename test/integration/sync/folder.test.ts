import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../../src/kernel/ids.js';
import { sourceSync } from '../../../src/sources/sync/folder-run.js';
import { eventually } from '../../support/eventually.js';
import { BROKEN, startSync, type Files, type Sync } from './harness.js';

const HANDBOOK: Files = {
  'safety.md': '# Safety\n\nThe roof is closed above fourteen metres a second.',
  'team/rota.txt': 'Anna has the keys on Mondays.',
  'team/contacts.html': '<h1>Contacts</h1><p>The plumber is called Rossi.</p>',
};

describe('a source that the server reads', () => {
  let kit: Sync;
  beforeAll(async () => {
    kit = await startSync();
  }, 120_000);
  afterAll(() => kit.stop());

  let folder: string;
  beforeEach(async () => {
    folder = `f${newId().slice(-12)}`;
    await mkdir(join(kit.root, folder));
  });
  const write = (files: Record<string, string | Buffer | null>) =>
    kit.write(Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content])));
  const source = (more: { everyMinutes?: number } = {}) => kit.source({ folder: `shared/${folder}`, ...more });
  const names = async (collection: string) => (await kit.state(collection)).map(({ name }) => name);

  it('has what the folder has, without hidden files and links, and says what is no document', async () => {
    const made = await source();
    await write({ ...HANDBOOK, ...BROKEN, '.git/config': 'hidden', 'team/.notes.md': 'hidden' });
    await kit.write({ 'outside.md': 'Nobody may read this.' });
    await symlink(join(kit.root, 'outside.md'), join(kit.root, folder, 'link.md'));
    await symlink(kit.root, join(kit.root, folder, 'loop'));
    const run = await kit.read(made);
    expect(run).toMatchObject({ status: 'SUCCEEDED', failures: 6, progress: 1 });
    expect(sourceSync.outputOf(run)).toEqual({ ingested: 7, failed: 6, gone: 0 });
    const fresh = await kit.collection();
    await kit.ingestFiles(fresh.name, await kit.written(folder));
    expect(await kit.state(made.collection)).toEqual(await kit.state(fresh.name));
    expect(await names(made.collection)).toEqual(Object.keys(HANDBOOK).sort());
    const { counts, failures, row } = await kit.told(made);
    expect(counts).toEqual({ in: 3, failed: 4, empty: 2 });
    expect(failures.filter(({ path }) => !(path in BROKEN))).toMatchObject([
      { path: 'link.md', reason: 'A symbolic link is not followed.' },
      { path: 'loop', reason: 'A symbolic link is not followed.' },
    ]);
    expect(row).toMatchObject({ runId: run.id, isOpen: false, nextSyncAt: null });

    const before = await kit.ingestions();
    expect(sourceSync.outputOf(await kit.read(made))).toEqual({ ingested: 0, failed: 6, gone: 0 });
    expect(await kit.ingestions()).toBe(before);
  });

  it('follows what is changed, moved and removed', async () => {
    const made = await source();
    await write(HANDBOOK);
    await kit.read(made);
    await write({ 'safety.md': 'The roof is closed in rain.', 'team/contacts.html': null, 'new/page.md': 'New.' });
    await rename(join(kit.root, folder, 'team/rota.txt'), join(kit.root, folder, 'rota.txt'));
    expect(sourceSync.outputOf(await kit.read(made))).toEqual({ ingested: 3, failed: 0, gone: 2 });
    const fresh = await kit.collection();
    await kit.ingestFiles(fresh.name, await kit.written(folder));
    expect(await kit.state(made.collection)).toEqual(await kit.state(fresh.name));
  });

  it('loses nothing where the folder is empty, away, or can’t be read in part', async () => {
    const made = await source();
    await write(HANDBOOK);
    await kit.read(made);
    const before = await kit.state(made.collection);
    const place = join(kit.root, folder);

    await rename(place, `${place}-away`);
    expect(await kit.read(made)).toMatchObject({
      status: 'FAILED',
      errorCode: 'STORAGE_FAILED',
      errorMessage: expect.stringContaining('can’t be read (ENOENT). Nothing was changed.'),
    });
    await mkdir(place);
    expect(await kit.read(made)).toMatchObject({
      status: 'FAILED',
      errorCode: 'CONFLICT',
      errorMessage: expect.stringContaining('3 of the source’s 3 documents would go'),
    });
    const state = await kit.ask(`query ($name: String!) { source(name: $name) { state lastRun { error { code } } } }`, {
      name: made.name,
    });
    expect(state.data).toEqual({ source: { state: 'FAILED', lastRun: { error: { code: 'CONFLICT' } } } });
    await rm(place, { recursive: true });
    await rename(`${place}-away`, place);
    // Whoever runs as root may read everything.
    if (process.getuid?.() !== 0) {
      await chmod(join(place, 'team'), 0);
      expect(await kit.read(made)).toMatchObject({ status: 'FAILED', errorCode: 'STORAGE_FAILED' });
      await chmod(join(place, 'team'), 0o755);
    }
    expect(await kit.state(made.collection)).toEqual(before);
    expect(sourceSync.outputOf(await kit.read(made))).toEqual({ ingested: 0, failed: 0, gone: 0 });

    await rm(place, { recursive: true });
    await mkdir(place);
    expect(await kit.read(made, { acceptLoss: true })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await names(made.collection)).toEqual([]);
  });

  it('is in a folder that the operator allows, and no other', async () => {
    const { name: collection } = await kit.collection();
    const make = (place: string) =>
      kit.sync.create(kit.workspaceId, {
        name: `s${newId().slice(-12)}`,
        collection,
        kind: 'FOLDER',
        labelled: false,
        folder: place,
      });
    await symlink('/etc', join(kit.root, folder, 'etc'));
    await writeFile(join(kit.root, folder, 'file'), '');
    const refused = [
      '',
      'other',
      '/etc',
      'shared/../etc',
      `shared/${folder}/etc`,
      'constructor',
      `shared/${folder}/file`,
    ];
    for (const place of [...refused, `shared/${folder}/.hidden`, `shared//${folder}`, 'shared/\0'])
      await expect(make(place)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.folder' });
    await expect(make('shared/nowhere')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await make(`shared/${folder}`)).toMatchObject({ kind: 'FOLDER' });
  });

  it('is read by itself when it is due, once however many gateways look, and one run at a time', async () => {
    const made = await source({ everyMinutes: 60 });
    await write(HANDBOOK);
    const look = () => kit.chore.work(new AbortController().signal);
    await Promise.all([look(), look(), look()]);
    const runsOf = () =>
      kit.database.prisma.run.findMany({ where: { kind: 'SOURCE_SYNC', subjectId: made.collectionId } });
    const [run, ...more] = await runsOf();
    expect(more).toEqual([]);
    await kit.finished(run!);
    expect(await names(made.collection)).toHaveLength(3);
    const { nextSyncAt } = await kit.sources.require(kit.workspaceId, made.name);
    expect(nextSyncAt!.getTime() - Date.now()).toBeGreaterThan(50 * 60_000);
    await look();
    expect(await runsOf()).toHaveLength(1);

    await kit.database.prisma.source.update({ where: { id: made.id }, data: { nextSyncAt: new Date() } });
    await look();
    const row = await kit.sources.require(kit.workspaceId, made.name);
    const byHand = kit.sync.startFolder(row, { acceptLoss: false, idempotencyKey: newId() });
    const second = await eventually('the second run to begin', async () => (await runsOf())[1] ?? null);
    // It may have ended by then.
    await byHand.catch((error: unknown) => expect(error).toMatchObject({ code: 'CONFLICT' }));
    expect(await kit.finished(second)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is asked for once by a key, whichever answer was lost', async () => {
    const made = await source();
    const row = await kit.sources.require(kit.workspaceId, made.name);
    const idempotencyKey = newId();
    const run = await kit.sync.startFolder(row, { acceptLoss: false, idempotencyKey });
    await kit.finished(run);
    await kit.read(made);
    expect((await kit.sync.startFolder(row, { acceptLoss: false, idempotencyKey })).id).toBe(run.id);
    await expect(kit.sync.startFolder(row, { acceptLoss: true, idempotencyKey })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });
});
