/** Spans of requests and operations: which begin one, what it is called, and what is said of it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Kind, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import {
  currentSpan,
  GRAFT,
  GRAPHQL,
  HTTP,
  inSpan,
  isTracing,
  remoteSpan,
  startSpan,
} from '../../platform/tracing/index.js';
import type { TraceSpan } from '../../platform/tracing/index.js';

/** What programs look at all the time, and pages. */
const UNSEEN: ReadonlySet<string> = new Set([
  '/',
  '/*',
  '/console/*',
  '/playground',
  '/playground/',
  '/playground/*',
  '/livez',
  '/readyz',
  '/metrics',
  '/sign-in.json',
]);

/** Names of operations are the caller’s. */
const LONGEST_NAME = 120;

/** A span for each request to an address that does something, within the caller's where it sends a `traceparent`. */
export function addRequestSpans(server: FastifyInstance): void {
  if (!isTracing()) return;
  const spans = new WeakMap<FastifyRequest, TraceSpan>();
  server.addHook('onRequest', (request, reply, callback) => {
    const { url: route } = request.routeOptions;
    if (route === undefined || UNSEEN.has(route)) return callback();
    const { method, id, headers } = request;
    const parentSpan = currentSpan();
    const span = startSpan(`${method} ${route}`, {
      kind: 'server',
      // What `/mcp` calls is part of its own request.
      parent: parentSpan.traceparent === null ? remoteSpan(headers['traceparent']) : parentSpan,
      attributes: { [HTTP.METHOD]: method, [HTTP.ROUTE]: route, [GRAFT.REQUEST_ID]: id },
    });
    spans.set(request, span);
    const endSpan = (): void => {
      // `close` comes behind `finish`, too.
      if (!span.recording) return;
      const { statusCode } = reply.raw;
      const { caller } = request as Partial<FastifyRequest>;
      span.set({ [HTTP.STATUS]: statusCode, [GRAFT.WORKSPACE]: caller?.workspaceId });
      span.end(statusCode >= 500 ? `${statusCode}` : undefined);
    };
    reply.raw.once('finish', endSpan).once('close', endSpan);
    callback();
  });
  // Behind the reading of the body, which goes on wherever its bytes arrive.
  server.addHook('preHandler', (request, _reply, callback) => {
    const span = spans.get(request);
    if (span) inSpan(span, callback);
    else callback();
  });
}

/** The name of an operation's span: its type and its first field, of which there are as many as the schema has. */
export function operationSpanName({ operation, selectionSet }: OperationDefinitionNode): string {
  const field = selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
  return field ? `${operation} ${field.name.value}` : operation;
}

/** What is said of an operation. */
export const operationAttributes = (
  { operation, name }: OperationDefinitionNode,
  transport: string,
): Record<string, string | undefined> => ({
  [GRAPHQL.TYPE]: operation,
  [GRAPHQL.NAME]: name?.value.slice(0, LONGEST_NAME),
  [GRAFT.TRANSPORT]: transport,
});

/** The operation of a document that this name stands for. */
export const operationNamed = (
  { definitions }: DocumentNode,
  name: string | null | undefined,
): OperationDefinitionNode | undefined =>
  definitions.find(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === Kind.OPERATION_DEFINITION && (name == null || definition.name?.value === name),
  );
