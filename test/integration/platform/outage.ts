import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { openDatabase, type Database } from '../../../src/platform/database/index.js';

/** Ends the connections of an application as an administrator or a failover would. */
export async function cutConnections(database: Database, application: string): Promise<void> {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2',
    [name, application],
  );
  await admin.end();
}

/** A way to a database that can be cut and restored: for this client alone the server is then gone. */
export class CuttableWay {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #open = false;

  private constructor(private readonly target: URL) {}

  /** The same database through a way of its own. */
  static async to(database: Database): Promise<{ database: Database; way: CuttableWay }> {
    const way = new CuttableWay(new URL(database.url));
    await way.restore();
    const url = new URL(database.url);
    url.hostname = '127.0.0.1';
    url.port = String(way.#port);
    return { database: await openDatabase(url.href, { unsaid: 'system' }), way };
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async restore(): Promise<void> {
    this.#open = true;
    this.#server = createServer((client) => {
      // One that was still in the queue when the way was cut.
      if (!this.#open) return void client.destroy();
      const server = connect(Number(this.target.port || 5432), this.target.hostname);
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      client.pipe(server).pipe(client);
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}
