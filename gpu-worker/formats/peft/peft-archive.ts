import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import type { ErrorCode } from '../../../src/kernel/error-codes.js';
import { GraftError } from '../../../src/kernel/errors.js';

/** What is taken from an archive, and how many bytes each may have. A LoRA of rank 256 on all layers of a 7B model has 1.3 GB. */
export const PEFT_FILES = {
  config: { name: 'adapter_config.json', most: 1024 ** 2 },
  weights: { name: 'adapter_model.safetensors', most: 1.5 * 1024 ** 3 },
  /** What Graft adds when it exports one of its own: how the adapter must be asked. */
  notes: { name: 'graft.json', most: 1024 ** 2 },
} as const;
type Member = keyof typeof PEFT_FILES;

/** `save_pretrained` writes three files; with a tokenizer and a card there are some twenty. */
const MOST_ENTRIES = 200;
/** Weights hardly shrink at all, a configuration to a tenth: what inflates more was made to. */
const MOST_RATIO = 100;
const SMALL_BYTES = 64 * 1024;
/** The upper half of the attributes is the mode of Unix, where the archive was made there. */
const SYMBOLIC_LINK = 0o120000;
const KIND_OF_FILE = 0o170000;

const refused = (code: ErrorCode, fault: string, cause?: unknown): GraftError =>
  new GraftError(code, `The archive can’t be used: ${fault}.`, { cause });

/**
 * Takes the files of one PEFT adapter out of a ZIP archive and writes them into a folder under names of our own; whatever else the archive
 * holds is neither inflated nor written.
 * @returns where they are; `notes` is null where the archive has none
 * @throws ADAPTER_ARCHIVE_UNSAFE for entries that point out of the archive, links, encrypted or doubled ones, ADAPTER_TOO_LARGE for too
 * many, too large or absurdly compressed ones, ADAPTER_PICKLED where only a pickle holds the weights, ADAPTER_INVALID where a file is
 * missing or there are several adapters, ADAPTER_DAMAGED where the archive can't be read
 */
export async function extractPeft(
  archive: string,
  folder: string,
): Promise<Record<'config' | 'weights', string> & { notes: string | null }> {
  let zip: ZipFile;
  try {
    zip = await openPromise(archive, { lazyEntries: true, autoClose: false, strictFileNames: true });
  } catch (error) {
    throw refused('ADAPTER_DAMAGED', 'it is no ZIP archive, or cut short', error);
  }
  try {
    const members = await membersOf(zip);
    const [config, weights] = [
      await extract(zip, 'config', members.config, folder),
      await extract(zip, 'weights', members.weights, folder),
    ];
    const notes = members.notes === undefined ? null : await extract(zip, 'notes', members.notes, folder);
    return { config, weights, notes };
  } finally {
    zip.close();
  }
}

type Members = Record<'config' | 'weights', Entry> & { notes: Entry | undefined };

/** The entries that are wanted, after a look at all of them. */
async function membersOf(zip: ZipFile): Promise<Members> {
  if (zip.entryCount > MOST_ENTRIES)
    throw refused('ADAPTER_TOO_LARGE', `it has ${zip.entryCount} entries, at most ${MOST_ENTRIES} are read`);
  const entries = new Map<Member, Entry>();
  let pickled = false;
  try {
    for await (const entry of zip.eachEntry()) {
      requireHarmless(entry);
      const name = entry.fileName.split('/').at(-1)!;
      pickled ||= name === 'adapter_model.bin';
      const member = (Object.keys(PEFT_FILES) as Member[]).find((candidate) => PEFT_FILES[candidate].name === name);
      if (member === undefined) continue;
      const earlier = entries.get(member);
      if (earlier?.fileName === entry.fileName)
        throw refused('ADAPTER_ARCHIVE_UNSAFE', `it holds ${JSON.stringify(entry.fileName)} twice`);
      if (earlier !== undefined) throw refused('ADAPTER_INVALID', `it holds several adapters: ${name} is there twice`);
      entries.set(member, entry);
    }
  } catch (error) {
    throw error instanceof GraftError ? error : directoryFault(error as Error);
  }
  const [config, weights] = [entries.get('config'), entries.get('weights')];
  if (weights === undefined && pickled)
    throw refused('ADAPTER_PICKLED', 'its weights are a Python pickle, not safetensors');
  if (config === undefined || weights === undefined)
    throw refused('ADAPTER_INVALID', `it lacks ${PEFT_FILES[config === undefined ? 'config' : 'weights'].name}`);
  return { config, weights, notes: entries.get('notes') };
}

/** yauzl itself refuses names that are absolute, lead upwards or have backslashes. */
const directoryFault = (error: Error): GraftError =>
  /absolute path|relative path|invalid characters/.test(error.message)
    ? refused('ADAPTER_ARCHIVE_UNSAFE', 'an entry points out of it', error)
    : refused('ADAPTER_DAMAGED', 'its directory is damaged', error);

function requireHarmless(entry: Entry): void {
  const name = JSON.stringify(entry.fileName.slice(0, 80));
  if (((entry.externalFileAttributes >>> 16) & KIND_OF_FILE) === SYMBOLIC_LINK)
    throw refused('ADAPTER_ARCHIVE_UNSAFE', `${name} is a link`);
  if (entry.isEncrypted()) throw refused('ADAPTER_ARCHIVE_UNSAFE', `${name} is encrypted`);
}

async function extract(zip: ZipFile, member: Member, entry: Entry, folder: string): Promise<string> {
  const { name, most } = PEFT_FILES[member];
  const { compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > most)
    throw refused('ADAPTER_TOO_LARGE', `${name} has ${uncompressedSize} bytes, at most ${most} are read`);
  if (uncompressedSize > Math.max(SMALL_BYTES, MOST_RATIO * compressedSize))
    throw refused('ADAPTER_TOO_LARGE', `${name} inflates to more than ${MOST_RATIO} times its size`);
  const path = join(folder, name);
  try {
    // yauzl fails a stream that yields another number of bytes than its entry declares, and leaves the check sum to whoever reads.
    let sum = 0;
    async function* summed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const part of source) {
        sum = crc32(part, sum);
        yield part;
      }
    }
    await pipeline(await zip.openReadStreamPromise(entry), summed, createWriteStream(path, { mode: 0o600 }));
    if (sum !== entry.crc32) throw new Error('its check sum differs');
  } catch (error) {
    await rm(path, { force: true });
    throw refused('ADAPTER_DAMAGED', `${name} can’t be unpacked`, error);
  }
  return path;
}
