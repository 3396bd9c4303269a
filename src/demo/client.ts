import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createClient, type Client } from 'graphql-sse';

/** A GraphQL client as any front-end would write one: POST for queries and mutations, SSE for subscriptions, multipart for files. */
export class DemoClient {
  private readonly streams: Client;

  constructor(private readonly origin: string) {
    this.streams = createClient({ url: `${origin}/graphql/stream`, retryAttempts: 0 });
  }

  /** The operation's `data`. @throws an Error with code and message of the first GraphQL error */
  async request<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
    const result = (await response.json()) as {
      data?: T;
      errors?: { message: string; extensions?: { code?: string; hint?: string } }[];
    };
    const error = result.errors?.[0];
    if (error) throw errorOf(error);
    return result.data as T;
  }

  async *subscribe<T>(query: string, variables: Record<string, unknown> = {}): AsyncGenerator<T> {
    for await (const result of this.streams.iterate<T>({ query, variables })) {
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
      headers: { 'graft-upload': '1' },
      body: form,
    });
    const { id, errors } = (await response.json()) as { id?: string; errors?: Parameters<typeof errorOf>[0][] };
    const error = errors?.[0];
    if (id === undefined)
      throw error ? errorOf(error) : new DemoError(`HTTP ${response.status}`, `the upload of ${path} failed`);
    return id;
  }

  close(): void {
    this.streams.dispose();
  }
}

export class DemoError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

const errorOf = ({ message, extensions }: { message: string; extensions?: Record<string, unknown> }): DemoError =>
  new DemoError(typeof extensions?.code === 'string' ? extensions.code : 'UNKNOWN', message);
