import { HeaderMap, type ApolloServer, type HTTPGraphQLRequest } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OperationTypeNode, type FormattedExecutionResult, type GraphQLFormattedError } from 'graphql';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { GraftError } from '../../kernel/errors.js';
import { createGraphContext, type GraphContext, type OperationCost } from '../../kit/graphql/index.js';
import { createApollo, ErrorOwners, refusal, type ApolloParts } from './apollo.js';
import { RequestRefused, operationType, type DocumentChecker } from './documents.js';
import { turnBefore } from './json-bounds.js';
import { parametersOf, searchOf } from './request-parameters.js';
import { ResponseLifetime } from './request-scope.js';

/**
 * Checks everything that holds before an operation runs.
 * @returns what it costs; undefined where Apollo will refuse the request
 * @throws a refusal for Apollo to answer with
 */
function checkOperation(request: FastifyRequest, checker: DocumentChecker): OperationCost | undefined {
  const parameters = parametersOf(request);
  if (!parameters) return undefined;
  try {
    const prepared = checker.prepare(parameters.query);
    const type = operationType(prepared, parameters.operationName);
    if (type === OperationTypeNode.SUBSCRIPTION)
      throw new GraftError(
        'BAD_REQUEST',
        'Subscriptions run over WebSocket at /graphql or as event streams at /graphql/stream.',
      );
    if (prepared.exclusive && request.method === 'GET')
      throw refusal(new GraftError('BAD_REQUEST', 'ask and answerAll are answered over POST only.'), 405, [
        ['allow', 'POST'],
      ]);
    return checker.checkVariables(prepared, parameters.operationName, parameters.variables);
  } catch (error) {
    // Syntax, validation and variables: Apollo finds these errors again, and answers with them.
    if (error instanceof RequestRefused) return undefined;
    throw error instanceof GraftError ? refusal(error) : error;
  }
}

/** Errors of a request that is well-formed as HTTP: its GraphQL document or variables are at fault. */
const DOCUMENT_ERRORS: ReadonlySet<unknown> = new Set<ErrorCode>([
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
]);

/**
 * GraphQL over HTTP asks for 200 when a well-formed request is answered as `application/json`, whatever the answer:
 * only `application/graphql-response+json` tells a GraphQL server's 400 from a proxy's.
 */
function isAnswerInJson(errors: readonly GraphQLFormattedError[], contentType: string | undefined): boolean {
  if (!contentType?.startsWith('application/json')) return false;
  return errors.every((error) => DOCUMENT_ERRORS.has(error.extensions?.['code']));
}

interface HttpParts {
  checker: DocumentChecker;
  isDraining: () => boolean;
  /** Holds up the end of draining until the promise is settled. */
  underWay: <T>(work: Promise<T>) => Promise<T>;
}

/** The headers that Apollo reads, beside `accept`: a browser sends some fifteen more. */
const READ_HEADERS = ['content-type', 'x-apollo-operation-name', 'apollo-require-preflight'];

/** What a client means that sends no `accept`, and most programs send. */
const ANYTHING = '*/*';

/** The request as Apollo takes it. */
function apolloRequest(request: FastifyRequest): HTTPGraphQLRequest {
  const headers = new HeaderMap();
  for (const name of READ_HEADERS) {
    const value = request.headers[name];
    if (value !== undefined) headers.set(name, typeof value === 'string' ? value : value.join(', '));
  }
  const { accept = ANYTHING } = request.headers;
  // To Apollo an empty value means anything, too, and spares it weighing media types against one another.
  headers.set('accept', accept === ANYTHING ? '' : accept);
  const search = request.method === 'GET' ? searchOf(request) : '';
  return { method: request.method, headers, search, body: request.body };
}

/** Lets Apollo answer. The ready-made adapter for Fastify does the same, but parses a URL and gathers the headers twice for it. */
async function answer(
  apollo: ApolloServer<GraphContext>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: () => Promise<GraphContext>,
): Promise<string> {
  const { headers, status, body } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: apolloRequest(request),
    context,
  });
  for (const [name, value] of headers) void reply.header(name, value);
  void reply.header('cache-control', 'no-store');
  // A body in parts is what @defer makes, which this version of graphql does not have.
  const text = body.kind === 'complete' ? body.string : '';
  if (status === undefined || status < 400) return text;
  const result = JSON.parse(text) as FormattedExecutionResult;
  // What Apollo refuses by itself it formats before it knows whose request it is.
  const errors = result.errors!.map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId: request.id },
  }));
  void reply.code(status === 400 && isAnswerInJson(errors, headers.get('content-type')) ? 200 : status);
  return JSON.stringify({ ...result, errors });
}

/**
 * `POST` and `GET /graphql` as GraphQL over HTTP has it. A browser that opens the address is sent to the Playground.
 * @returns what to call when the server closes
 */
export async function addGraphqlRoute(
  server: FastifyInstance,
  parts: ApolloParts & HttpParts,
): Promise<() => Promise<void>> {
  const owners = new ErrorOwners();
  const apollo = createApollo(parts, owners);
  await apollo.start();

  const contextOf = async (request: FastifyRequest, reply: FastifyReply): Promise<GraphContext> => {
    try {
      if (parts.isDraining()) throw refusal(new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.'));
      const cost = checkOperation(request, parts.checker);
      // Apollo reads the variables once more.
      await turnBefore(Number(request.headers['content-length'] ?? 0));
      return createGraphContext(request.caller, request.id, new ResponseLifetime(reply.raw), cost);
    } catch (error) {
      owners.set(error as Error, request.id);
      throw error;
    }
  };

  server.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    config: { role: 'ASK' },
    handler: (request, reply) => {
      if (request.method === 'GET' && request.headers.accept?.startsWith('text/html') && !request.url.includes('?'))
        return reply.redirect('/playground');
      parts.checker.putText(request.body);
      return parts.underWay(answer(apollo, request, reply, () => contextOf(request, reply)));
    },
  });
  return () => apollo.stop();
}
