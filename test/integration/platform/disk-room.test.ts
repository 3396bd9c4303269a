import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskRoom } from '../../../src/platform/disk-room.js';
import { itWhen } from '../../support/skip.js';
import { canMount, mountSmallDisk } from '../../support/small-disk.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const mountable = canMount();
const onSmallDisk = itWhen(mountable, 'a small file system can’t be mounted here');

describe('the room where things are kept', () => {
  let folder: TemporaryFolder;
  let unmount: (() => void) | undefined;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    unmount?.();
    unmount = undefined;
    await folder.remove();
  });

  onSmallDisk('is told as full until there is some again, and leaves nothing behind', async () => {
    const disk = join(folder.path, 'disk');
    unmount = mountSmallDisk(disk, 48 * 1024);
    expect(await diskRoom([disk])).toEqual({ ready: true, detail: '48 MiB free' });
    appendFileSync(join(disk, 'filler'), Buffer.alloc(20 * 1024 ** 2));
    expect(await diskRoom([disk])).toEqual({ ready: false, detail: 'full: less than 32 MiB are free' });
    // Also where only somebody else keeps something.
    expect((await diskRoom([folder.path], [disk])).ready).toBe(false);
    rmSync(join(disk, 'filler'));
    expect((await diskRoom([disk], [folder.path])).ready).toBe(true);
    expect(readdirSync(disk)).toEqual([]);
  });

  it('is none where the folder is gone', async () => {
    const gone = join(folder.path, 'gone');
    expect((await diskRoom([gone])).ready).toBe(false);
    expect((await diskRoom([folder.path])).ready).toBe(true);
    mkdirSync(gone);
    expect((await diskRoom([gone])).ready).toBe(true);
  });
});
