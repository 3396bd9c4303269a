import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';

/** A member of an archive: its content, or how to read it and how many bytes that gives. */
type ZipMember = { name: string } & ({ content: Buffer } | { bytes: number; read: () => Promise<Readable> });

/** Every member has this date, so that the same members are the same bytes. ZIP's calendar begins in 1980. */
const ALWAYS = { mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true } as const;

/**
 * A ZIP archive as it is read; members are read one after the other. They are stored as they are: weights hardly shrink.
 * @throws what reading a member throws
 */
export async function* zipOf(members: readonly ZipMember[]): AsyncGenerator<Buffer> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  for (const member of members)
    if ('content' in member) zip.addBuffer(member.content, member.name, { ...ALWAYS, compress: false });
    else
      zip.addReadStreamLazy(member.name, { ...ALWAYS, compress: false, size: member.bytes }, (callback) => {
        member.read().then(
          (stream) => callback(null, stream),
          (error: unknown) => output.destroy(error as Error),
        );
      });
  zip.end();
  for await (const part of output) yield part as Buffer;
}
