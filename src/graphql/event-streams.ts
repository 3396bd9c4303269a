import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ExecutionResult } from 'graphql';
import type { OperationArgs } from 'graphql-sse';
import { createHandler } from 'graphql-sse/lib/use/fastify';
import { GraftError } from '../kernel/errors.js';
import { httpStatus, type ErrorPresenter } from './errors.js';
import type { Limits } from './limits.js';
import { parametersOf } from './request-parameters.js';
import type { PreparedOperation, StreamRunner } from './stream-runner.js';

export interface EventStreamParts {
  runner: StreamRunner;
  limits: Limits;
  presenter: ErrorPresenter;
  isDraining: () => boolean;
}

/**
 * `/graphql/stream`: one operation a connection ("distinct connections mode" of the GraphQL over SSE protocol), so the
 * client's disconnect is the cancellation, and no state is kept between requests.
 */
export function addEventStreams(server: FastifyInstance, parts: EventStreamParts): { close(): void } {
  const { runner, limits, presenter } = parts;
  const open = new Set<{ return(): unknown }>();

  const handle = createHandler({
    // No token: there are no reserved streams to attach to.
    authenticate: () => '',
    onSubscribe: (request, params) => {
      const { id: requestId } = request.raw;
      const prepared = runner.prepare(params, requestId, request.method === 'GET');
      if (Array.isArray(prepared)) return { data: undefined, errors: prepared } as ExecutionResult;
      return prepared as unknown as OperationArgs<undefined>;
    },
    // `prepare` has validated.
    validate: () => [],
    execute: (args: unknown) => track(args as PreparedOperation),
    subscribe: (args: unknown) => track(args as PreparedOperation),
  });

  function track(operation: PreparedOperation) {
    const results = runner.run(operation, 'sse', () => open.delete(results));
    open.add(results);
    return results;
  }

  server.route({
    method: ['GET', 'POST'],
    url: '/graphql/stream',
    handler: async (request, reply) => {
      const error = refusalOf(request);
      if (error) {
        const errors = [presenter.presentPlain(error.error, request.id)];
        return reply.code(error.status).header('cache-control', 'no-store').send({ errors });
      }
      reply.hijack();
      try {
        await handle(request, reply);
      } catch {
        reply.raw.destroy();
      }
      return reply;
    },
  });

  function refusalOf(request: FastifyRequest): { error: GraftError; status: number } | null {
    const refuse = (error: GraftError, status = httpStatus(error.code)) => ({ error, status });
    if (request.headers.accept !== 'text/event-stream')
      return refuse(
        new GraftError('BAD_REQUEST', 'This address streams events: send `accept: text/event-stream`.'),
        406,
      );
    if (!parametersOf(request))
      return refuse(new GraftError('BAD_REQUEST', 'The request has no `query`, or malformed `variables`.'));
    if (parts.isDraining()) return refuse(new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.'));
    if (open.size >= limits.streams) return refuse(new GraftError('OVERLOADED', 'Too many streams are open.'));
    return null;
  }

  return {
    close() {
      for (const results of open) results.return();
    },
  };
}
