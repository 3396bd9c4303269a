import { GraftError } from '../../kernel/errors.js';
import { Prisma } from './generated/client.js';

/** SQLSTATE classes and codes that say "not now": connection exceptions, shutdown, crash, starting up, too many clients. */
const UNAVAILABLE_SQLSTATE = /^(08...|57P0[123]|53300)$/;
/** SQLSTATE of a server that can't write: disk full, input or output error. */
const STORAGE_SQLSTATE = /^(53100|58030)$/;
/** Prisma's codes for a server that is not there. */
const UNAVAILABLE_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037']);
const UNAVAILABLE_ADAPTER = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);
const UNAVAILABLE_SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);
/** Messages of `pg` that carry no code. */
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed and is not queryable)/;

/**
 * Returns DATABASE_UNAVAILABLE for what Prisma or `pg` threw because PostgreSQL could not be reached, STORAGE_FAILED where it
 * could not write, and anything else unchanged.
 */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof GraftError) return error;
  const causes = [...causesOf(error)];
  if (causes.some(meansFull))
    return new GraftError('STORAGE_FAILED', 'PostgreSQL can’t write: its disk is full or broken.', {
      hint: 'Free space where its data lies (GRAFT_HOME for the embedded one) and send it again; no restart is needed.',
      cause: error,
    });
  if (causes.some(meansUnavailable))
    return new GraftError('DATABASE_UNAVAILABLE', 'PostgreSQL can’t be reached.', { cause: error });
  return error;
}

type Fields = Record<string, unknown>;

/** An error, what it wraps and what its adapter says of it. */
function* causesOf(error: unknown, depth = 0): Generator<Fields> {
  if (depth > 4 || typeof error !== 'object' || error === null) return;
  const fields = error as Fields;
  yield fields;
  const inner = [fields['cause'], (fields['meta'] as Fields | undefined)?.['driverAdapterError']];
  if (Array.isArray(fields['errors'])) inner.push(...(fields['errors'] as unknown[]));
  for (const cause of inner) yield* causesOf(cause, depth + 1);
}

const meansFull = ({ code, originalCode }: Fields): boolean =>
  [code, originalCode].some((state) => typeof state === 'string' && STORAGE_SQLSTATE.test(state));

function meansUnavailable({ code, message, kind, syscall, originalCode }: Fields): boolean {
  if (typeof code === 'string') {
    if (UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_PRISMA.has(code) || UNAVAILABLE_SYSTEM.has(code)) return true;
    // The Unix socket of a server that is down.
    if (code === 'ENOENT' && syscall === 'connect') return true;
  }
  if (typeof originalCode === 'string' && UNAVAILABLE_SQLSTATE.test(originalCode)) return true;
  if (typeof kind === 'string' && UNAVAILABLE_ADAPTER.has(kind)) return true;
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message);
}

/** SQLSTATE classes that say of what was to be written that it can't be: bad data, and a constraint that forbids it. */
const DATA_SQLSTATE = /^2[23].{3}$/;

/** Whether PostgreSQL refused what was to be written, and would again. */
export const isBadData = (error: unknown): boolean =>
  [...causesOf(error)].some(({ code, originalCode }) =>
    [code, originalCode].some((state) => typeof state === 'string' && DATA_SQLSTATE.test(state)),
  );

/** Whether it is of Prisma or PostgreSQL, and not of our code. */
export const isOfDatabase = (error: unknown): boolean =>
  mapDatabaseError(error) !== error || (error instanceof Error && error.name.startsWith('PrismaClient'));

/** Whether a row was refused because another has the same unique value. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

/**
 * The error of a creation that may have found its name taken: ALREADY_EXISTS then, and anything else unchanged.
 * @param kind with its article, e.g. `A dataset`
 */
export const mapNameTaken = (error: unknown, kind: string, name: string): unknown =>
  isTaken(error)
    ? new GraftError('ALREADY_EXISTS', `${kind} named ${JSON.stringify(name)} exists already.`, {
        field: 'input.name',
        cause: error,
      })
    : error;
