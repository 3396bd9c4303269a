import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionResult } from 'graphql';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { GraftError } from '../../kernel/errors.js';
import type { ErrorPresenter } from './errors.js';
import type { Limits } from './limits.js';
import { parametersOf, type RequestParameters } from './request-parameters.js';
import type { StreamRunner } from './stream-runner.js';

/** A comment to the protocol: it keeps proxies from closing a silent connection, and browsers from holding back the first event. */
const COMMENT = ':\n\n';
const COMMENT_EVERY_MS = 12_000;

const MEDIA_TYPE = 'text/event-stream';

interface EventStreamParts {
  runner: StreamRunner;
  limits: Limits;
  presenter: ErrorPresenter;
  isDraining: () => boolean;
}

/** Results as events of the protocol. The next result is asked for when the last one was taken. */
async function* eventsOf(results: AsyncIterable<ExecutionResult> | ExecutionResult[]): AsyncGenerator<string> {
  yield COMMENT;
  for await (const result of results) {
    yield `event: next\ndata: ${JSON.stringify(result)}\n\n`;
    // Results that are all there already leave the others a turn.
    await turn();
  }
  yield 'event: complete\ndata:\n\n';
}

/** Whether the client takes events: `text/event-stream` among the media types that it names. */
const takesEvents = ({ headers: { accept = '' } }: FastifyRequest): boolean =>
  accept.split(',').some((range) => range.split(';')[0]!.trim().toLowerCase() === MEDIA_TYPE);

/**
 * `/graphql/stream`: one operation a connection ("distinct connections mode" of the GraphQL over SSE protocol), so the
 * client's disconnect is the cancellation, and no state is kept between requests. Written out here, because graphql-sse's
 * handler gathers in memory whatever a client does not read.
 */
export function addEventStreams(server: FastifyInstance, parts: EventStreamParts): { close(): void } {
  const { runner, limits, presenter } = parts;
  const open = new Set<{ return(): unknown }>();

  server.route({
    method: ['GET', 'POST'],
    url: '/graphql/stream',
    config: { role: 'ASK' },
    handler: (request, reply) => {
      if (!takesEvents(request)) {
        const error = new GraftError('BAD_REQUEST', `This address streams events: send \`accept: ${MEDIA_TYPE}\`.`);
        return reply
          .code(406)
          .header('cache-control', 'no-store')
          .send({ errors: [presenter.presentPlain(error, request.id)] });
      }
      runner.checker.putText(request.body);
      const parameters = parametersOf(request);
      if (!parameters) throw new GraftError('BAD_REQUEST', 'The request has no `query`, or malformed `variables`.');
      if (parts.isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
      if (open.size >= limits.streams) throw new GraftError('OVERLOADED', 'Too many streams are open.');
      return reply
        .header('content-type', `${MEDIA_TYPE}; charset=utf-8`)
        .header('cache-control', 'no-store')
        .send(Readable.from(eventsOf(resultsOf(request, reply, parameters))));
    },
  });

  /** Runs the operation for as long as the connection is open. */
  function resultsOf({ id, method, caller }: FastifyRequest, { raw }: FastifyReply, parameters: RequestParameters) {
    // Who left while the caller was looked up: its `close` has been, and nothing would end what begins now.
    if (raw.destroyed) return [];
    const prepared = runner.prepare(parameters, caller, id, method === 'GET');
    if (Array.isArray(prepared)) return [{ errors: prepared }];
    const results = runner.run(prepared, 'sse', () => open.delete(results));
    open.add(results);
    const comments = setInterval(() => raw.writableLength === 0 && raw.write(COMMENT), COMMENT_EVERY_MS);
    raw.once('close', () => {
      clearInterval(comments);
      void results.return();
    });
    return results;
  }

  return {
    close() {
      for (const results of open) results.return();
    },
  };
}
