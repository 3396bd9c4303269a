import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { MeasurementStore } from '../../../src/platform/worker/index.js';

describe('what was measured at earlier starts', () => {
  let folder: string;
  let file: string;
  const opened = () => new MeasurementStore(file, z.number());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-measurements-'));
    file = join(folder, 'figures.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is there at the next start', async () => {
    await opened().set('a', 1);
    await opened().set('b', 2);
    expect(await opened().all()).toEqual({ a: 1, b: 2 });
    expect(await readdir(folder)).toEqual(['figures.json']);
  });

  it.each(['', '{"a": 1, "b', 'null', '[1]', '{"a": "1"}'])(
    'is nothing where the file can’t be read: %j',
    async (text) => {
      await writeFile(file, text);
      expect(await opened().get('a')).toBeNull();
      await opened().set('a', 2);
      expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ a: 2 });
    },
  );

  it('leaves nothing half-written where it can’t be kept', async () => {
    await mkdir(join(file, 'in the way'), { recursive: true });
    await expect(opened().set('a', 1)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['figures.json']);
  });
});
