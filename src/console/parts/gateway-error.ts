import { errorText } from './error-text';
import type { CombinedError } from 'urql';

interface ErrorLike {
  message: string;
  extensions?: Record<string, unknown>;
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** An error as the gateway tells it: its code of `schema/errors.md`, and what to do. */
export class GatewayError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }

  static from({ message, extensions }: ErrorLike): GatewayError {
    return new GatewayError(text(extensions?.['code']) ?? 'UNKNOWN', message, text(extensions?.['hint']));
  }
}

/** Any error in words that a person can act on. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { graphQLErrors, networkError } = error as Partial<CombinedError>;
  if (graphQLErrors?.[0]) return GatewayError.from(graphQLErrors[0]);
  if (networkError)
    return new GatewayError(
      'NO_CONNECTION',
      'The gateway does not answer.',
      'Check that `npm start` is running, then try again.',
    );
  return new GatewayError('UNKNOWN', errorText(error));
}
