import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterShelf, type ShelfParts } from '../../../src/ship/fleet/adapters/adapter-shelf.js';
import { PeftFolders } from '../../../src/ship/fleet/adapters/peft-folders.js';

describe('the folder of an adapter that engines load', () => {
  const root = mkdtempSync(join(tmpdir(), 'graft-shelf-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const paths = { config: join(root, 'config'), weights: join(root, 'weights') };
  writeFileSync(paths.config, JSON.stringify({ r: 8, lora_alpha: 16 }));
  writeFileSync(paths.weights, 'weights');

  let left = new Set<string>();
  const shelf = (): AdapterShelf => {
    const parts = {
      folders: new PeftFolders(join(root, 'folders')),
      files: {
        localFile: (_workspace: string, id: 'config' | 'weights') => Promise.resolve({ path: paths[id], sha256: id }),
      },
      adapters: {
        served: () => Promise.resolve({}),
        store: { existing: (ids: string[]) => Promise.resolve(new Set(ids.filter((id) => left.has(id)))) },
      },
    };
    return new AdapterShelf(parts as unknown as ShelfParts);
  };
  const version = (id: string, workspaceId: string) =>
    ({
      adapter: { name: 'reader' },
      version: { id, workspaceId, ggufSha256: 'gguf', scale: 1, configFileId: 'config', weightsFileId: 'weights' },
    }) as unknown as Parameters<AdapterShelf['ofVersion']>[0];

  it('stays until none of the versions with these weights is left, in whatever workspace and by whichever gateway it was wanted', async () => {
    left = new Set(['a', 'b', 'c']);
    const gateways = [shelf(), shelf()] as const;
    const [one, two, three] = await Promise.all([
      gateways[0].ofVersion(version('a', 'A')),
      gateways[0].ofVersion(version('b', 'B')),
      gateways[1].ofVersion(version('c', 'C')),
    ]);
    const { name, path } = one.adapter!;
    expect([two.adapter!.name, three.adapter!.name]).toEqual([name, name]);
    for (const remaining of [['b', 'c'], ['c']]) {
      left = new Set(remaining);
      expect(await gateways[1].sweep()).toEqual([]);
      expect(await readdir(path)).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors']));
    }
    left = new Set();
    expect(await gateways[0].sweep()).toEqual([name]);
    expect(await readdir(join(root, 'folders'))).toEqual([]);
  });
});
