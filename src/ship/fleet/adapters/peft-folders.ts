import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isEngineName } from './engine-adapter.js';

const note = z.object({ v: z.literal(1), versionId: z.string() });

/** A note for each version, so that gateways that write at once lose none. */
const isNote = (file: string): boolean => /^graft(\.[^.]+)?\.json$/.test(file);

/**
 * The folder that gateways and engines share: one folder an adapter, named as engines name it, whose files are written once and never changed.
 * Versions with the same weights at the same scale have one, of all workspaces.
 */
export class PeftFolders {
  constructor(readonly root: string) {}

  pathOf(name: string): string {
    return join(this.root, name);
  }

  /** Only notes the version when it is there: its name says what is in it. Of gateways that write at once one wins. */
  async write(name: string, files: { config: string; weights: string; versionId: string }): Promise<void> {
    const path = this.pathOf(name);
    if (!(await exists(path))) await this.#make(name, files);
    const { versionId } = files;
    if ((await versionsOf(path)).includes(versionId)) return;
    const temporaryPath = join(path, `.${randomUUID()}`);
    await writeFile(temporaryPath, noteOf(versionId));
    await rename(temporaryPath, join(path, `graft.${versionId}.json`));
  }

  async #make(
    name: string,
    { config, weights, versionId }: { config: string; weights: string; versionId: string },
  ): Promise<void> {
    const path = this.pathOf(name);
    const making = join(this.root, `.${name}-${randomUUID()}`);
    await mkdir(making, { recursive: true });
    try {
      await copyFile(weights, join(making, 'adapter_model.safetensors'));
      await writeFile(join(making, 'adapter_config.json'), config);
      await writeFile(join(making, 'graft.json'), noteOf(versionId));
      await rename(making, path);
    } catch (error) {
      if (!(await exists(path))) throw error;
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  /** The folders that lie here and the versions that they were made of. */
  async all(): Promise<{ name: string; versionIds: string[] }[]> {
    const names = await readdir(this.root).catch(() => []);
    const folders = await Promise.all(
      names.filter(isEngineName).map(async (name) => ({ name, versionIds: await versionsOf(this.pathOf(name)) })),
    );
    return folders.filter(({ versionIds }) => versionIds.length > 0);
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { recursive: true, force: true });
  }
}

const noteOf = (versionId: string): string => JSON.stringify({ v: 1, versionId });

async function versionsOf(path: string): Promise<string[]> {
  const files = await readdir(path).catch(() => []);
  const read = await Promise.all(
    files.filter(isNote).map((file) => readFile(join(path, file), 'utf8').catch(() => '{}')),
  );
  return read.flatMap((text) => {
    const result = note.safeParse(JSON.parse(text));
    return result.success ? [result.data.versionId] : [];
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
