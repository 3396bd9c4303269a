import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { S3mini } from 's3mini';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { isSha256, type Sha256 } from '../../../kernel/hashing.js';
import { plainFetch } from './plain-fetch.js';

export interface BucketAccess {
  /** `https://s3.eu-central-1.amazonaws.com`, `http://minio:9000`. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Larger files are sent in parts of this size, four at a time; 10,000 of them make 160 GiB. */
const PART_BYTES = 16 * 1024 ** 2;
/** How long the server may stay silent, before its answer and between its pieces. */
const SILENCE_MS = 30_000;
/** Objects of a page when all are listed. */
const PAGE = 1_000;

/** Objects named `<installation>/artifacts/<digest>` in one bucket of a server that speaks S3: each installation removes what it doesn’t name of its own alone. */
export class Bucket {
  readonly #client: S3mini;

  /** @param installation of `installationId` */
  constructor(
    private readonly access: BucketAccess,
    private readonly installation: string,
  ) {
    const { endpoint, bucket, ...keys } = access;
    this.#client = new S3mini({
      ...keys,
      endpoint: `${endpoint.replace(/\/+$/, '')}/${bucket}`,
      minPartSize: PART_BYTES,
      fetch: plainFetch(SILENCE_MS),
    });
  }

  /** For messages: where the bytes are, without any key. */
  get name(): string {
    return `the bucket ${this.access.bucket} of ${new URL(this.access.endpoint).host}`;
  }

  /** @throws SETUP_FAILED when the bucket is not there or doesn't let us in */
  async check(): Promise<void> {
    const answer = await this.#asked(() => this.#client.listObjectsPaged('/', this.#prefix, 1)).catch(
      (error: unknown) => {
        throw new GraftError('SETUP_FAILED', `Artifacts can’t be kept in ${this.name}: ${(error as Error).message}`, {
          hint: 'Check GRAFT_S3_ENDPOINT, GRAFT_S3_BUCKET, GRAFT_S3_REGION and the two keys.',
          cause: error,
        });
      },
    );
    if (!answer)
      throw new GraftError('SETUP_FAILED', `There is no ${this.name.replace('the ', '')}.`, {
        hint: 'Create it, or name another in GRAFT_S3_BUCKET.',
      });
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.#asked(() => this.#client.objectExists(this.#key(sha256)))) === true;
  }

  /** Stores a file under its digest, also over what is there: damaged bytes are healed so. */
  async send(path: string, { sha256, bytes }: { sha256: Sha256; bytes: number }): Promise<void> {
    await this.#asked(async () => {
      if (bytes > PART_BYTES)
        return this.#client.putAnyObject(this.#key(sha256), webStream(path), TYPE, undefined, undefined, bytes);
      // The server holds the bytes that arrived against it.
      const checksum = { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64') };
      return this.#client.putObject(this.#key(sha256), await readFile(path), TYPE, undefined, checksum, bytes);
    });
  }

  /** The object's bytes, unverified; null when there is none. */
  async open(sha256: string): Promise<AsyncIterable<Uint8Array> | null> {
    const answer = await this.#asked(() => this.#client.getObjectResponse(this.#key(sha256)));
    return answer?.body ? this.#pieces(answer.body) : null;
  }

  async remove(sha256: string): Promise<void> {
    await this.#asked(() => this.#client.deleteObject(this.#key(sha256)));
  }

  /** Digests of the objects that were last written longer ago than this. */
  async *olderThan(ageMs: number): AsyncGenerator<Sha256> {
    let token: string | undefined;
    do {
      const page = await this.#asked(() => this.#client.listObjectsPaged('/', this.#prefix, PAGE, token));
      for (const { Key, LastModified } of page?.objects ?? []) {
        const sha256 = Key.slice(this.#prefix.length);
        if (isSha256(sha256) && Date.now() - new Date(LastModified).getTime() > ageMs) yield sha256;
      }
      token = page?.nextContinuationToken;
    } while (token !== undefined);
  }

  get #prefix(): string {
    return `${this.installation}/artifacts/`;
  }

  #key(sha256: string): string {
    return `${this.#prefix}${sha256}`;
  }

  async *#pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    try {
      for (
        let piece = await this.#asked(() => reader.read());
        !piece.done;
        piece = await this.#asked(() => reader.read())
      )
        yield piece.value;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    return ask().catch((error: unknown) => {
      throw this.#unavailable(error);
    });
  }

  #unavailable(error: unknown): GraftError {
    if (isGraftError(error)) return error;
    const { status, serviceCode } = error as { status?: number; serviceCode?: string };
    const reason = status === undefined ? 'it does not answer' : `it answered ${status} ${serviceCode ?? ''}`.trim();
    return new GraftError('STORAGE_UNAVAILABLE', `The artifact can’t be had from ${this.name}: ${reason}.`, {
      hint: 'Look whether the store runs and the keys of GRAFT_S3_ACCESS_KEY_ID still hold; it is asked again by itself.',
      cause: error,
    });
  }
}

const TYPE = 'application/octet-stream';
const webStream = (path: string) => Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
