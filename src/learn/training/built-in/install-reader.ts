/*
 * The reader: an adapter of the default model that comes with Graft, and answers questions from passages, so that a new installation
 * reads before anybody has trained anything. `npm run reader` makes its files.
 */
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RENDERING_VERSION } from '../../../sources/data/index.js';
import { GraftError } from '../../../kernel/errors.js';
import { sha256 } from '../../../kernel/hashing.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import { packageRoot } from '../../../platform/package-root.js';
import {
  readerCalibration,
  type AdapterRegistry,
  type AdapterUsage,
  type AdapterVersionRow,
  type ModelRegistry,
} from '../../../sources/registry/index.js';
import { shippedProbe, type ShippedProbe } from './shipped-probe.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ name: z.string(), sha256: digest, bytes: z.number().int() });

/** `reader.json`: what the files beside it are, and how they were made. */
const builtInAdapter = z.object({
  v: z.literal(1),
  name: z.string(),
  description: z.string(),
  /** The model file whose weights it was trained against. */
  base: z.object({ model: z.string(), sha256: digest }),
  /** Version of the prompts that it learned. */
  rendering: z.number().int(),
  rank: z.number().int(),
  alpha: z.number(),
  targets: z.array(z.string()),
  files: z.object({ config: file, weights: file, gguf: file }),
  recipe: z.record(z.string(), z.json()),
  /** What it learned from, and what the last step said. */
  metrics: z.record(z.string(), z.number()),
  probe: shippedProbe,
  /** Fitted by `npm run bench -- probability`; the rule was fitted to the default model's reader, which has none. */
  calibration: readerCalibration.optional(),
});
export type BuiltInAdapter = z.infer<typeof builtInAdapter>;

/** How a reader is asked. */
export const READER_USAGE: AdapterUsage = {
  v: 1,
  rendering: RENDERING_VERSION,
  labels: [],
  languages: null,
  language: 'en',
  reads: true,
  readsSentences: true,
  answer: { form: 'text' },
};
export const READER_TASK = 'QUESTION_ANSWERING';

interface ReaderParts {
  registry: Pick<ModelRegistry, 'defaultVariant'>;
  adapters: AdapterRegistry;
  files: FileService;
  /** Where readers lie, a folder a model. */
  folder?: string;
}

interface InstalledReader {
  name: string;
  version: AdapterVersionRow;
  probe: ShippedProbe;
}

/**
 * Adds the reader of the default model to the workspace's adapters, once.
 * @returns its version; null when no reader comes with this model, or it was made for other weights or prompts than are served
 * @throws ADAPTER_INVALID for a `reader.json` that says something else than what one holds, ALREADY_EXISTS when the workspace has another adapter of its
 * name, ADAPTER_DIGEST_MISMATCH, STORAGE_FAILED
 */
export async function installReader(
  { registry, adapters, files, folder = join(packageRoot(), 'readers') }: ReaderParts,
  workspaceId: WorkspaceId,
): Promise<InstalledReader | null> {
  const variant = await registry.defaultVariant(workspaceId);
  const place = join(folder, variant.model);
  if (!existsSync(join(place, 'reader.json'))) return null;
  const reader = await readBuiltIn(join(place, 'reader.json'));
  if (reader.base.sha256 !== variant.sha256 || reader.rendering !== RENDERING_VERSION) return null;
  const { name, description, rank, alpha, targets, recipe, metrics, calibration } = reader;
  const adapter = await adapters.store.byName(workspaceId, name);
  const versions = adapter ? await adapters.store.versionsOf(workspaceId, [adapter.id]) : [];
  const installedVersion = versions.find(({ digest: weights }) => weights === reader.files.weights.sha256);
  if (installedVersion) return { name, version: installedVersion, probe: reader.probe };

  const store = async (part: keyof BuiltInAdapter['files'], mediaType: string) => {
    const { name: fileName, sha256: expected, bytes } = reader.files[part];
    const path = join(place, fileName);
    if (sha256(await readFile(path)) !== expected)
      throw new GraftError('ADAPTER_DIGEST_MISMATCH', `The reader’s ${fileName} is not the file that was shipped.`);
    return files.store(workspaceId, {
      name: `${name}-${fileName}`,
      mediaType,
      source: createReadStream(path),
      maxBytes: bytes,
    });
  };
  const weights = await store('weights', 'application/octet-stream');
  const config = await store('config', 'application/json');
  const gguf = await store('gguf', 'application/octet-stream');
  const version = await adapters.add(
    workspaceId,
    { name, task: READER_TASK, modelId: variant.modelId, description },
    {
      digest: weights.sha256,
      weightsFileId: weights.id,
      configFileId: config.id,
      ggufFileId: gguf.id,
      ggufSha256: gguf.sha256,
      bytes: weights.bytes,
      rank,
      alpha,
      targets,
      recipe,
      metrics,
      variantId: variant.variantId,
      usage: { ...READER_USAGE, rendering: reader.rendering, ...(calibration && { calibration }) },
      origin: 'IMPORTED',
    },
  );
  return { name, version, probe: reader.probe };
}

async function readBuiltIn(path: string): Promise<BuiltInAdapter> {
  try {
    return builtInAdapter.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    throw new GraftError('ADAPTER_INVALID', `${path} does not describe a reader: ${reason}`, {
      hint: 'Install Graft anew, or make the reader again where you made it (`npm run reader`). Without its folder answers are judged by words and vectors alone.',
      cause: error,
    });
  }
}
