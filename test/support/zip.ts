import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { ZipFile, type Options } from 'yazl';

/** A ZIP archive of these members, in this order; a name may stand there twice. */
export async function zip(
  members: readonly (readonly [name: string, content: Buffer, options?: Partial<Options>])[],
): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, content, options] of members) archive.addBuffer(content, name, options);
  archive.end();
  return buffer(archive.outputStream);
}

/** What is in an archive, by name. */
export async function unzip(archive: Buffer): Promise<Record<string, Buffer>> {
  const opened = await fromBufferPromise(archive, { lazyEntries: true });
  const members: Record<string, Buffer> = {};
  for await (const entry of opened.eachEntry())
    members[entry.fileName] = await buffer(await opened.openReadStreamPromise(entry));
  return members;
}

/** The archive with one name written in place of another of the same length, wherever it stands: libraries refuse to write such. */
export function renamed(archive: Buffer, from: string, to: string): Buffer {
  const changed = Buffer.from(archive);
  for (let at = changed.indexOf(from); at >= 0; at = changed.indexOf(from, at + 1)) changed.write(to, at);
  return changed;
}
