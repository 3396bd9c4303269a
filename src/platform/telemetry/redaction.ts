/**
 * No line of the log may hold what users wrote or what models answered. Nobody should pass such fields to the logger;
 * this list is the second lock: it blanks them at the top level and one level down.
 */
const PRIVATE = [
  'answer',
  'authorization',
  'body',
  'content',
  'cookie',
  'document',
  'password',
  'prompt',
  'query',
  'question',
  'quote',
  'secret',
  'text',
  'texts',
  'token',
  'variables',
];

export const REDACTED_PATHS: string[] = PRIVATE.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

const LONGEST_MESSAGE = 1_000;

/** Chroma's client quotes the address it called; the tenant in it is what keeps others from a home's vectors. */
const withoutTenant = (message: string): string => message.replace(/\/tenants\/[^/\s]+/g, '/tenants/…');

interface LoggedError {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
}

/** An error as it is logged: Prisma's messages quote the whole call with its values, so only their last line is kept. */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error).slice(0, LONGEST_MESSAGE) };
  const quotesValues = error.name.startsWith('PrismaClient');
  const text = quotesValues ? (error.message.trim().split('\n').at(-1) ?? '') : error.message;
  const message = withoutTenant(text).slice(0, LONGEST_MESSAGE);
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 20)
    .join('\n');
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(frames ? { stack: frames } : {}),
    ...(error.cause !== undefined && depth < 3 ? { cause: loggedError(error.cause, depth + 1) } : {}),
  };
}
