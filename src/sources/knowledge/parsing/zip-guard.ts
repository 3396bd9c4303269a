import { promisify } from 'node:util';
import { type Entry, type ZipFile, fromBuffer } from 'yauzl';
import { GraftError } from '../../../kernel/errors.js';

interface ZipLimits {
  entries: number;
  /** Bytes of all entries together once inflated. */
  inflatedBytes: number;
}

export const DOCX_LIMITS: ZipLimits = { entries: 5_000, inflatedBytes: 200 * 1024 * 1024 };

const open = promisify<Buffer, { lazyEntries: boolean }, ZipFile>(fromBuffer as never);

/**
 * Names of the entries of a ZIP that is safe to inflate: every entry is really inflated once and counted, because a
 * bomb lies about its sizes. Costs one pass, about 100 MB/s.
 * @throws DOCUMENT_UNREADABLE when the archive is damaged, PAYLOAD_TOO_LARGE when it exceeds `limits`
 */
export async function checkZip(bytes: Buffer, limits: ZipLimits): Promise<Set<string>> {
  try {
    return await inflateAll(bytes, limits);
  } catch (cause) {
    if (cause instanceof GraftError) throw cause;
    throw new GraftError('DOCUMENT_UNREADABLE', 'The file is a damaged ZIP archive.', { cause });
  }
}

async function inflateAll(bytes: Buffer, limits: ZipLimits): Promise<Set<string>> {
  const zip = await open(bytes, { lazyEntries: true });
  const names = new Set<string>();
  let declared = 0;
  let inflated = 0;
  if (zip.entryCount > limits.entries) throw tooLarge(limits);
  for await (const entry of entries(zip)) {
    names.add(entry.fileName);
    declared += entry.uncompressedSize;
    if (names.size > limits.entries || declared > limits.inflatedBytes) throw tooLarge(limits);
    if (entry.fileName.endsWith('/')) continue;
    const stream = await promisify(zip.openReadStream.bind(zip) as OpenStream)(entry);
    // yauzl itself fails a stream that yields more than its entry declares.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      inflated += chunk.length;
      if (inflated > limits.inflatedBytes) throw tooLarge(limits);
    }
  }
  return names;
}

type OpenStream = (entry: Entry, done: (error: Error | null, stream: NodeJS.ReadableStream) => void) => void;

async function* entries(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | null>((resolve, reject) => {
      zip
        .once('entry', resolve)
        .once('end', () => resolve(null))
        .once('error', reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === null) return;
    yield entry;
  }
}

const tooLarge = (limits: ZipLimits): GraftError =>
  new GraftError(
    'PAYLOAD_TOO_LARGE',
    `The archive inflates to more than ${limits.inflatedBytes / 1024 / 1024} MiB or holds more than ${limits.entries} entries.`,
    { hint: 'Remove pictures and embedded objects, or split the document.' },
  );
