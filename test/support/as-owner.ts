import type { Pool, PoolClient } from 'pg';

/** Work with the rights that the tests' user has on the server, for what no gateway may: on a connection that is not used again. */
export async function asOwner<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('SET ROLE NONE');
    return await work(client);
  } finally {
    client.release(true);
  }
}
