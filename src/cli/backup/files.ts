import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { BackupFile } from './manifest.js';

/** Text of rows shrinks to a third at the first level; the next ones take twice the time for a few per cent. */
const LEVEL = 1;

/** What passes, counted and hashed. */
class Meter extends Transform {
  readonly #hash = createHash('sha256');
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: (error: null, data: Buffer) => void): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    callback(null, chunk);
  }

  /** Of all that passed; once. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Writes a stream into a file of the backup, compressed, and waits until the disk has it. */
export async function writePacked(
  folder: string,
  path: string,
  source: Readable,
  signal: AbortSignal,
): Promise<BackupFile> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const meter = new Meter();
  await pipeline(source, createGzip({ level: LEVEL }), meter, createWriteStream(target, FILE), { signal });
  return { path, bytes: meter.bytes, sha256: meter.digest() };
}

/** Writes a stream as it is. @returns its size and digest */
export async function writePlain(
  target: string,
  source: Readable,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const meter = new Meter();
  await pipeline(source, meter, createWriteStream(target, FILE), { signal });
  return { bytes: meter.bytes, sha256: meter.digest() };
}

/** Only this user reads it; it is flushed to the disk when it is closed. */
const FILE = { flags: 'wx', mode: 0o600, flush: true } as const;

/** The content of a file that `writePacked` wrote. */
export const readPacked = (folder: string, { path }: BackupFile): Readable => {
  const file = createReadStream(join(folder, path));
  const unpacked = createGunzip();
  file.on('error', (error) => unpacked.destroy(error));
  return file.pipe(unpacked);
};

/** What a file is now; null when it isn't there. */
export async function measured(path: string, signal: AbortSignal): Promise<{ bytes: number; sha256: string } | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
  const meter = new Meter();
  await pipeline(createReadStream(path), meter.resume(), { signal });
  return { bytes: meter.bytes, sha256: meter.digest() };
}
