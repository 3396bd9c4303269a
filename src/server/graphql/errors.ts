import type { FastifyError } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode } from '../../kernel/error-codes.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { Logger } from '../../platform/telemetry/index.js';

/** Turns an error of a library into one that users may see, or returns it as it is. */
export type ErrorMapper = (error: unknown) => unknown;

/** What the libraries below us say, in words of the closed list. */
const LIBRARY_CODES: Record<string, ErrorCode> = {
  OPERATION_RESOLUTION_FAILURE: 'BAD_REQUEST',
  PERSISTED_QUERY_NOT_FOUND: 'BAD_REQUEST',
  PERSISTED_QUERY_NOT_SUPPORTED: 'BAD_REQUEST',
};

const knownCode = (code: unknown): ErrorCode | undefined => {
  if (typeof code !== 'string') return undefined;
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : LIBRARY_CODES[code];
};

/** Messages quote what was sent, which can be a whole body. */
const LONGEST_MESSAGE = 1_000;

const shortened = (text: string): string =>
  text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE).toWellFormed()}…`;

/** An error and those that it wraps, down to the one that was thrown. */
function* wrapped(error: unknown): Generator<unknown> {
  yield error;
  if (error instanceof GraphQLError && error.originalError) yield* wrapped(error.originalError);
}

/** Whether graphql-js itself complains about what the client sent: a variable or an argument that does not fit its type. */
const isCoercionError = (error: GraphQLError): boolean => /^(Variable|Argument) "/.test(error.message);

/**
 * The one place where errors become responses, for every transport. A GraftError keeps its message and code; errors of the
 * database connection get theirs from the mapper; what graphql-js or Apollo says about the request keeps its message;
 * everything else is masked as INTERNAL_ERROR, logged, and found in the log by the request id.
 */
export class ErrorPresenter {
  constructor(
    private readonly log: Logger,
    private readonly mapError: ErrorMapper = (error) => error,
    /** Called with the code of each error that is presented. */
    private readonly onError: (code: ErrorCode) => void = () => undefined,
  ) {}

  /** An error of an operation as the client sees it: `extensions` holds `code`, `retry`, `requestId` and, where known, `field`, `hint` and `retryAfterMs`. */
  present(error: GraphQLError, requestId: string | undefined): GraphQLFormattedError {
    const graftError = this.#shown(error, requestId);
    return {
      message: shortened(graftError.message),
      ...(error.locations ? { locations: error.locations } : {}),
      ...(error.path ? { path: error.path } : {}),
      extensions: this.extensions(graftError, requestId),
    };
  }

  /** The same for an error outside of any operation, e.g. of `POST /files`. */
  presentPlain(error: unknown, requestId: string): GraphQLFormattedError & { extensions: { code: ErrorCode } } {
    const graftError = this.#shown(error, requestId);
    return { message: shortened(graftError.message), extensions: this.extensions(graftError, requestId) };
  }

  private extensions(error: GraftError, requestId: string | undefined) {
    this.onError(error.code);
    return {
      code: error.code,
      retry: error.retry,
      ...(requestId === undefined ? {} : { requestId }),
      ...(error.field === undefined ? {} : { field: shortened(error.field) }),
      ...(error.hint === undefined ? {} : { hint: shortened(error.hint) }),
      ...(error.retryAfterSeconds === undefined ? {} : { retryAfterMs: Math.ceil(error.retryAfterSeconds * 1_000) }),
    };
  }

  #shown(error: unknown, requestId: string | undefined): GraftError {
    const chain = [...wrapped(error)];
    const rootError = this.mapError(chain.at(-1));
    if (rootError instanceof GraftError) {
      if (rootError.cause !== undefined) this.log.warn({ err: rootError, requestId }, 'request failed');
      return rootError;
    }
    if (rootError instanceof GraphQLError) {
      const codes = chain.map((link) => (link as GraphQLError).extensions['code']);
      const code = codes.map(knownCode).find((candidate) => candidate !== undefined);
      // The outer error names the variable, the inner one only what is wrong with its value.
      const coercion = chain.find((link) => isCoercionError(link as GraphQLError)) as GraphQLError | undefined;
      if (coercion) return new GraftError(code ?? 'BAD_USER_INPUT', coercion.message);
      if (code) return new GraftError(code, rootError.message);
      // Raised before anything was resolved, so it speaks of the request.
      if (!(error as GraphQLError).path && codes.every((candidate) => candidate === undefined))
        return new GraftError('BAD_REQUEST', rootError.message);
    }
    if (rootError instanceof Error && rootError.name === 'AbortError')
      return new GraftError('CANCELLED', 'The request was withdrawn.');
    this.log.error({ err: rootError, requestId }, 'unexpected error');
    return new GraftError(
      'INTERNAL_ERROR',
      'Something unexpected happened; the log has the details under this request id.',
    );
  }
}

/** The code of an error that an operation ended with, whether or not it was presented already. */
export const codeOf = ({ originalError, extensions }: GraphQLError): string => {
  const code = (originalError as { code?: unknown } | undefined)?.code ?? extensions['code'];
  return typeof code === 'string' ? code : 'INTERNAL_ERROR';
};

/** HTTP status of a response that is nothing but this error. */
export const httpStatus = (code: ErrorCode): number => ERROR_CODES[code].status;

/** `Retry-After` of a response with this status: what the error knows, else a second; null where waiting is for nothing. */
export function retryAfterSeconds(error: unknown, status: number): number | null {
  if (status !== 429 && status !== 503) return null;
  return Math.ceil((isGraftError(error) ? error.retryAfterSeconds : undefined) ?? 1);
}

/** Bodies that Fastify refused before a route saw them, in words of the closed list. */
export function transportError(error: FastifyError): GraftError | null {
  if (error.statusCode === 413)
    return new GraftError('PAYLOAD_TOO_LARGE', 'The body is larger than this address takes.');
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new GraftError('BAD_REQUEST', error.message);
  return null;
}
