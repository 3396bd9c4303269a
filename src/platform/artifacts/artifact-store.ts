import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { isSha256, sha256 as digest, type Sha256 } from '../../kernel/hashing.js';
import { VerifiedFiles } from '../verified-files.js';

export interface StoredBytes {
  sha256: Sha256;
  bytes: number;
}

/** Bytes that are on disk under a temporary name: `commit` gives them their final one, `discard` removes them. */
export interface StagedBytes extends StoredBytes {
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** A live upload touches its temporary file all the time; one this old was left by a process that died. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Files named by the SHA-256 of their content: written under a temporary name, fsynced, renamed, verified on read.
 * A reader therefore never sees half a file, and equal content is stored once.
 */
export class ArtifactStore {
  readonly #verified = new VerifiedFiles();
  #swept: Promise<void> | undefined;

  constructor(private readonly folder: string) {}

  /**
   * Stores all bytes of `source`.
   * @throws PAYLOAD_TOO_LARGE beyond `maxBytes`, STORAGE_FAILED when the disk refuses, whatever `source` throws; nothing is kept then
   */
  async put(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StoredBytes> {
    const staged = await this.stage(source, limits);
    await staged.commit();
    return { sha256: staged.sha256, bytes: staged.bytes };
  }

  /** As `put`, but the bytes get their name only at `commit`: for callers that must write a row at the same moment. */
  async stage(source: AsyncIterable<Uint8Array>, { maxBytes }: { maxBytes: number }): Promise<StagedBytes> {
    await (this.#swept ??= this.#sweep());
    const temporary = join(this.#temporaryFolder, `${randomUUID()}.part`);
    const discard = () => rm(temporary, { force: true });
    try {
      const { sha256, bytes } = await this.#write(source, temporary, maxBytes);
      return { sha256, bytes, discard, commit: () => this.#commit(temporary, sha256) };
    } catch (error) {
      await discard();
      throw error;
    }
  }

  /** Where an artifact lies, whether or not it exists: for processes that open it themselves. */
  path(sha256: string): string {
    if (!isSha256(sha256)) throw new GraftError('NOT_FOUND', 'No artifact has this digest.');
    return join(this.folder, sha256.slice(0, 2), sha256);
  }

  async has(sha256: string): Promise<boolean> {
    return stat(this.path(sha256)).then(
      (entry) => entry.isFile(),
      () => false,
    );
  }

  /** @throws NOT_FOUND, STORAGE_FAILED when the content no longer has its digest */
  async read(sha256: string): Promise<Buffer> {
    const content = await readFile(this.path(sha256)).catch((error: unknown) => {
      throw readFailure(error);
    });
    if (digest(content) !== sha256) throw damaged(sha256);
    return content;
  }

  /**
   * A stream of the content that fails with STORAGE_FAILED when the digest is wrong. Its last piece comes once all of them
   * had the digest, so that damaged content never looks whole; act on it only after the stream ended.
   */
  openRead(sha256: string): Readable {
    const hash = createHash('sha256');
    let held: Buffer | null = null;
    const verify = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        if (held !== null) this.push(held);
        held = chunk;
        done();
      },
      flush: (done) => (hash.digest('hex') === sha256 ? done(null, held) : done(damaged(sha256))),
    });
    const file = createReadStream(this.path(sha256));
    file.on('error', (error) => verify.destroy(readFailure(error)));
    verify.on('close', () => file.destroy());
    return file.pipe(verify);
  }

  /**
   * Reads all of an artifact, unless this process did since it last changed.
   * @throws NOT_FOUND, STORAGE_FAILED when the content no longer has its digest
   */
  async verify(sha256: string): Promise<void> {
    const intact = await this.#verified.has(this.path(sha256), sha256).catch((error: unknown) => {
      throw readFailure(error);
    });
    if (!intact) throw damaged(sha256);
  }

  /** Digests of the artifacts that were last written longer ago than this. */
  async *olderThan(ageMs: number): AsyncGenerator<Sha256> {
    const folders = await readdir(this.folder).catch(() => []);
    for (const name of folders.filter((each) => /^[0-9a-f]{2}$/.test(each)))
      for (const sha256 of (await readdir(join(this.folder, name))).filter(isSha256)) {
        const entry = await stat(this.path(sha256)).catch(() => null);
        if (entry && Date.now() - entry.mtimeMs > ageMs) yield sha256;
      }
  }

  /** Removes an artifact; the caller knows that nothing names it any more. */
  async remove(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }

  get #temporaryFolder(): string {
    return join(this.folder, 'tmp');
  }

  async #write(source: AsyncIterable<Uint8Array>, path: string, maxBytes: number): Promise<StoredBytes> {
    const file = await open(path, 'wx', 0o600).catch(storageFailed);
    try {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of source) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes)
          throw new GraftError('PAYLOAD_TOO_LARGE', `The file is larger than the limit of ${maxBytes} bytes.`);
        hash.update(chunk);
        await file.writeFile(chunk).catch(storageFailed);
      }
      await file.sync().catch(storageFailed);
      return { sha256: hash.digest('hex') as Sha256, bytes };
    } finally {
      await file.close();
    }
  }

  /** The rename also replaces a damaged file of the same name by the good bytes just written. */
  async #commit(temporary: string, sha256: Sha256): Promise<void> {
    const target = this.path(sha256);
    const folder = join(target, '..');
    try {
      await mkdir(folder, { recursive: true });
      await rename(temporary, target);
      await syncFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true });
      storageFailed(error);
    }
  }

  async #sweep(): Promise<void> {
    await mkdir(this.#temporaryFolder, { recursive: true }).catch(storageFailed);
    for (const name of await readdir(this.#temporaryFolder)) {
      const path = join(this.#temporaryFolder, name);
      const entry = await stat(path).catch(() => null);
      if (entry && Date.now() - entry.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
    }
  }
}

/** Makes a rename inside `folder` survive a power cut; some platforms can't open a folder, and then don't need it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const damaged = (sha256: string) =>
  new GraftError('STORAGE_FAILED', `The artifact ${sha256.slice(0, 12)}… is damaged: its content has another digest.`);

function readFailure(error: unknown): GraftError {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new GraftError('NOT_FOUND', 'No artifact has this digest.');
  return new GraftError('STORAGE_FAILED', 'An artifact could not be read.', { cause: error });
}

function storageFailed(error: unknown): never {
  if (isGraftError(error)) throw error;
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  throw new GraftError('STORAGE_FAILED', full ? 'The disk is full.' : 'A file could not be written.', {
    hint: full
      ? 'Free space where GRAFT_HOME lies and send it again; nothing was kept, and no restart is needed.'
      : 'Look at the log for the reason, and at the permissions of GRAFT_HOME.',
    cause: error,
  });
}
