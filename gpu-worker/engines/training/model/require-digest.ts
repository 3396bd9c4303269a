import { GraftError } from '../../../../src/kernel/errors.js';
import { hashFile } from '../../../../src/kernel/hash-file.js';
import type { ModelFile } from '../../../../src/worker-protocol/index.js';

/** @throws MODEL_FILE_INVALID, MODEL_DIGEST_MISMATCH when the model’s file has changed */
export async function requireDigest({ path, sha256: expected }: ModelFile): Promise<void> {
  const digest = await hashFile(path).catch((error: unknown) => {
    throw new GraftError('MODEL_FILE_INVALID', 'The model’s file can’t be read.', { cause: error });
  });
  if (digest !== expected)
    throw new GraftError('MODEL_DIGEST_MISMATCH', 'The model’s file is not the one that was registered.');
}
