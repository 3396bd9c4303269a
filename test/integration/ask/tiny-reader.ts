import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { AdapterUsage } from '../../../src/sources/registry/index.js';
import type { AdapterMetrics } from '../../../src/sources/registry/adapters/adapter.js';
import type { writeTinyModel } from '../../support/tiny-model.js';
import { TINY_LORA, writePeft } from '../../support/tiny-peft.js';
import type { Answering } from './answering.js';

const USAGE: AdapterUsage = { v: 1, rendering: 1, labels: [], languages: null, reads: true, answer: { form: 'text' } };

/** An adapter of the tiny model, registered as one of the default model that it stands in for. */
export async function addReader(
  { adapters, variant, workspaceId, files }: Answering,
  { folder, tiny, seed }: { folder: string; tiny: ReturnType<typeof writeTinyModel>; seed?: number },
  name: string,
  {
    usage = {},
    task = 'QUESTION_ANSWERING',
    datasetVersionId = null,
    metrics = {},
  }: {
    usage?: Partial<AdapterUsage>;
    task?: string;
    datasetVersionId?: string | null;
    metrics?: AdapterMetrics;
  } = {},
): Promise<void> {
  const made = await writePeft(mkdtempSync(join(folder, 'peft-')), tiny, { seed: seed ?? name.length });
  const store = (file: string, content: Buffer) =>
    files.store(workspaceId, {
      name: file,
      mediaType: 'application/octet-stream',
      source: Readable.from([content]),
      maxBytes: 1e9,
    });
  const [weights, config, gguf] = [
    await store('weights', made.weights),
    await store('config', made.config),
    await store('gguf', made.gguf),
  ];
  const { rank, alpha, targets } = TINY_LORA;
  await adapters.add(
    workspaceId,
    { name, task, modelId: variant.modelId, description: '' },
    {
      digest: sha256(made.weights),
      weightsFileId: weights.id,
      configFileId: config.id,
      ggufFileId: gguf.id,
      ggufSha256: gguf.sha256,
      bytes: made.weights.length,
      rank,
      alpha,
      targets: [...targets],
      datasetVersionId,
      variantId: variant.variantId,
      usage: { ...USAGE, ...usage },
      origin: 'IMPORTED',
      metrics,
    },
  );
}
