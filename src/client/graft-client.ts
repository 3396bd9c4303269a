import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-sse';

interface ErrorLike {
  message: string;
  extensions?: Record<string, unknown>;
}

/** Variables may be left out where none is required. */
type Given<Variables> = Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables];

/** Data and variables of an operation: a typed document of `operations`, or text whose data the caller names. */
export type Operation<Data, Variables> = TypedDocumentNode<Data, Variables> | string;

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
    this.streams = createClient({ url: `${origin}/graphql/stream`, retryAttempts: 0, headers: this.headers });
  }

  /** The operation's `data`. @throws GraftClientError with code and message of the first GraphQL error */
  async request<Data, Variables extends object = Record<string, unknown>>(
    operation: Operation<Data, Variables>,
    ...[variables]: Given<Variables>
  ): Promise<Data> {
    const response = await fetch(`${this.origin}/graphql`, {
      method: 'POST',
      headers: {
        ...this.headers,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
      },
      body: JSON.stringify({ query: textOf(operation), variables }),
    });
    const result = (await response.json()) as { data?: Data; errors?: ErrorLike[] };
    const error = result.errors?.[0];
    if (error) throw errorOf(error);
    return result.data as Data;
  }

  async *subscribe<Data, Variables extends object = Record<string, unknown>>(
    operation: Operation<Data, Variables>,
    ...[variables]: Given<Variables>
  ): AsyncGenerator<Data> {
    const payload = { query: textOf(operation), variables: variables as Record<string, unknown> | undefined };
    for await (const result of this.streams.iterate<Data>(payload)) {
      const error = result.errors?.[0];
      if (error) throw errorOf(error);
      if (result.data) yield result.data;
    }
  }

  /** Uploads a file and returns its id. */
  async upload(path: string): Promise<string> {
    const form = new FormData();
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(path)) chunks.push(chunk as Buffer);
    form.append('file', new Blob([Buffer.concat(chunks)]), basename(path));
    const response = await fetch(`${this.origin}/files`, {
      method: 'POST',
      headers: { ...this.headers, 'graft-upload': '1' },
      body: form,
    });
    const { id, errors } = (await response.json()) as { id?: string; errors?: ErrorLike[] };
    const error = errors?.[0];
    if (id === undefined)
      throw error ? errorOf(error) : new GraftClientError(`HTTP ${response.status}`, `the upload of ${path} failed`);
    return id;
  }

  close(): void {
    this.streams.dispose();
  }
}

export class GraftClientError extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** What to do about it, where the gateway says so. */
    readonly hint: string | null = null,
  ) {
    super(`${code}: ${message}`);
  }
}

const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const errorOf = ({ message, extensions }: ErrorLike): GraftClientError =>
  new GraftClientError(textIn(extensions?.code) ?? 'UNKNOWN', message, textIn(extensions?.hint));
