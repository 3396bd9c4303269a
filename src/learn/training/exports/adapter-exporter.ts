import { text } from 'node:stream/consumers';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import {
  scaledConfig,
  storedUsage,
  type AdapterRegistry,
  type AdapterVersionRow,
  type ModelRegistry,
} from '../../../sources/registry/index.js';
import type { TaskKind } from '../../../sources/data/index.js';
import { encodeNotes } from './adapter-notes.js';
import { adapterExport, type AdapterExportContext } from './export-run.js';
import { zipOf } from './zip-of.js';

interface AdapterExporterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'variant'>;
  adapters: AdapterRegistry;
  files: FileService;
  artifacts: ArtifactStore;
}

export interface NamedVersion {
  adapter: string;
  version: number;
  idempotencyKey: string;
}

/** Packs adapter versions so that Python's `peft` loads them, and Graft takes them in again. */
export class AdapterExporter {
  constructor(private readonly parts: AdapterExporterParts) {}

  /** @returns the ADAPTER_EXPORT run @throws NOT_FOUND, IDEMPOTENCY_CONFLICT */
  async start(workspaceId: WorkspaceId, { adapter, version, idempotencyKey }: NamedVersion): Promise<RunRow> {
    const { id } = await this.parts.adapters.requireVersion(workspaceId, adapter, version);
    const input = { adapterVersionId: id };
    return this.parts.runs.enqueue(adapterExport, { workspaceId, idempotencyKey, subjectId: id, input });
  }

  /**
   * The work of an ADAPTER_EXPORT run. The same version always gives the same bytes.
   * @throws NOT_FOUND, STORAGE_FAILED, STORAGE_UNAVAILABLE when a file is lost, damaged or elsewhere
   */
  async export({ run, input, fenced }: AdapterExportContext): Promise<{ fileId: string }> {
    const { adapters, files, artifacts } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { version, adapter } = await adapters.requireVersionById(workspaceId, input.adapterVersionId);
    const content = async (id: string) => {
      const { bytes, content: read } = await files.open(workspaceId, id);
      return { bytes: Number(bytes), read };
    };
    const source = zipOf([
      { name: 'adapter_config.json', content: await this.#config(workspaceId, version) },
      { name: 'adapter_model.safetensors', ...(await content(version.weightsFileId)) },
      { name: 'graft.json', content: await this.#notes(workspaceId, adapter, version) },
    ]);
    const staged = await artifacts.stage(source, { maxBytes: Number.MAX_SAFE_INTEGER });
    try {
      const name = `${adapter.name}-v${version.version}.zip`;
      const file = await fenced((tx) => files.adopt(tx, workspaceId, { name, mediaType: 'application/zip' }, staged));
      return { fileId: file.id };
    } finally {
      await staged.discard();
    }
  }

  /** With the scale in its alpha, so that whatever loads the archive acts as the version that was proven. */
  async #config(workspaceId: WorkspaceId, { configFileId, scale }: AdapterVersionRow): Promise<Buffer> {
    const { content } = await this.parts.files.open(workspaceId, configFileId);
    return Buffer.from(scaledConfig(await text(await content()), scale));
  }

  async #notes(
    workspaceId: WorkspaceId,
    { name, task }: { name: string; task: string },
    version: AdapterVersionRow,
  ): Promise<Buffer> {
    const { model, quantization, sha256 } = await this.parts.registry.variant(workspaceId, version.variantId);
    return encodeNotes({
      format: 1,
      adapter: name,
      version: version.version,
      task: task as TaskKind,
      scale: 1,
      base: { model, quantization, sha256 },
      usage: storedUsage.decode(version.usage),
      recipe: version.recipe,
    });
  }
}
