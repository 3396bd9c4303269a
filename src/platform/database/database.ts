import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import { mapDatabaseError } from './errors.js';
import { PrismaClient, type Prisma } from './generated/client.js';
import type { Scope } from './scope.js';
import { WalledPool } from './walled-pool.js';

/**
 * One PostgreSQL database: Prisma for rows, `pool` for SQL that Prisma can't say. Both use the same connections, which see the rows of whoever
 * the work is for (`scope.ts`).
 */
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

/** Milliseconds. Prisma's 2 and 5 seconds fail short work on a machine that does too much at once; nothing here holds one for long. */
const TRANSACTION = { maxWait: 10_000, timeout: 30_000 } as const;

/**
 * Opens a database and asks it one question, so that a wrong URL is known at start.
 * Later losses of the connection heal by themselves: a broken connection leaves the pool, the next query opens another.
 *
 * @param options.unsaid whose rows are seen where nobody has said for whom the work is (`scope.ts`): nobody's by default
 * @throws GraftError SETUP_FAILED for a URL that can't be used, DATABASE_UNAVAILABLE when nothing answers; both name the host.
 */
export async function openDatabase(url: string, { unsaid = 'nobody' }: { unsaid?: Scope } = {}): Promise<Database> {
  refuseForeignSchema(url);
  const options = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'graft',
  };
  const pool = new WalledPool({ ...options, max: MAX_CONNECTIONS }, unsaid);
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: TRANSACTION });
  const close = async () => {
    await prisma.$disconnect();
    await pool.end();
  };
  try {
    // On a connection of its own: the pool's first may come before the migration that makes the role it lays its rights down for.
    await askOnce(new pg.Client(options));
  } catch (error) {
    await close();
    throw refusedAtStart(url, error);
  }
  return { prisma, pool, url, close };
}

async function askOnce(client: pg.Client): Promise<void> {
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** SQLSTATEs with which PostgreSQL refuses a URL, and what is to be done. */
const REFUSALS: Record<string, string> = {
  '28P01': 'The user name or the password is wrong.',
  '28000': 'The user may not sign in from here: look at the server’s pg_hba.conf.',
  '3D000': 'Create the database first (`createdb`), or name one that exists.',
};

/** What the first question's failure says about the URL, of which only host, port and name are told. */
function refusedAtStart(url: string, error: unknown): unknown {
  const { hostname = '', port = '', pathname = '/' } = URL.canParse(url) ? new URL(url) : {};
  const where = `the database ${JSON.stringify(pathname.slice(1))} at ${hostname || 'the local socket'}:${port || 5432}`;
  const refusal = REFUSALS[(error as { code?: string }).code ?? ''];
  if (refusal !== undefined)
    return new GraftError('SETUP_FAILED', `PostgreSQL refuses ${where}.`, {
      hint: `${refusal} DATABASE_URL is \`postgresql://user:password@host:5432/name\`.`,
      cause: error,
    });
  const mapped = mapDatabaseError(error);
  if (!(mapped instanceof GraftError) || mapped.code !== 'DATABASE_UNAVAILABLE') return mapped;
  return new GraftError('DATABASE_UNAVAILABLE', `Nothing answers for ${where}.`, {
    hint: 'Look whether the server runs and can be reached from here, and at host and port in DATABASE_URL.',
    cause: error,
  });
}

/** Prisma's `?schema=` means nothing to PostgreSQL's own clients; to ignore it would put the tables where nobody expects them. */
function refuseForeignSchema(url: string): void {
  const schema = URL.canParse(url) ? new URL(url).searchParams.get('schema') : null;
  if (schema === null || schema === 'public') return;
  throw new GraftError('SETUP_FAILED', `DATABASE_URL asks for the schema ${JSON.stringify(schema)}.`, {
    hint: 'Graft keeps its tables in the schema "public": give it a database of its own and leave out `schema=`.',
  });
}
