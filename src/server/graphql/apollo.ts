import { ApolloServer, HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, OperationTypeNode, type FormattedExecutionResult, type GraphQLSchema } from 'graphql';
import { GraftError } from '../../kernel/errors.js';
import type { GraphContext } from '../../kit/graphql/index.js';
import type { Logger, Metrics } from '../../platform/telemetry/index.js';
import { currentSpan } from '../../platform/tracing/index.js';
import { codeOf, httpStatus, type ErrorPresenter } from './errors.js';
import type { Limits } from './limits.js';
import { operationAttributes, operationSpanName } from './request-spans.js';
import { MOST_REQUEST_ERRORS } from './variables.js';

/** An operation slower than this, in ms, is worth a line at the level `info`. */
const SLOW_MS = 1_000;

export interface ApolloParts {
  schema: GraphQLSchema;
  limits: Limits;
  presenter: ErrorPresenter;
  metrics: Metrics;
  log: Logger;
}

/** Which request an error belongs to: Apollo formats errors without their context. */
export class ErrorOwners {
  readonly #requestIds = new WeakMap<Error, string>();

  set(error: Error, requestId: string): void {
    this.#requestIds.set(error, requestId);
  }

  /** Undefined for an error that Apollo raised before it had a context: a request that it refused. */
  of(error: unknown): string | undefined {
    return error instanceof Error ? this.#requestIds.get(error) : undefined;
  }
}

/** A refusal that Apollo answers with the right status and in the media type that the client asked for. */
export function refusal(
  error: GraftError,
  status = httpStatus(error.code),
  headers: [string, string][] = [],
): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { http: { status, headers: new HeaderMap(headers) } },
  });
}

/**
 * The result with what the operation costs, and with no more than the first errors of a request that was refused as a whole. A new object: one
 * more property on Apollo’s own, a copy made by spreading, is slow.
 */
function finishedResult(
  { data, errors, extensions }: FormattedExecutionResult,
  { cost, budget }: GraphContext,
): FormattedExecutionResult {
  return {
    errors: data === undefined ? errors?.slice(0, MOST_REQUEST_ERRORS) : errors,
    data,
    extensions: cost ? { ...extensions, cost, ...(budget && { budget }) } : extensions,
  };
}

/** One plugin for both: Apollo awaits each plugin's hooks one by one. */
function graftPlugin(log: Logger, metrics: Metrics, owners: ErrorOwners): ApolloServerPlugin<GraphContext> {
  return {
    requestDidStart: async () => {
      const start = performance.now();
      return {
        didEncounterErrors: async ({ errors, contextValue }) => {
          for (const error of errors) owners.set(error, contextValue.requestId);
        },
        didResolveOperation: async ({ operation }) => {
          const span = currentSpan();
          if (!operation || !span.recording) return;
          span.rename(operationSpanName(operation));
          span.set(operationAttributes(operation, 'http'));
        },
        willSendResponse: async ({ contextValue, operation, operationName, errors, response }) => {
          const { body } = response;
          if (body.kind === 'single') body.singleResult = finishedResult(body.singleResult, contextValue);
          const ms = performance.now() - start;
          const type = operation?.operation ?? null;
          metrics.operationEnded({ transport: 'http', type, failed: errors !== undefined, ms });
          if (errors) currentSpan().fail(codeOf(errors[0]!));
          const notable = errors || ms > SLOW_MS || operation?.operation === OperationTypeNode.MUTATION;
          const level = notable ? 'info' : 'debug';
          if (!log.isLevelEnabled(level)) return;
          const codes = errors?.map(codeOf);
          log[level](
            {
              requestId: contextValue.requestId,
              operation: operation?.operation,
              name: operationName,
              ms: Math.round(ms * 10) / 10,
              ...(codes ? { codes } : {}),
            },
            'operation',
          );
        },
      };
    },
  };
}

/** Apollo names the headers that it misses; who meets it has a client whose default is GET, and needs to know the setting. */
function withCure(error: GraphQLError): GraphQLError {
  if (!error.message.includes('Cross-Site Request Forgery')) return error;
  const csrfRefusal = new GraftError('BAD_REQUEST', 'Any web page could make a browser send this GET request (CSRF).', {
    hint: 'Send it by POST with `content-type: application/json`: in urql `preferGetMethod: false`, in Apollo Client without `useGETForQueries`. A GET needs the header `apollo-require-preflight: true`.',
  });
  return new GraphQLError('', { originalError: csrfRefusal });
}

/**
 * Apollo Server for GraphQL over HTTP. Limits are checked before it is asked (`http.ts`), so that all transports share them.
 * Left out on purpose: persisted queries and batching (each is a way around limits), cache hints (every response is
 * `no-store`, and the plugin wraps every resolver), reporting to anybody.
 */
export function createApollo(
  { schema, limits, presenter, metrics, log }: ApolloParts,
  owners: ErrorOwners,
): ApolloServer<GraphContext> {
  return new ApolloServer<GraphContext>({
    schema,
    csrfPrevention: true,
    introspection: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.tokens },
    validationOptions: { maxErrors: MOST_REQUEST_ERRORS },
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => log.warn(String(message)),
      error: (message) => log.error(String(message)),
    },
    formatError: (_formatted, error) =>
      presenter.present(
        withCure(error instanceof GraphQLError ? error : new GraphQLError('', { originalError: error as Error })),
        owners.of(error),
      ),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      graftPlugin(log, metrics, owners),
    ],
  });
}
