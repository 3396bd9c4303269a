import { access, constants, stat } from 'node:fs/promises';
import { basename, relative, resolve, sep } from 'node:path';
import { GraftClientError } from '../client/graft-client.js';
import { UNSEEN } from '../kernel/text.js';

export interface LocalFile {
  path: string;
  bytes: number;
}

/** The files of these paths, each once, so that nothing is sent before all are there and may be read. @throws ENOENT and others of stat and access; GraftClientError for a folder */
export async function filesAt(paths: readonly string[]): Promise<LocalFile[]> {
  const files = new Map<string, LocalFile>();
  for (const path of paths) {
    const stats = await stat(path);
    if (stats.isDirectory())
      throw new GraftClientError(
        'BAD_USER_INPUT',
        `${path} is a folder.`,
        `Name its files, such as ${path.replace(/\/$/, '')}/*.`,
      );
    await access(path, constants.R_OK);
    files.set(resolve(path), { path, bytes: stats.size });
  }
  return [...files.values()];
}

/** The most that the gateway takes: of files for a version of a dataset and in the list of a source, of a document's bytes and of its name's characters. */
export const MOST = { dataFiles: 20, listedFiles: 20_000, documentBytes: 64 * 1024 * 1024, name: 200 } as const;

/** Files for a version of a dataset. @throws as `filesAt`; GraftClientError BAD_USER_INPUT for more than it takes */
export async function dataFilesAt(paths: readonly string[]): Promise<LocalFile[]> {
  const files = await filesAt(paths);
  if (files.length <= MOST.dataFiles) return files;
  throw new GraftClientError(
    'BAD_USER_INPUT',
    `${files.length} files are too many for a version: at most ${MOST.dataFiles} are taken.`,
    'Put them together into fewer.',
  );
}

/**
 * The files with the names that documents get: that of the file, and where several have it, its path from here.
 * @throws GraftClientError BAD_USER_INPUT for a name that no document may have, PAYLOAD_TOO_LARGE for a file that is none
 */
export function namedDocuments<File extends LocalFile>(files: readonly File[]): (File & { name: string })[] {
  const nameOf = (text: string): string => text.replaceAll(sep, '/').normalize('NFC').trim();
  const called = new Map<string, number>();
  for (const { path } of files) {
    const name = nameOf(basename(path));
    called.set(name, (called.get(name) ?? 0) + 1);
  }
  const documents = files.map((file) => {
    const name = nameOf(basename(file.path));
    return { ...file, name: called.get(name) === 1 ? name : nameOf(relative('', file.path)) };
  });
  const usedNames = new Set<string>();
  for (const { path, bytes, name } of documents) {
    if (bytes > MOST.documentBytes)
      throw new GraftClientError(
        'PAYLOAD_TOO_LARGE',
        `${path} has ${bytes} bytes; a document has at most ${MOST.documentBytes}.`,
        'Split it, or leave it out.',
      );
    if (name.length > MOST.name || name === '' || UNSEEN.test(name) || usedNames.has(name))
      throw new GraftClientError(
        'BAD_USER_INPUT',
        `${JSON.stringify(name)} can't be the name of a document${usedNames.has(name) ? ', since another has it' : ''}: ${path}.`,
        `Rename the file: a name has 1 to ${MOST.name} characters on one line.`,
      );
    usedNames.add(name);
  }
  return documents;
}

/** An upload on stderr, where there are many or it is large: else it is done before anybody wonders. */
export function tellUpload({ path, bytes }: LocalFile, index: number, total: number): void {
  if (total <= 20 && bytes < 10e6) return;
  process.stderr.write(
    `uploading ${index + 1} of ${total}: ${path}${bytes < 1e6 ? '' : `, ${(bytes / 1e6).toFixed(0)} MB`}\n`,
  );
}
