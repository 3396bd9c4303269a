import { stat } from 'node:fs/promises';
import { basename, relative, resolve, sep } from 'node:path';
import { GraftClientError } from '../client/graft-client.js';

export interface LocalFile {
  path: string;
  bytes: number;
}

/** The files of these paths, each once, so that nothing is sent before all are there. @throws ENOENT and others of stat; GraftClientError for a folder */
export async function filesAt(paths: readonly string[]): Promise<LocalFile[]> {
  const files = new Map<string, LocalFile>();
  for (const path of paths) {
    const found = await stat(path);
    if (found.isDirectory())
      throw new GraftClientError(
        'BAD_USER_INPUT',
        `${path} is a folder.`,
        `Name its files, such as ${path.replace(/\/$/, '')}/*.`,
      );
    files.set(resolve(path), { path, bytes: found.size });
  }
  return [...files.values()];
}

const LONGEST_NAME = 200;

/**
 * The files with the names that documents get: that of the file, and where several have it, its path from here.
 * @throws GraftClientError BAD_USER_INPUT for a name that no document may have
 */
export function namedDocuments<File extends { path: string }>(files: readonly File[]): (File & { name: string })[] {
  const nameOf = (text: string): string => text.replaceAll(sep, '/').normalize('NFC').trim();
  const called = new Map<string, number>();
  for (const { path } of files) {
    const name = nameOf(basename(path));
    called.set(name, (called.get(name) ?? 0) + 1);
  }
  const named = files.map((file) => {
    const name = nameOf(basename(file.path));
    return { ...file, name: called.get(name) === 1 ? name : nameOf(relative('', file.path)) };
  });
  const taken = new Set<string>();
  for (const { path, name } of named) {
    if (name.length > LONGEST_NAME || name === '' || /\p{Cc}/u.test(name) || taken.has(name))
      throw new GraftClientError(
        'BAD_USER_INPUT',
        `${JSON.stringify(name)} can't be the name of a document${taken.has(name) ? ', since another has it' : ''}: ${path}.`,
        `Rename the file: a name has 1 to ${LONGEST_NAME} characters on one line.`,
      );
    taken.add(name);
  }
  return named;
}

/** An upload on stderr, where there are many or it is large: else it is done before anybody wonders. */
export function tellUpload({ path, bytes }: LocalFile, index: number, all: number): void {
  if (all <= 20 && bytes < 10e6) return;
  process.stderr.write(
    `uploading ${index + 1} of ${all}: ${path}${bytes < 1e6 ? '' : `, ${(bytes / 1e6).toFixed(0)} MB`}\n`,
  );
}
