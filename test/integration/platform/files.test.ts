import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { asSystem, currentScope, inWorkspace } from '../../../src/platform/database/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;

describe('users’ files', () => {
  let database: TestDatabase;
  let folder: string;
  let artifacts: LocalArtifactStore;
  let files: FileService;

  beforeEach(async () => {
    database = await testDatabase();
    folder = await mkdtemp(join(tmpdir(), 'graft-files-'));
    artifacts = new LocalArtifactStore(folder);
    files = new FileService(database, artifacts);
  });
  afterEach(async () => {
    await database.dispose();
    await rm(folder, { recursive: true });
  });

  const store = (content: string, workspaceId = WORKSPACE, over = {}) =>
    files.store(workspaceId, {
      name: 'notes.txt',
      mediaType: 'text/plain',
      source: Readable.from([Buffer.from(content)]),
      maxBytes: 100,
      ...over,
    });
  const filesOnDisk = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

  it('have an id once they are whole, and only in their workspace', async () => {
    const file = await store('hello');
    expect(file).toMatchObject({ name: 'notes.txt', mediaType: 'text/plain', sha256: sha256('hello'), bytes: 5n });
    expect(await files.get(WORKSPACE, file.id)).toEqual(file);
    expect((await artifacts.read(file.sha256)).toString()).toBe('hello');
    for (const [workspace, id] of [
      [freshWorkspace(), file.id],
      [WORKSPACE, newId()],
      [WORKSPACE, '../x'],
    ] as const)
      await expect(files.get(workspace, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are removed by more at once than there are connections, each of which asks who needs its file', async () => {
    const kept = await Promise.all(Array.from({ length: 24 }, (_, n) => store(`file ${n}`)));
    const isNeeded = async () => (await database.pool.query('SELECT 1')).rowCount === 0;
    await Promise.all(kept.map(({ id }) => files.remove(WORKSPACE, id, isNeeded)));
    expect(await database.prisma.storedFile.count()).toBe(0);
  });

  it('leave neither row nor bytes when the upload breaks, is too large or has a bad name', async () => {
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('gone');
    }
    await expect(store('', WORKSPACE, { source: broken() })).rejects.toThrow('gone');
    await expect(store('x'.repeat(101))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(store('x', WORKSPACE, { name: 'a\0b' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await filesOnDisk()).toBe(0);
    expect(await database.prisma.storedFile.count()).toBe(0);
  });

  it('share equal bytes, which go with the last file that has them', async () => {
    const [mine, theirs] = [await store('same'), await store('same', freshWorkspace())];
    expect(await filesOnDisk()).toBe(1);
    await files.remove(WORKSPACE, mine.id);
    await expect(files.get(WORKSPACE, mine.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(await files.local(theirs))).toBe(true);
    await files.remove(theirs.workspaceId as never, theirs.id);
    expect(await filesOnDisk()).toBe(0);
  });

  it('leave bytes that no row names to a collection, which spares young ones and those that are just being named', async () => {
    const kept = await store('kept');
    const { sha256: orphan } = await artifacts.put(Readable.from([Buffer.from('orphan')]), { maxBytes: 100 });
    expect(await files.collectOrphans()).toBe(0);
    for (let round = 0; round < 10; round++) {
      await artifacts.put(Readable.from([Buffer.from(`race ${round}`)]), { maxBytes: 100 });
      const [file] = await Promise.all([store(`race ${round}`), files.collectOrphans(-1)]);
      expect((await artifacts.read(file.sha256)).toString()).toBe(`race ${round}`);
    }
    await files.collectOrphans(-1);
    expect(await artifacts.has(orphan)).toBe(false);
    expect(await artifacts.has(kept.sha256)).toBe(true);
  });

  it('keep their bytes when another workspace has them, and whether one is needed is asked in its workspace', async () => {
    const stranger = freshWorkspace();
    await database.prisma.workspace.create({ data: { id: stranger, name: 'stranger' } });
    const [own, other] = [await store('same'), await store('same', stranger)];
    const asked: unknown[] = [];
    const isNeeded = async () => {
      asked.push(currentScope());
      return false;
    };
    await asSystem(() => files.remove(WORKSPACE, own.id, isNeeded));
    expect(asked).toEqual([WORKSPACE]);
    expect((await artifacts.read(other.sha256)).toString()).toBe('same');
    await inWorkspace(WORKSPACE, () => files.remove(stranger, other.id, isNeeded));
    expect((await files.get(stranger, other.id)).id).toBe(other.id);
    await inWorkspace(stranger, () => files.remove(stranger, other.id));
    expect(await artifacts.has(other.sha256)).toBe(false);
    expect(asked).toEqual([WORKSPACE]);
  });

  it('keep their bytes when one is removed while an equal one is stored', async () => {
    for (let round = 0; round < 10; round++) {
      const old = await store(`round ${round}`);
      const [kept] = await Promise.all([store(`round ${round}`), files.remove(WORKSPACE, old.id)]);
      expect((await artifacts.read(kept.sha256)).toString()).toBe(`round ${round}`);
    }
  });
});
