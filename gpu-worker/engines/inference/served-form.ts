import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashFile } from '../../../src/kernel/hash-file.js';
import { newId } from '../../../src/kernel/ids.js';
import { servedType, type ModelFile, type QuantizationType } from '../../../src/worker-protocol/index.js';
import { describeGguf } from '../../formats/gguf/describe.js';
import { errorFields, log } from '../../log.js';
import { quantizeInChild } from '../quantization/in-child.js';

const LONGEST_MS = 10 * 60_000;

/**
 * The file from which a model is served on a processor: its own, or the same weights in a type that is multiplied faster, made once a machine
 * and kept beside it in `served/`. Its digest stays that of the model. A machine where none can be made serves the model's own.
 */
export async function servedForm(file: ModelFile): Promise<string> {
  try {
    const { quantization, bytes } = describeGguf(file.path);
    const type = servedType(quantization, bytes);
    if (type === null) return file.path;
    const target = join(dirname(file.path), 'served', `${file.sha256}.${type}.gguf`);
    return (await isWhole(target)) ? target : await make(file, type, target);
  } catch (error) {
    log('warn', 'the model is served as it lies there, which may be slower', {
      sha256: file.sha256,
      ...errorFields(error),
    });
    return file.path;
  }
}

async function make(model: ModelFile, type: QuantizationType, target: string): Promise<string> {
  const began = performance.now();
  const draft = join(dirname(target), `${newId()}.part`);
  await mkdir(dirname(target), { recursive: true });
  try {
    const signal = AbortSignal.timeout(LONGEST_MS);
    await quantizeInChild({ model, type, target: draft, mayGrow: true }, { signal, progress: () => undefined });
    const digest = await hashFile(draft);
    // Whoever makes it at the same time makes the same bytes.
    await writeFile(stampOf(target), digest);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
  log('info', 'made the form in which the model is served', {
    sha256: model.sha256,
    type,
    ms: Math.round(performance.now() - began),
  });
  return target;
}

const stampOf = (target: string): string => `${target}.sha256`;

/** Whether the file is there with the bytes that it had when it was made. */
async function isWhole(target: string): Promise<boolean> {
  const stamp = await readFile(stampOf(target), 'utf8').catch(() => null);
  return stamp !== null && (await hashFile(target).catch(() => null)) === stamp;
}
