import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { GraftError } from '../../kernel/errors.js';
import { isSha256, sha256 as digest, type Sha256 } from '../../kernel/hashing.js';
import { VerifiedFiles } from '../verified-files.js';
import type { ArtifactStore, StagedBytes, StoredBytes } from './artifact-store.js';
import { ArtifactElsewhere, ArtifactUnreadable, damaged, missing, noDigest, writeFailed } from './faults.js';

const HERE = 'this home';

/** A live upload touches its temporary file all the time; one this old was left by a process that died. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** How a home is called where several gateways meet: in rows, messages and leases. */
export const homeName = (home: string): string => `${hostname()}:${home}`;

/** Bytes under a temporary name in the folder of this machine. */
interface LocalStagedBytes extends StagedBytes {
  readonly path: string;
}

interface LocalArtifactOptions {
  /** Which other home has the bytes that are not in this one; null when none has. */
  homeOf?: (sha256: string) => Promise<string | null>;
}

/** Artifacts of one home: written under a temporary name, fsynced, renamed, so that a reader never sees half a file. */
export class LocalArtifactStore implements ArtifactStore {
  readonly #verified = new VerifiedFiles();
  #swept: Promise<void> | undefined;

  readonly home: string;

  constructor(
    readonly folder: string,
    private readonly options: LocalArtifactOptions = {},
  ) {
    this.home = homeName(dirname(folder));
  }

  async put(source: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<StoredBytes> {
    const staged = await this.stage(source, limits);
    await staged.commit();
    return { sha256: staged.sha256, bytes: staged.bytes };
  }

  async stage(source: AsyncIterable<Uint8Array>, { maxBytes }: { maxBytes: number }): Promise<LocalStagedBytes> {
    await (this.#swept ??= this.#sweep());
    const temporary = join(this.#temporaryFolder, `${randomUUID()}.part`);
    const discard = () => rm(temporary, { force: true });
    try {
      const { sha256, bytes } = await this.#write(source, temporary, maxBytes);
      return { sha256, bytes, path: temporary, discard, commit: () => this.#commit(temporary, sha256) };
    } catch (error) {
      await discard();
      throw error;
    }
  }

  async local(sha256: string): Promise<string> {
    const path = this.#path(sha256);
    const intact = await this.#verified.has(path, sha256).catch((error: unknown) => this.#unread(sha256, error));
    if (!intact) throw damaged(sha256, HERE);
    return path;
  }

  async has(sha256: string): Promise<boolean> {
    return stat(this.#path(sha256)).then(
      (entry) => entry.isFile(),
      () => false,
    );
  }

  async read(sha256: string): Promise<Buffer> {
    const content = await readFile(this.#path(sha256)).catch((error: unknown) => this.#unread(sha256, error));
    if (digest(content) !== sha256) throw damaged(sha256, HERE);
    return content;
  }

  async openRead(sha256: string): Promise<Readable> {
    const path = await this.local(sha256);
    const hash = createHash('sha256');
    let lastChunk: Buffer | null = null;
    const verify = new Transform({
      transform(chunk: Buffer, _encoding, callback) {
        hash.update(chunk);
        if (lastChunk !== null) this.push(lastChunk);
        lastChunk = chunk;
        callback();
      },
      flush: (callback) =>
        hash.digest('hex') === sha256 ? callback(null, lastChunk) : callback(damaged(sha256, HERE)),
    });
    const file = createReadStream(path);
    file.on('error', (error) => verify.destroy(new ArtifactUnreadable(error)));
    verify.on('close', () => file.destroy());
    return file.pipe(verify);
  }

  async *olderThan(ageMs: number): AsyncGenerator<Sha256> {
    for await (const { sha256, changedMs } of this.all()) if (Date.now() - changedMs > ageMs) yield sha256;
  }

  /** Every artifact of the folder, its size, and when it was last written. */
  async *all(): AsyncGenerator<{ sha256: Sha256; bytes: number; changedMs: number }> {
    const folders = await readdir(this.folder).catch(() => []);
    for (const name of folders.filter((folder) => /^[0-9a-f]{2}$/.test(folder)))
      for (const sha256 of (await readdir(join(this.folder, name))).filter(isSha256)) {
        const entry = await stat(this.#path(sha256)).catch(() => null);
        if (entry) yield { sha256, bytes: entry.size, changedMs: entry.mtimeMs };
      }
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#path(sha256), { force: true });
  }

  async #unread(sha256: string, error: unknown): Promise<never> {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new ArtifactUnreadable(error);
    const home = await this.options.homeOf?.(sha256);
    throw home ? new ArtifactElsewhere(sha256, home) : missing(sha256, HERE);
  }

  #path(sha256: string): string {
    if (!isSha256(sha256)) throw noDigest();
    return join(this.folder, sha256.slice(0, 2), sha256);
  }

  get #temporaryFolder(): string {
    return join(this.folder, 'tmp');
  }

  async #write(source: AsyncIterable<Uint8Array>, path: string, maxBytes: number): Promise<StoredBytes> {
    const file = await open(path, 'wx', 0o600).catch(writeFailed);
    try {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of source) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes)
          throw new GraftError('PAYLOAD_TOO_LARGE', `The file is larger than the limit of ${maxBytes} bytes.`);
        hash.update(chunk);
        await file.writeFile(chunk).catch(writeFailed);
      }
      await file.sync().catch(writeFailed);
      return { sha256: hash.digest('hex') as Sha256, bytes };
    } finally {
      await file.close();
    }
  }

  /** The rename also replaces a damaged file of the same name by the good bytes just written. */
  async #commit(temporary: string, sha256: Sha256): Promise<void> {
    const target = this.#path(sha256);
    const folder = join(target, '..');
    try {
      await mkdir(folder, { recursive: true });
      await rename(temporary, target);
      await syncFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true });
      writeFailed(error);
    }
  }

  async #sweep(): Promise<void> {
    await mkdir(this.#temporaryFolder, { recursive: true }).catch(writeFailed);
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
