import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Sha256 } from './hashing.js';

const PART_BYTES = 1024 ** 2;

/** The digest of a file's content, read in parts. @throws what the file system says, e.g. ENOENT */
export async function hashFile(path: string): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, { highWaterMark: PART_BYTES })) hash.update(part as Buffer);
  return hash.digest('hex') as Sha256;
}
