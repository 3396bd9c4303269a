import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { GraftError } from '../../../../src/kernel/errors.js';
import type { ModelFile } from '../../../../src/worker-protocol/index.js';

/** @throws MODEL_FILE_INVALID, MODEL_DIGEST_MISMATCH when the model’s file has changed */
export async function requireDigest({ path, sha256: expected }: ModelFile): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(path)) hash.update(part as Buffer);
  } catch (error) {
    throw new GraftError('MODEL_FILE_INVALID', 'The model’s file can’t be read.', { cause: error });
  }
  if (hash.digest('hex') !== expected)
    throw new GraftError('MODEL_DIGEST_MISMATCH', 'The model’s file is not the one that was registered.');
}
