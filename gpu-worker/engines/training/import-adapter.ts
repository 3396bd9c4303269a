import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftError } from '../../../src/kernel/errors.js';
import { hashFile } from '../../../src/kernel/hash-file.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { ImportAdapterInput, ImportAdapterOutput } from '../../../src/worker-protocol/index.js';
import { readGgufHeader } from '../../formats/gguf/header.js';
import { decodePeftAdapter } from '../../formats/peft/peft-adapter.js';
import { extractPeft, PEFT_FILES } from '../../formats/peft/peft-archive.js';
import { readVerified } from '../inference/adapter-file.js';
import { requireShapes, toGgufLora } from './model/adapter-files.js';
import { TARGETS } from './model/adapter-layout.js';
import { decoderConfig } from './model/config.js';
import { requireBase } from './model/require-base.js';
import { requireDigest } from './model/require-digest.js';

/**
 * Checks that an adapter that was trained elsewhere fits a model in each module, and writes the form that is served.
 * @throws ADAPTER_TOO_LARGE, ADAPTER_PICKLED, ADAPTER_DAMAGED, ADAPTER_INVALID, ADAPTER_KIND_UNSUPPORTED, ADAPTER_TARGET_UNSUPPORTED,
 * ADAPTER_RANK_MISMATCH, ADAPTER_SHAPE_MISMATCH, ADAPTER_NOT_FINITE, ADAPTER_WRONG_BASE, ADAPTER_DIGEST_MISMATCH, MODEL_DIGEST_MISMATCH,
 * ADAPTER_ARCHIVE_UNSAFE
 */
export async function importAdapter({ model, adapter, folder }: ImportAdapterInput): Promise<ImportAdapterOutput> {
  await requireDigest(model);
  const unpacked = 'archive' in adapter ? await unpack(adapter.archive, folder) : null;
  const files = 'archive' in adapter ? unpacked! : adapter;
  for (const member of ['config', 'weights'] as const)
    await requireSmaller(files[member].path, PEFT_FILES[member].most, PEFT_FILES[member].name);
  const config = decoderConfig(readGgufHeader(model.path));
  const peft = decodePeftAdapter(await readVerified(files.config), await readVerified(files.weights), (places) => {
    requireBase(places, model.sha256, config);
    requireShapes(places.pairs, config);
  });
  const targets = TARGETS.filter((target) => peft.pairs.some((pair) => pair.target === target));
  const gguf = toGgufLora(peft, config);
  const path = join(folder, 'adapter.gguf');
  await writeFile(path, gguf);
  return {
    rank: peft.rank,
    alpha: peft.alpha,
    targets,
    baseModel: peft.baseModel,
    gguf: { path, sha256: sha256(gguf) },
    unpacked,
  };
}

async function requireSmaller(path: string, limit: number, name: string): Promise<void> {
  const { size } = await stat(path);
  if (size > limit) throw new GraftError('ADAPTER_TOO_LARGE', `${name} has ${size} bytes; at most ${limit} are read.`);
}

/** The files of an archive, each with the digest of what was written. */
async function unpack(
  archive: { path: string; sha256: string },
  folder: string,
): Promise<NonNullable<ImportAdapterOutput['unpacked']>> {
  await requireDigestOf(archive);
  const { config, weights, notes } = await extractPeft(archive.path, folder);
  const fileOf = async (path: string) => ({ path, sha256: await hashFile(path) });
  return {
    config: await fileOf(config),
    weights: await fileOf(weights),
    notes: notes === null ? null : await fileOf(notes),
  };
}

async function requireDigestOf({ path, sha256: expected }: { path: string; sha256: string }): Promise<void> {
  if ((await hashFile(path)) !== expected)
    throw new GraftError('ADAPTER_DIGEST_MISMATCH', 'The archive is not the one that was uploaded.');
}
