import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isEngineName } from './engine-adapter.js';

const note = z.object({ v: z.literal(1), versionId: z.string() });

/** The folder that gateways and engines share: one folder an adapter, named as engines name it, written once and never changed. */
export class PeftFolders {
  constructor(readonly root: string) {}

  pathOf(name: string): string {
    return join(this.root, name);
  }

  /** Does nothing when it is there: its name says what is in it. Of gateways that write at once one wins. */
  async write(name: string, { config, weights, versionId }: { config: string; weights: string; versionId: string }) {
    const path = this.pathOf(name);
    if (await exists(path)) return;
    const making = join(this.root, `.${name}-${randomUUID()}`);
    await mkdir(making, { recursive: true });
    try {
      await copyFile(weights, join(making, 'adapter_model.safetensors'));
      await writeFile(join(making, 'adapter_config.json'), config);
      await writeFile(join(making, 'graft.json'), JSON.stringify({ v: 1, versionId }));
      await rename(making, path);
    } catch (error) {
      if (!(await exists(path))) throw error;
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  /** The folders that lie here and the versions that they were made of. */
  async all(): Promise<{ name: string; versionId: string }[]> {
    const names = await readdir(this.root).catch(() => []);
    const found = await Promise.all(
      names.filter(isEngineName).map(async (name) => {
        const read = await readFile(join(this.root, name, 'graft.json'), 'utf8').catch(() => '{}');
        const told = note.safeParse(JSON.parse(read));
        return told.success ? [{ name, versionId: told.data.versionId }] : [];
      }),
    );
    return found.flat();
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
