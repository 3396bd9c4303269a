import { open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { GraftError } from '../../kernel/errors.js';
import { isSha256, type Sha256 } from '../../kernel/hashing.js';
import { SourceFailed, type Fetching } from './source.js';

const CONNECT_MS = 3_000;
/** Also bounds name resolution, which has no time limit of its own. */
const HEADERS_MS = 8_000;
const STALLED_MS = 30_000;
const MAX_REDIRECTS = 5;
/** Tries in a row that bring no byte. */
const MAX_FRUITLESS = 3;
/** After a failure to connect, other files don't wait for the same server again so soon. */
const GIVE_UP_MS = 60_000;
const SPARE_BYTES = 64 * 1024 ** 2;

/** The server that a source speaks to. */
interface FileServer {
  /** Any address of it; what follows is sent to its origin alone. */
  url: string;
  authorization?: string;
  /** What to do where it denies access. */
  denied: string;
  /** Certificates (PEM) that are believed in place of the usual ones. */
  certificates?: string;
}

/** What a part file was cut from, so that it is only ever continued with bytes of the same file. */
interface PartOrigin {
  url: string;
  etag: string | null;
  sha256: Sha256 | null;
}

interface Opened {
  response: Dispatcher.ResponseData;
  /** The address that answered, after redirects. */
  url: URL;
  /** The digest that the first answer states for the file, as the Hugging Face hub does. */
  stated: Sha256 | null;
}

/**
 * Files of one server over HTTP, with resumed downloads. Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY as pip and curl do: a proxy is asked for plain
 * HTTP itself, since most let tunnels through to port 443 alone.
 */
export class HttpFiles {
  readonly #agent: Dispatcher;
  readonly #origin: string;
  readonly #unreachable = new Map<string, { since: number; why: string }>();

  constructor(private readonly server: FileServer) {
    const ca = server.certificates === undefined ? {} : { ca: server.certificates };
    this.#origin = new URL(server.url).origin;
    this.#agent = new EnvHttpProxyAgent({
      connect: { timeout: CONNECT_MS, ...ca },
      requestTls: ca,
      proxyTls: { timeout: CONNECT_MS },
      proxyTunnel: false,
    });
  }

  /**
   * Brings the whole file to `fetching.part`, continuing what an earlier try left there.
   * @returns the digest that the server states for the file, if it states one
   * @throws SourceFailed when the server can't give it, STORAGE_FAILED when it can't be written here
   */
  async fetch(url: string, fetching: Fetching): Promise<Sha256 | null> {
    this.#giveUpOn(url);
    let received = false;
    for (let fruitless = 0; ;) {
      const sizeBefore = await sizeOf(fetching.part);
      try {
        return await this.#attempt(url, fetching, () => (received = true));
      } catch (error) {
        fetching.signal?.throwIfAborted();
        if (error instanceof SourceFailed || error instanceof GraftError) throw error;
        if (!received) throw this.#unreachableAt(url, error);
        fruitless = (await sizeOf(fetching.part)) > sizeBefore ? 0 : fruitless + 1;
        if (fruitless >= MAX_FRUITLESS) throw new SourceFailed(reason(error));
        await sleep(200 * 2 ** fruitless, undefined, { signal: fetching.signal });
      }
    }
  }

  /**
   * An answer whose body is still to be read, whatever its status.
   * @throws SourceFailed when the server can't be reached or redirects to where it must not
   */
  async open(url: string, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Opened> {
    this.#giveUpOn(url);
    try {
      return await this.#open(url, headers, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof SourceFailed ? error : this.#unreachableAt(url, error);
    }
  }

  /** Why a status code means that the server will not give it. */
  refusal(statusCode: number): SourceFailed {
    if (statusCode === 404) return new SourceFailed('has no such file');
    if (statusCode === 401 || statusCode === 403) return new SourceFailed(`denies access: ${this.server.denied}`);
    return new SourceFailed(`answered ${statusCode}`);
  }

  #giveUpOn(url: string): void {
    const failure = this.#unreachable.get(new URL(url).origin);
    if (failure && performance.now() - failure.since < GIVE_UP_MS) throw new SourceFailed(failure.why);
  }

  #unreachableAt(url: string, error: unknown): SourceFailed {
    const cause = reason(error);
    this.#unreachable.set(new URL(url).origin, { since: performance.now(), why: cause });
    return new SourceFailed(cause);
  }

  /** Follows redirects itself: the first answer carries the digest, and credentials must not go to another host. */
  async #open(address: string, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Opened> {
    const first = new URL(address);
    let url = first;
    let stated: Sha256 | null = null;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.#get(url, headers, signal);
      const etag = String(response.headers['x-linked-etag'] ?? '').replace(/^"|"$/g, '');
      if (isSha256(etag)) stated ??= etag;
      if (response.statusCode < 300 || response.statusCode > 399) return { response, url, stated };
      await response.body.dump();
      const location = response.headers['location'];
      if (typeof location !== 'string') throw new SourceFailed('redirects to nowhere');
      url = new URL(location, url);
      if (url.protocol !== 'https:' && url.protocol !== first.protocol)
        throw new SourceFailed('redirects to plain HTTP');
    }
    throw new SourceFailed('redirects in a circle');
  }

  async #attempt(url: string, fetching: Fetching, received: () => void): Promise<Sha256 | null> {
    const { part } = fetching;
    const origin = await readOrigin(part);
    const continued = origin?.url === url && (origin.etag !== null || origin.sha256 === fetching.sha256);
    const offset = continued ? await sizeOf(part) : 0;
    const { response, stated } = await this.#open(url, offset > 0 ? rangeFrom(offset, origin) : {}, fetching.signal);
    received();
    const { statusCode, headers, body } = response;
    if (statusCode === 416) {
      // Nothing follows what we have: either it is whole, or it is not what the server has now.
      await body.dump();
      if (Number(/\/(\d+)$/.exec(String(headers['content-range']))?.[1]) === offset) return stated;
      await discardPart(part);
      throw new Error('the file on the server changed');
    }
    if (statusCode !== 200 && statusCode !== 206) {
      await body.dump();
      if (statusCode >= 500 || statusCode === 429) throw new Error(`answered ${statusCode}`);
      throw this.refusal(statusCode);
    }
    const { start, total } = checkedRange(response, offset, fetching.bytes);
    await writeOrigin(part, { url, etag: strongEtag(headers['etag']), sha256: fetching.sha256 });
    await this.#write(body, start, total, fetching);
    return stated;
  }

  /** The time limit covers the way to the headers only: a large body may take hours. */
  async #get(
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const credentials: Record<string, string> =
      this.server.authorization !== undefined && url.origin === this.#origin
        ? { authorization: this.server.authorization }
        : {};
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('did not answer in time')), HEADERS_MS);
    try {
      return await request(url, {
        dispatcher: this.#agent,
        // Here, since an agent hands its own limits on to no proxy.
        headersTimeout: HEADERS_MS,
        bodyTimeout: STALLED_MS,
        headers: { 'user-agent': 'graft', 'accept-encoding': 'identity', ...headers, ...credentials },
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(
    body: Dispatcher.ResponseData['body'],
    start: number,
    total: number | null,
    { part, signal, onBytes }: Fetching,
  ): Promise<void> {
    await needSpace(part, total === null ? 0 : total - start);
    const file = await open(part, start === 0 ? 'w' : 'r+').catch(unwritable(part));
    let position = start;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        signal?.throwIfAborted();
        if (total !== null && position + chunk.length > total) throw new SourceFailed(`sent more than ${total} bytes`);
        await file.write(chunk, 0, chunk.length, position).catch(unwritable(part));
        position += chunk.length;
        onBytes(position, total ?? 0);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (total !== null && position < total) throw new Error('the connection was cut');
  }
}

/** Removes an unfinished download. */
export async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.origin`, { force: true });
}

function rangeFrom(offset: number, origin: PartOrigin | null): Record<string, string> {
  const etag = origin?.etag ?? null;
  return { range: `bytes=${offset}-`, ...(etag !== null && { 'if-range': etag }) };
}

const strongEtag = (etag: unknown): string | null => (typeof etag === 'string' && !etag.startsWith('W/') ? etag : null);

/** Without a strong validator and without a digest a part can't be continued safely: the next try starts over. */
async function writeOrigin(part: string, origin: PartOrigin): Promise<void> {
  if (origin.etag === null && origin.sha256 === null) return rm(`${part}.origin`, { force: true });
  await writeFile(`${part}.origin`, JSON.stringify(origin)).catch(unwritable(part));
}

async function readOrigin(part: string): Promise<PartOrigin | null> {
  try {
    return JSON.parse(await readFile(`${part}.origin`, 'utf8')) as PartOrigin;
  } catch {
    return null;
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (entry) => entry.size,
    () => 0,
  );

/**
 * Where the body of an answer begins in the file, and how long the whole file is, as far as anybody says.
 * @param offset from where it was asked for
 * @param bytes how long the file has to be; null where nobody knows
 * @throws SourceFailed for another range or another length, with the body ended
 */
function checkedRange(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  offset: number,
  bytes: number | null,
): { start: number; total: number | null } {
  const start = statusCode === 206 ? rangeStart(headers['content-range']) : 0;
  if (start !== 0 && start !== offset) {
    body.destroy();
    throw new SourceFailed('answered with another range than asked for');
  }
  const length = headers['content-length'] === undefined ? null : Number(headers['content-length']);
  const total = length === null ? bytes : start + length;
  if (bytes !== null && total !== null && total !== bytes) {
    body.destroy();
    throw new SourceFailed(`has a file of ${total} bytes instead of ${bytes}`);
  }
  return { start, total };
}

const rangeStart = (header: unknown): number => Number(/^bytes (\d+)-/.exec(String(header))?.[1] ?? NaN);

async function needSpace(part: string, bytes: number): Promise<void> {
  const disk = await statfs(dirname(part)).catch(() => null);
  const free = disk ? disk.bavail * disk.bsize : Infinity;
  if (free < bytes + SPARE_BYTES)
    throw new GraftError(
      'STORAGE_FAILED',
      `The download needs ${mebibytes(bytes)} more; ${dirname(part)} has ${mebibytes(free)} free.`,
    );
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

export const unwritable =
  (part: string) =>
  (error: unknown): never => {
    throw new GraftError('STORAGE_FAILED', `The models folder can’t be written (${dirname(part)}).`, { cause: error });
  };

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name does not resolve: there is no network path to it';
  if (code === 'ECONNREFUSED') return 'it refuses connections';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return `no connection within ${CONNECT_MS / 1000} s`;
  return message ?? String(error);
}
