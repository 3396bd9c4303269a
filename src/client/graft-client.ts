import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient, NetworkError, type Client } from 'graphql-sse';

interface ErrorLike {
  message: string;
  extensions?: Record<string, unknown>;
}

/** What Graft answers over HTTP: of an operation, of an upload, or why not. */
interface Answer {
  data?: unknown;
  id?: string;
  errors?: ErrorLike[];
}

/** Variables may be left out where none is required. */
type Given<Variables> = Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables];

/** Data and variables of an operation: a typed document of `operations`, or text whose data the caller names. */
type Operation<Data, Variables> = TypedDocumentNode<Data, Variables> | string;

const textOf = (operation: Operation<unknown, never>): string =>
  typeof operation === 'string' ? operation : print(operation);

/** A GraphQL client as any program would write one: POST for queries and mutations, SSE for subscriptions, multipart for files. */
export class GraftClient {
  private readonly streams: Client;

  private readonly headers: Readonly<Record<string, string>>;

  /**
   * @param origin e.g. `http://127.0.0.1:4000`
   * @param key where the gateway asks for one
   */
  constructor(
    private readonly origin: string,
    key?: string,
  ) {
    this.headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    this.streams = createClient({
      url: `${origin}/graphql/stream`,
      retryAttempts: 0,
      headers: this.headers,
      // It keeps an error's message only, and fetch tells the reason elsewhere.
      fetchFn: (...args: Parameters<typeof fetch>) =>
        fetch(...args).catch((error: unknown) => {
          throw new Error(reasonOf(error));
        }),
    });
  }

  /**
   * The operation's `data`.
   * @throws GraftClientError with code and message of the first GraphQL error; UNREACHABLE; `HTTP 502` where something else answers
   */
  async request<Data, Variables extends object = Record<string, unknown>>(
    operation: Operation<Data, Variables>,
    ...[variables]: Given<Variables>
  ): Promise<Data> {
    const { data } = await this.#post(
      '/graphql',
      { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      JSON.stringify({ query: textOf(operation), variables }),
      ({ data }) => data !== undefined,
    );
    return data as Data;
  }

  /** @throws GraftClientError as `request` does; CONNECTION_LOST where a stream breaks off */
  async *subscribe<Data, Variables extends object = Record<string, unknown>>(
    operation: Operation<Data, Variables>,
    ...[variables]: Given<Variables>
  ): AsyncGenerator<Data> {
    const payload = { query: textOf(operation), variables: variables as Record<string, unknown> | undefined };
    let connected = false;
    try {
      for await (const result of this.streams.iterate<Data>(payload, { connected: () => (connected = true) })) {
        const error = result.errors?.[0];
        if (error) throw errorOf(error);
        if (result.data) yield result.data;
      }
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      const response = error.response as Response | undefined;
      if (response) throw await refusalOf(response);
      if (!connected) throw unreachable(this.origin, error.message);
      throw new GraftClientError('CONNECTION_LOST', `The stream of ${this.origin} broke off.`);
    }
  }

  /**
   * Uploads a file, or what comes through a pipe, and returns its id. It is sent as it is read, as far as it goes when that begins.
   * @throws GraftClientError as `request` does; FILE_CHANGED; what reading the file throws
   */
  async upload(path: string): Promise<string> {
    const file = await open(path);
    // What fetch makes of a body that fails looks like a fault of the network.
    let fault: unknown;
    const noting = async function* (body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      try {
        yield* body;
      } catch (error) {
        throw (fault = error);
      }
    };
    try {
      const { head, tail, type } = formOf(basename(path));
      const stat = await file.stat();
      const size = stat.isFile() ? stat.size : null;
      // With its length what is too large is refused before it is sent; a pipe's nobody knows.
      const length = size !== null && { 'content-length': String(head.length + size + tail.length) };
      const headers = { 'graft-upload': '1', 'content-type': type, ...length };
      const body = noting(within(head, contentOf(file, path, size), tail));
      const { id } = await this.#post('/files', headers, body, ({ id }) => id !== undefined);
      return id!;
    } catch (error) {
      throw fault ?? error;
    } finally {
      await file.close();
    }
  }

