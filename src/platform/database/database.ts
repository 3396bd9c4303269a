import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import { mapDatabaseError } from './errors.js';
import { PrismaClient, type Prisma } from './generated/client.js';

/** One PostgreSQL database: Prisma for rows, `pool` for SQL that Prisma can't say. Both use the same connections. */
export interface Database {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  readonly url: string;
  close(): Promise<void>;
}

export type Transaction = Prisma.TransactionClient;

/** How long a caller waits for a connection before it hears DATABASE_UNAVAILABLE, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3_000;
const MAX_CONNECTIONS = 16;

/**
 * Opens a database and asks it one question, so that a wrong URL is known at start.
 * Later losses of the connection heal by themselves: a broken connection leaves the pool, the next query opens another.
 *
 * @throws GraftError SETUP_FAILED for a URL that can't be used, DATABASE_UNAVAILABLE when nothing answers.
 */
export async function openDatabase(url: string): Promise<Database> {
  refuseForeignSchema(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'graft',
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const close = async () => {
    await prisma.$disconnect();
    await pool.end();
  };
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await close();
    throw mapDatabaseError(error);
  }
  return { prisma, pool, url, close };
}

/** Prisma's `?schema=` means nothing to PostgreSQL's own clients; to ignore it would put the tables where nobody expects them. */
function refuseForeignSchema(url: string): void {
  const schema = URL.canParse(url) ? new URL(url).searchParams.get('schema') : null;
  if (schema === null || schema === 'public') return;
  throw new GraftError('SETUP_FAILED', `DATABASE_URL asks for the schema ${JSON.stringify(schema)}.`, {
    hint: 'Graft keeps its tables in the schema "public": give it a database of its own and leave out `schema=`.',
  });
}
