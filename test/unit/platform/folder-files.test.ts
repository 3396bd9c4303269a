import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/hashing.js';
import { filesBelow, listedFile, openWithin } from '../../../src/platform/folder-files.js';

describe('the files of a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'graft-folder-')));
    await mkdir(join(folder, 'in/deeper'), { recursive: true });
    await writeFile(join(folder, 'in/deeper/a.txt'), 'a');
    await writeFile(join(folder, 'b.txt'), 'bb');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are all below it, by path, without hidden ones; links and pipes have a reason', async () => {
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, '.git/config'), '');
    await writeFile(join(folder, 'in/.hidden'), '');
    await symlink('/etc', join(folder, 'etc'));
    await symlink(join(folder, 'b.txt'), join(folder, 'in/link.txt'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const files = await filesBelow(folder, { limit: 10 });
    expect(files.map(({ path, bytes, problem }) => [path, problem === null ? bytes : problem])).toEqual([
      ['b.txt', 2],
      ['etc', 'A symbolic link is not followed.'],
      ['in/deeper/a.txt', 1],
      ['in/link.txt', 'A symbolic link is not followed.'],
      ['pipe', 'It is no regular file.'],
    ]);
  });

  it('are no more than may be, and all or none of them are listed', async () => {
    await expect(filesBelow(folder, { limit: 1 })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(filesBelow(join(folder, 'away'), { limit: 1 })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: 'The folder . can’t be read (ENOENT).',
    });
    await expect(filesBelow(folder, { limit: 9, signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it('are opened within it only, also where a folder on the way became a link', async () => {
    const file = { path: 'in/deeper/a.txt', bytes: 1, modifiedAt: new Date(0), problem: null };
    expect(await listedFile(folder, file, 10)).toMatchObject({ path: file.path, sha256: sha256('a') });
    expect(await listedFile(folder, { ...file, bytes: 11 }, 10)).not.toHaveProperty('sha256');
    await rm(join(folder, 'in/deeper'), { recursive: true });
    await symlink('/etc', join(folder, 'in/deeper'));
    expect(await listedFile(folder, { ...file, path: 'in/deeper/passwd' }, 10)).toMatchObject({
      unreadable: 'It does not lie in the folder.',
    });
    await expect(openWithin(folder, 'in/deeper/passwd')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(openWithin(folder, '../../etc/passwd')).rejects.toThrow();
    await symlink(join(folder, 'b.txt'), join(folder, 'c.txt'));
    await expect(openWithin(folder, 'c.txt')).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(openWithin(folder, 'in')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
