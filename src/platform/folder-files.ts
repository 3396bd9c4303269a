import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftError } from '../kernel/errors.js';
import type { Sha256 } from '../kernel/hashing.js';

/** What a folder holds beside folders. */
export interface FolderFile {
  /** From the folder, with `/`. */
  path: string;
  bytes: number;
  modifiedAt: Date;
  /** Why it is not read; null where it is a file. */
  problem: string | null;
}

const DEEPEST = 64;

/**
 * All files below a folder, by path. Hidden ones, whose name or folder begins with a dot, are left out; symbolic links are not followed.
 * A folder below that can't be read fails the whole list: its files would seem to be gone.
 * @throws PAYLOAD_TOO_LARGE for more than `limit` files, STORAGE_FAILED for a folder that can't be read
 */
export async function filesBelow(
  folder: string,
  { limit, signal }: { limit: number; signal?: AbortSignal },
): Promise<FolderFile[]> {
  const files: FolderFile[] = [];
  const walk = async (place: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(join(folder, place), { withFileTypes: true }).catch((cause: unknown) => {
      throw new GraftError('STORAGE_FAILED', `The folder ${join('.', place)} can’t be read (${codeOf(cause)}).`, {
        hint: 'Nothing was changed. Let Graft read it, and try again.',
        cause,
      });
    });
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = place === '' ? entry.name : `${place}/${entry.name}`;
      if (entry.isDirectory() && depth < DEEPEST) {
        await walk(path, depth + 1);
        continue;
      }
      const file = await fileAt(folder, path);
      if (file !== null && files.push(file) > limit)
        throw new GraftError('PAYLOAD_TOO_LARGE', `The folder has more than ${limit} files.`, {
          hint: 'Make a source of each of the folders below it.',
        });
    }
  };
  await walk('', 0);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Null where it went meanwhile. */
async function fileAt(folder: string, path: string): Promise<FolderFile | null> {
  try {
    const stat = await lstat(join(folder, path));
    const problem = stat.isSymbolicLink()
      ? 'A symbolic link is not followed.'
      : stat.isFile()
        ? null
        : stat.isDirectory()
          ? `It lies more than ${DEEPEST} folders deep.`
          : 'It is no regular file.';
    return { path, bytes: stat.size, modifiedAt: stat.mtime, problem };
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? null : { path, bytes: 0, modifiedAt: new Date(0), problem: readProblem(error) };
  }
}

/**
 * Opens a file of a folder, which is named by its real path. What a link leads to outside of it is refused, also where a folder on the way
 * has just become one.
 * @throws STORAGE_FAILED, and what the file system says
 */
export async function openWithin(folder: string, path: string): Promise<FileHandle> {
  const file = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const target = await readlink(`/proc/self/fd/${file.fd}`);
    if (target.startsWith(folder.endsWith('/') ? folder : `${folder}/`) && (await file.stat()).isFile()) return file;
    throw new GraftError('STORAGE_FAILED', 'It does not lie in the folder.');
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file as a source lists it: with its digest, unless it is larger than `mostBytes`, or with the reason why it can't be read. */
export async function listedFile(folder: string, { problem, ...file }: FolderFile, mostBytes: number) {
  if (problem !== null) return { ...file, unreadable: problem };
  if (file.bytes > mostBytes) return file;
  try {
    return { ...file, sha256: await digestWithin(folder, file.path) };
  } catch (error) {
    return { ...file, unreadable: readProblem(error) };
  }
}

async function digestWithin(folder: string, path: string): Promise<Sha256> {
  const file = await openWithin(folder, path);
  const hash = createHash('sha256');
  for await (const part of file.createReadStream()) hash.update(part as Buffer);
  return hash.digest('hex') as Sha256;
}

/** Why a file could not be read, in a sentence. */
export const readProblem = (error: unknown): string =>
  error instanceof GraftError ? error.message : `It can’t be read (${codeOf(error)}).`;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown reason';
