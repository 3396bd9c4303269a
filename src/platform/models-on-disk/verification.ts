import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { isSha256, type Sha256 } from '../../kernel/hashing.js';

/** What was found out about a file once, valid for as long as its size and time of change stay the same. */
const stampSchema = z.object({ bytes: z.number(), mtimeMs: z.number(), sha256: z.string().refine(isSha256) });

export interface Verified {
  sha256: Sha256;
  bytes: number;
}

export type Verdict = ({ state: 'good' } & Verified) | { state: 'missing' } | { state: 'wrong'; found: string };

const stampPath = (path: string): string => `${path}.verified`;

/**
 * Compares a file with its expected digest, reading it only if it changed since the last time: a start with gigabytes
 * of models is quick. With `expected` null the digest of the first look binds from then on.
 */
export async function verify(path: string, expected: Sha256 | null, bytes: number | null): Promise<Verdict> {
  const entry = await stat(path).catch(() => null);
  if (!entry?.isFile()) return { state: 'missing' };
  if (bytes !== null && entry.size !== bytes)
    return { state: 'wrong', found: `${entry.size} bytes instead of ${bytes}` };
  const stamp = await readStamp(path);
  const unchanged = stamp !== null && stamp.bytes === entry.size && stamp.mtimeMs === entry.mtimeMs;
  const sha256 = unchanged ? stamp.sha256 : await hashFile(path);
  const wanted = expected ?? stamp?.sha256 ?? sha256;
  if (sha256 !== wanted) return { state: 'wrong', found: `SHA-256 ${sha256} instead of ${wanted}` };
  if (!unchanged) await writeStamp(path, { bytes: entry.size, mtimeMs: entry.mtimeMs, sha256 });
  return { state: 'good', sha256, bytes: entry.size };
}

/** The digest that an earlier look at `path` found, even if the file is gone since. */
export const pinned = async (path: string): Promise<Sha256 | null> => (await readStamp(path))?.sha256 ?? null;

/** Gives a verified file its final name, and what was found out about it with it. */
export async function moveVerified(from: string, to: string): Promise<void> {
  await rename(from, to);
  await rename(stampPath(from), stampPath(to)).catch(() => undefined);
}

/** Removes a file and what was found out about it. */
export async function removeVerified(path: string): Promise<void> {
  for (const each of [path, stampPath(path)]) await rm(each, { force: true });
}

async function hashFile(path: string): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex') as Sha256;
}

async function readStamp(path: string): Promise<z.infer<typeof stampSchema> | null> {
  const text = await readFile(stampPath(path), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return stampSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A read-only models folder has no stamps: its files are then verified at every start. */
async function writeStamp(path: string, stamp: z.infer<typeof stampSchema>): Promise<void> {
  await writeFile(stampPath(path), JSON.stringify(stamp)).catch(() => undefined);
}
