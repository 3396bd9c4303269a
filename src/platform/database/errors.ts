import { GraftError } from '../../kernel/errors.js';

/** SQLSTATE classes and codes that say "not now": connection exceptions, shutdown, crash, starting up, too many clients. */
const UNAVAILABLE_SQLSTATE = /^(08...|57P0[123]|53300)$/;
/** Prisma's codes for the same. */
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
 * Returns DATABASE_UNAVAILABLE for what Prisma or `pg` threw because PostgreSQL could not be reached, and anything else unchanged.
 */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof GraftError || !meansUnavailable(error, 0)) return error;
  return new GraftError('DATABASE_UNAVAILABLE', 'PostgreSQL can’t be reached.', { cause: error });
}

function meansUnavailable(error: unknown, depth: number): boolean {
  if (depth > 4 || typeof error !== 'object' || error === null) return false;
  const { code, message, kind, syscall, originalCode, cause, meta, errors } = error as Record<string, unknown>;
  if (typeof code === 'string') {
    if (UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_PRISMA.has(code) || UNAVAILABLE_SYSTEM.has(code)) return true;
    // The Unix socket of a server that is down.
    if (code === 'ENOENT' && syscall === 'connect') return true;
  }
  if (typeof originalCode === 'string' && UNAVAILABLE_SQLSTATE.test(originalCode)) return true;
  if (typeof kind === 'string' && UNAVAILABLE_ADAPTER.has(kind)) return true;
  if (typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message)) return true;
  const inner = [cause, (meta as Record<string, unknown> | undefined)?.driverAdapterError];
  if (Array.isArray(errors)) inner.push(...(errors as unknown[]));
  return inner.some((each) => meansUnavailable(each, depth + 1));
}
