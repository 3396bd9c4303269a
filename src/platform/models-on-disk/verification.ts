import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hashFile } from '../../kernel/hash-file.js';
import { isSha256, type Sha256 } from '../../kernel/hashing.js';
import type { VerifiedFiles } from '../verified-files.js';

/** What was found out about a file once: its digest then, which binds where no other is known. */
const stampSchema = z.object({
  bytes: z.number(),
  mtimeMs: z.number(),
  sha256: z.string().refine(isSha256),
  /** It was downloaded; left out where somebody put it there, and of files that came before this was noted. */
  fetched: z.boolean().optional(),
});

export interface Verified {
  sha256: Sha256;
  bytes: number;
}

type FileVerdict = ({ state: 'good' } & Verified) | { state: 'missing' } | { state: 'wrong'; found: string };

const stampPath = (path: string): string => `${path}.verified`;

/**
 * Compares a file's content with its expected digest; a process reads a file once for that, unless it changes. With `expected` null
 * the digest of the first look binds from then on.
 * @param content which files this process has read already
 */
export async function verify(
  content: VerifiedFiles,
  path: string,
  expected: Sha256 | null,
  bytes: number | null,
): Promise<FileVerdict> {
  const entry = await stat(path).catch(() => null);
  if (!entry?.isFile()) return { state: 'missing' };
  if (bytes !== null && entry.size !== bytes)
    return { state: 'wrong', found: `${entry.size} bytes instead of ${bytes}` };
  const stamp = await readStamp(path);
  const unchanged = stamp !== null && stamp.bytes === entry.size && stamp.mtimeMs === entry.mtimeMs;
  const sha256 = unchanged && (await content.has(path, stamp.sha256)) ? stamp.sha256 : await hashFile(path);
  const expectedDigest = expected ?? stamp?.sha256 ?? sha256;
  if (sha256 !== expectedDigest) return { state: 'wrong', found: `SHA-256 ${sha256} instead of ${expectedDigest}` };
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

/** Notes of a verified file that it was downloaded. */
export async function noteFetched(path: string): Promise<void> {
  const stamp = await readStamp(path);
  if (stamp !== null) await writeStamp(path, { ...stamp, fetched: true });
}

/** Whether it lies there as it was downloaded. */
export async function wasFetched(path: string): Promise<boolean> {
  const [stamp, entry] = await Promise.all([readStamp(path), stat(path).catch(() => null)]);
  return stamp?.fetched === true && stamp.bytes === entry?.size && stamp.mtimeMs === entry.mtimeMs;
}

/** Removes a file and what was found out about it. */
export async function removeVerified(path: string): Promise<void> {
  for (const file of [path, stampPath(path)]) await rm(file, { force: true });
}

/** Puts a damaged file aside, where nobody takes it for a model. @returns where it is now */
export async function quarantine(path: string): Promise<string> {
  const aside = `${path}.damaged`;
  await rename(path, aside);
  return aside;
}

/** The files below a folder that were verified once, with the digests that were found. */
export async function* verifiedBelow(
  folder: string,
): AsyncGenerator<{ path: string; sha256: Sha256 }, void, undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const suffix = stampPath('');
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith(suffix)) continue;
    const path = join(entry.parentPath, entry.name.slice(0, -suffix.length));
    const sha256 = await pinned(path);
    if (sha256 !== null) yield { path, sha256 };
  }
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
