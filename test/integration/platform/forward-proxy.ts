import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy as companies run them: it forwards plain HTTP, and makes tunnels to port 443 alone. It knows hosts that nobody else resolves. */
export class ForwardProxy {
  /** What it was asked for: `GET http://hub.example/file`, `CONNECT index.example:443`. */
  readonly asked: string[] = [];
  /** Ports of this machine where hosts are, by `name:port`. */
  readonly hosts = new Map<string, number>();
  /** `user:password` that it wants; empty: nobody has to sign in. */
  wants = '';
  readonly #sockets = new Set<Duplex>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<ForwardProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new ForwardProxy(server, (server.address() as AddressInfo).port);
    server.on('request', (incoming, response) => proxy.#forward(incoming, response));
    server.on('connect', (incoming, socket, head) => proxy.#tunnel(incoming, socket, head));
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #admits({ headers }: IncomingMessage): boolean {
    const basic = `Basic ${Buffer.from(this.wants).toString('base64')}`;
    return this.wants === '' || headers['proxy-authorization'] === basic;
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${incoming.method} ${incoming.url}`);
    if (!this.#admits(incoming)) return void response.writeHead(407).end();
    const { hostname, port, pathname, search } = new URL(incoming.url!);
    const at = this.hosts.get(`${hostname}:${port || 80}`);
    if (at === undefined) return void response.writeHead(502).end();
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const onward = request({ host: '127.0.0.1', port: at, path: `${pathname}${search}`, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    onward.end();
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.asked.push(`CONNECT ${incoming.url}`);
    const refuse = (status: string): void => void socket.end(`HTTP/1.1 ${status}\r\n\r\n`);
    if (!this.#admits(incoming)) return refuse('407 Proxy Authentication Required');
    if (!incoming.url!.endsWith(':443')) return refuse('403 Forbidden');
    const at = this.hosts.get(incoming.url!);
    if (at === undefined) return refuse('502 Bad Gateway');
    const onward: Socket = connect(at, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) {
      this.#sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => this.#sockets.delete(end));
    }
  }
}
