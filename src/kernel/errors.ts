import { ERROR_CODES, type ErrorCode } from './error-codes.js';

interface GraftErrorOptions {
  /** Path of the input field at fault, e.g. `input.question`. */
  field?: string;
  /** What the user can do next, more specific than the code's own advice. */
  hint?: string;
  cause?: unknown;
  /** When it is worth to try again, in seconds, where that is known. */
  retryAfterSeconds?: number;
}

/** An error that the user may see: its message is safe to show and its code is in the closed list. All others are masked. */
export class GraftError extends Error {
  override readonly name = 'GraftError';
  readonly field: string | undefined;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: GraftErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.field = options.field;
    this.hint = options.hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get retry(): 'no' | 'later' | 'safe' {
    return ERROR_CODES[this.code].retry;
  }
}

/** What happened and what to do next, for places that have room for one text. */
export const messageWithHint = ({ message, hint }: GraftError): string =>
  hint === undefined ? message : `${message} ${hint}`;

export const isGraftError = (error: unknown, code?: ErrorCode): error is GraftError =>
  error instanceof GraftError && (code === undefined || error.code === code);

export const notFound = (subject: string, reference: string, field?: string): GraftError =>
  new GraftError('NOT_FOUND', `${subject} ${JSON.stringify(reference)} does not exist.`, { field });

export const badInput = (field: string, message: string, hint?: string): GraftError =>
  new GraftError('BAD_USER_INPUT', message, { field, hint });

export const keyTaken = (): GraftError =>
  new GraftError('IDEMPOTENCY_CONFLICT', 'This idempotency key was used before with other input.', {
    field: 'input.idempotencyKey',
    hint: 'Use a new key for new work.',
  });

/** The row that an idempotency key names. @throws IDEMPOTENCY_CONFLICT where it was made from other input */
export function ofSameInput<Row extends { inputDigest: string }>(row: Row, inputDigest: string): Row {
  if (row.inputDigest !== inputDigest) throw keyTaken();
  return row;
}