  /** @param whole whether it is what Graft answers there */
  async #post(
    path: string,
    headers: Record<string, string>,
    body: string | AsyncIterable<Buffer>,
    whole: (answer: Answer) => boolean,
  ): Promise<Answer> {
    try {
      const response = await fetch(`${this.origin}${path}`, {
        method: 'POST',
        headers: { ...this.headers, ...headers },
        ...(typeof body === 'string' ? { body } : { body: body as unknown as BodyInit, ...STREAMED }),
      });
      const answer = await answerIn(response);
      if (answer.errors?.[0] || !whole(answer)) throw await refusalOf(response, answer);
      return answer;
    } catch (error) {
      // With a cause it is of the network; without, of what was given to fetch.
      throw error instanceof TypeError && error.cause ? unreachable(this.origin, reasonOf(error)) : error;
    }
  }

  close(): void {
    this.streams.dispose();
  }
}

export class GraftClientError extends Error {
  constructor(
    readonly code: string,
    readonly sentence: string,
    /** What to do about it, where the gateway says so. */
    readonly hint: string | null = null,
  ) {
    super(`${code}: ${sentence}`);
  }
}

/** Whatever fetch might send again, after a redirect, it keeps in memory until the end: with these it never does. */
const STREAMED = { duplex: 'half', redirect: 'error', window: null } as const;

/** What stands around a file in a form of it alone, by HTML's rules for `multipart/form-data`. */
function formOf(fileName: string): { head: Buffer; tail: Buffer; type: string } {
  const boundary = `graft-${crypto.randomUUID()}`;
  const name = fileName.replace(/["\r\n]/g, encodeURIComponent);
  return {
    head: Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: application/octet-stream\r\n\r\n`,
    ),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

async function* within(head: Buffer, content: AsyncIterable<Buffer>, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  yield* content;
  yield tail;
}

/**
 * The first `size` bytes of a file: so many were promised, though it may grow meanwhile. All of it where that is null.
 * @throws GraftClientError FILE_CHANGED where there are fewer
 */
async function* contentOf(file: FileHandle, path: string, size: number | null): AsyncGenerator<Buffer> {
  if (size === 0) return;
  const stream = file.createReadStream({ autoClose: false, ...(size !== null && { end: size - 1 }) });
  yield* stream as AsyncIterable<Buffer>;
  if (size !== null && stream.bytesRead < size)
    throw new GraftClientError('FILE_CHANGED', `${path} changed while it was sent.`, 'Send it again.');
}

const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const errorOf = ({ message, extensions }: ErrorLike): GraftClientError =>
  new GraftClientError(textIn(extensions?.code) ?? 'UNKNOWN', message, textIn(extensions?.hint));

/** A body that is no object of JSON says nothing. */
async function answerIn(response: Response): Promise<Answer> {
  const text = await response.text();
  try {
    return (JSON.parse(text) ?? {}) as Answer;
  } catch {
    return {};
  }
}

/** Why it was refused, as Graft says it; else something answered in its place, as a proxy does. */
async function refusalOf(response: Response, answer?: Answer): Promise<GraftClientError> {
  const error = (answer ?? (await answerIn(response))).errors?.[0];
  if (typeof error?.message === 'string') return errorOf(error);
  return new GraftClientError(
    `HTTP ${response.status}`,
    `${response.url} answers with ${response.headers.get('content-type') ?? 'nothing'}, and not as Graft does.`,
    'Is that its address? A proxy may have answered in its place.',
  );
}

const unreachable = (origin: string, reason: string): GraftClientError =>
  new GraftClientError('UNREACHABLE', `Graft does not answer at ${origin} (${reason}).`);

/** Why fetch failed, which it tells as the cause. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: string; message?: string };
  return code ?? message ?? String(cause);
}
