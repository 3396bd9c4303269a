import { readFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { asSystem } from '../../../platform/database/index.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { AdapterRegistry, AdapterRow, AdapterVersionRow } from '../../../sources/registry/index.js';
import type { AdapterFile } from '../../../worker-protocol/index.js';
import { configForEngines, engineName, type EngineAdapter } from './engine-adapter.js';
import type { PeftFolders } from './peft-folders.js';

export interface ShelfParts {
  adapters: Pick<AdapterRegistry, 'served' | 'store'>;
  files: Pick<FileService, 'localFile'>;
  folders: PeftFolders;
}

/** An adapter version for engines, or why they can't have it. */
type ShelfEntry = { adapter: EngineAdapter; refusal: null } | { adapter: null; refusal: string };

const LOOKED_UP_AGAIN_MS = 60_000;

/** Adapter versions in the form that engines take, made when one is first wanted. */
export class AdapterShelf {
  readonly #shelved = new LRUCache<string, Promise<ShelfEntry>>({ max: 1_000, ttl: LOOKED_UP_AGAIN_MS });

  constructor(private readonly parts: ShelfParts) {}

  /** The version whose file the worker would apply. @throws what reading its files throws */
  ofFile(workspaceId: WorkspaceId, file: Pick<AdapterFile, 'sha256' | 'scale'>): Promise<ShelfEntry> {
    return this.#once(`${workspaceId} ${file.sha256} ${file.scale}`, async () => {
      const target = await this.parts.adapters.store.versionServing(workspaceId, file);
      return target === null ? { adapter: null, refusal: 'no version has this file' } : this.#shelve(target);
    });
  }

  ofVersion(target: { adapter: AdapterRow; version: AdapterVersionRow }): Promise<ShelfEntry> {
    const { workspaceId, ggufSha256: sha256, scale } = target.version;
    return this.#once(`${workspaceId} ${sha256} ${scale}`, () => this.#shelve(target));
  }

  /** Those that production names, in all workspaces. */
  production(baseSha256: string): Promise<EngineAdapter[]> {
    return asSystem(() => this.#production(baseSha256));
  }

  async #production(baseSha256: string): Promise<EngineAdapter[]> {
    const targets = await this.parts.adapters.store.inProductionOn(baseSha256);
    const shelved = await Promise.all(targets.map((target) => this.ofVersion(target).catch(() => null)));
    return shelved.flatMap((entry) => entry?.adapter ?? []);
  }

  /** Removes the folders of which all versions are deleted. @returns the names that engines know them by */
  async sweep(): Promise<string[]> {
    const { adapters, folders } = this.parts;
    const entries = await folders.all();
    // Of all workspaces: engines and folders are the installation's.
    const existingIds = await asSystem(() => adapters.store.existing(entries.flatMap(({ versionIds }) => versionIds)));
    const staleNames = entries
      .filter(({ versionIds }) => !versionIds.some((id) => existingIds.has(id)))
      .map(({ name }) => name);
    for (const name of staleNames) await folders.remove(name);
    return staleNames;
  }

  #once(key: string, make: () => Promise<ShelfEntry>): Promise<ShelfEntry> {
    const entry = this.#shelved.get(key);
    if (entry) return entry;
    const making = make();
    this.#shelved.set(key, making);
    making.catch(() => this.#shelved.delete(key));
    return making;
  }

  async #shelve({ adapter: row, version }: { adapter: AdapterRow; version: AdapterVersionRow }): Promise<ShelfEntry> {
    const { adapters, files, folders } = this.parts;
    const workspaceId = version.workspaceId as WorkspaceId;
    const [peft, weights] = await Promise.all([
      files.localFile(workspaceId, version.configFileId),
      files.localFile(workspaceId, version.weightsFileId),
    ]);
    const { config, refusal } = configForEngines(await readFile(peft.path, 'utf8'), version.scale);
    if (refusal !== null) return { adapter: null, refusal };
    const name = engineName(row.name, config, weights.sha256);
    await folders.write(name, { config, weights: weights.path, versionId: version.id });
    const servedAdapter = await adapters.served(workspaceId, row, version);
    return { adapter: { name, path: folders.pathOf(name), workspaceId, served: servedAdapter }, refusal: null };
  }
}
