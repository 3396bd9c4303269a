import pg from 'pg';
import { mapDatabaseError, seeAll } from '../../platform/database/index.js';

/**
 * One connection for all of some work. Where the work fails it is cut: a table that is on its way would have to be read to its end first,
 * and PostgreSQL undoes by itself what a connection leaves open.
 * @throws DATABASE_UNAVAILABLE, and what the work throws
 */
export async function withConnection<T>(
  connectionString: string,
  name: 'graft-backup' | 'graft-restore',
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await seeAll(client);
    const result = await work(client);
    await client.end();
    return result;
  } catch (error) {
    client.connection.stream.destroy();
    throw mapDatabaseError(error);
  }
}
