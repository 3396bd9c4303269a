import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface HubServerFile {
  content: Buffer;
  /** Empty: none is sent. */
  etag?: string;
  type?: string;
  /** `x-linked-etag` of the first answer. */
  linkedEtag?: string;
}

/** A stand-in for the Hugging Face hub, and for a package index, that misbehaves on command: the real one can't be made to cut a download. */
export class HubServer {
  readonly files = new Map<string, HubServerFile>();
  readonly requests: { url: string; headers: IncomingMessage['headers'] }[] = [];
  /** Bytes after which the next answers are cut, one entry an answer. */
  readonly cuts: number[] = [];
  /** Status codes that the next requests get instead of content. */
  readonly failures: number[] = [];
  /** Sends every download to another origin first, as the hub does. */
  redirectTo: string | undefined;
  /** Pause between the pieces of an answer. */
  slowMs = 0;
  /** Answers without Content-Length and without ranges. */
  chunked = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param tls its key and certificate (PEM); plain HTTP without them */
  static async start(tls?: { key: string; cert: string }): Promise<HubServer> {
    const server = tls ? createTlsServer(tls) : createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const hub = new HubServer(server, `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => void hub.#answer(request, response));
    return hub;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push({ url: request.url!, headers: request.headers });
    const failure = this.failures.shift();
    if (failure !== undefined) return void response.writeHead(failure).end('no');
    const file = this.files.get(request.url!);
    if (!file) return void response.writeHead(404).end('Entry not found');
    const linked = file.linkedEtag ? { 'x-linked-etag': `"${file.linkedEtag}"` } : {};
    if (this.redirectTo)
      return void response.writeHead(302, { location: `${this.redirectTo}${request.url}`, ...linked }).end();

    const etag = file.etag ?? '"v1"';
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const resumable = range !== null && (request.headers['if-range'] ?? etag) === etag && !this.chunked;
    const start = resumable ? Number(range[1]) : 0;
    const length = resumable && range[2] !== '' ? Number(range[2]) + 1 : file.content.length;
    if (start >= length && resumable)
      return void response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    response.writeHead(resumable ? 206 : 200, {
      ...linked,
      ...(file.type !== undefined && { 'content-type': file.type }),
      ...(this.chunked ? {} : { 'content-length': length - start }),
      ...(!this.chunked && etag !== '' && { etag }),
      ...(resumable ? { 'content-range': `bytes ${start}-${length - 1}/${file.content.length}` } : {}),
    });
    const cut = this.cuts.shift() ?? Infinity;
    for (let at = start; at < length; at += 10_000) {
      if (response.destroyed) return;
      const piece = file.content.subarray(at, Math.min(at + 10_000, start + cut, length));
      await new Promise((resolve) => response.write(piece, resolve));
      if (at + 10_000 >= start + cut) {
        // The client loses what it has not read when the connection breaks.
        await new Promise((resolve) => setTimeout(resolve, 100));
        return void response.destroy();
      }
      if (this.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, this.slowMs));
    }
    response.end();
  }
}
