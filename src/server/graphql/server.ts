import { compile } from '@fastify/proxy-addr';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGraftError, GraftError } from '../../kernel/errors.js';
import { checkOrigin, type OriginPolicy } from '../../platform/access/index.js';
import { Metrics, type Logger } from '../../platform/telemetry/index.js';
import { addAuthentication, type Callers } from './callers.js';
import { DocumentChecker } from './documents.js';
import { ErrorPresenter, httpStatus, retryAfterSeconds, transportError, type ErrorMapper } from './errors.js';
import { addHealthRoutes, type HealthSources } from './health.js';
import { addGraphqlRoute } from './http.js';
import { readJson } from './json-bounds.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { cannotListen } from './listening.js';
import type { OperationList } from './operation-list.js';
import { addConsole, type ConsoleSignIn } from './console/console.js';
import { addPlayground } from './playground/playground.js';
import { addRequestSpans } from './request-spans.js';
import { requestIdOf } from './request-scope.js';
import { watchBodies, watchReaders } from './slow-clients.js';
import { addEventStreams } from './event-streams.js';
import { StreamRunner } from './stream-runner.js';
import { addDownloads, type DownloadSource } from './downloads.js';
import { addUploads, type FileStore, type AuditHook } from './uploads.js';
import { addWebSockets } from './websockets.js';

export interface GatewayOptions {
  schema: GraphQLSchema;
  host: string;
  /** 0 takes a free one. */
  port: number;
  origins: OriginPolicy;
  /** Addresses and networks of proxies whose `X-Forwarded-…` headers are believed; none by default. */
  trustedProxies?: readonly string[];
  /** What is answered; every document where there is no list. */
  operations?: OperationList | null;
  /** Says who sends a request. */
  callers: Callers;
  log: Logger;
  readiness: HealthSources['readiness'];
  /** What `/metrics` shows; the gateway adds its own. */
  metrics?: Metrics;
  /** Where `POST /files` puts what it receives. */
  files: FileStore;
  /** Writes down who uploads. */
  noted?: AuditHook;
  /** Without it nothing can be downloaded. */
  downloads?: DownloadSource;
  maxUploadBytes: number;
  /** Gives errors of libraries (the database's, above all) their code. */
  mapError?: ErrorMapper;
  limits?: Partial<Limits>;
  /** Folder of the built Playground; `/playground` answers 404 where it does not exist. */
  playgroundFolder?: string;
  /** Folder of the built console; `/` answers 404 where it does not exist. */
  consoleFolder?: string;
  /** Null: it signs in by keys only. */
  consoleSignIn?: ConsoleSignIn | null;
  /** Adds addresses of its own, beside GraphQL. */
  addRoutes?: (server: FastifyInstance, kit: ServerKit) => void;
  /** How long a WebSocket may stay silent before `connection_init`, in ms. */
  connectionInitTimeoutMs?: number;
}

/** What the server gives to those who add addresses to it. */
export interface ServerKit {
  /** What the gateway answers. */
  schema: GraphQLSchema;
  presenter: ErrorPresenter;
  isDraining: () => boolean;
  /** Holds up the end of draining until the promise is settled. */
  underWay: <T>(work: Promise<T>) => Promise<T>;
}

export interface Gateway {
  /** `http://127.0.0.1:4000`, with the port that was really taken. */
  readonly url: string;
  readonly port: number;
  /**
   * Drains: refuses new work at once (`/readyz` 503), ends WebSockets (1001) and event streams, lets requests that are
   * under way finish for up to `timeoutMs`, aborts the rest, and stops listening.
   */
  close(timeoutMs?: number): Promise<void>;
}

/** The console's: one file that shows nothing before it has asked, as whoever opened it, and that no other page can frame. */
const PAGES: ReadonlySet<string | undefined> = new Set(['/', '/*']);

/** For pages of the configured origins only; others get no such header, so their browsers keep the answer from them. */
const CORS_HEADERS = {
  vary: 'origin, access-control-request-headers',
  'access-control-allow-methods': 'GET, POST',
  'access-control-expose-headers': 'x-request-id, retry-after',
  'access-control-max-age': '600',
};

/** Where every caller needs a key the name in `Host` proves nothing: a page whose name was re-bound has no key to send. */
const originsOf = ({ origins, callers }: GatewayOptions): OriginPolicy =>
  callers.required ? { ...origins, anyHost: true } : origins;

function createFastify(
  options: GatewayOptions,
  limits: Limits,
  presenter: ErrorPresenter,
  trusted: (address: string, hop: number) => boolean,
): FastifyInstance {
  const answerError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const mappedError = isGraftError(error) ? error : (transportError(error) ?? error);
    const presented = presenter.presentPlain(mappedError, request.id);
    const status = isGraftError(error)
      ? httpStatus(error.code)
      : (error.statusCode ?? httpStatus(presented.extensions.code));
    // Fastify would close the connection under a client that still sends, which then sees a broken pipe and no answer.
    if (status === 413) reply.removeHeader('connection');
    const wait = retryAfterSeconds(mappedError, status);
    if (wait !== null) void reply.header('retry-after', `${wait}`);
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .send({ errors: [presented] });
  };
  const server = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    trustProxy: trusted,
    genReqId: (request) => requestIdOf(request.headers),
    // Idle keep-alive connections are closed when the server is; those with a request under way get until the timeout.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // Addresses that can't be decoded; no hook has seen them.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, callback) => {
    // OpenAI's clients name the type where they send nothing: DELETE, cancel, pause, resume.
    const value = body.length === 0 ? undefined : readJson(body, limits.json);
    if (value instanceof Promise) return value;
    callback(null, value);
  });
  const origins = originsOf(options);
  server.addHook('onRequest', (request, reply, callback) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    try {
      checkOrigin(request.headers, origins, request.method === 'GET' && PAGES.has(request.routeOptions.url));
    } catch (error) {
      callback(error as Error);
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && origins.allowedOrigins.includes(origin)) {
      void reply.headers(CORS_HEADERS).header('access-control-allow-origin', origin);
      if (request.method === 'OPTIONS') {
        // Clients of OpenAI and MCP send headers of their own, which change with their releases. A page that is allowed may send what it likes.
        const requestedHeaders = request.headers['access-control-request-headers'];
        if (requestedHeaders !== undefined) void reply.header('access-control-allow-headers', requestedHeaders);
        void reply.code(204).send();
        return;
      }
    }
    callback();
  });
  addRequestSpans(server);
  addAuthentication(server, options.callers);
  watchBodies(server, limits);
  watchReaders(server.server, limits);
  server.setErrorHandler(answerError);
  server.setNotFoundHandler((request, reply) => {
    const error = new GraftError('NOT_FOUND', 'There is nothing at this address; GraphQL is at /graphql.');
    return reply.code(404).send({ errors: [presenter.presentPlain(error, request.id)] });
  });
  return server;
}

/** How long a client may take to receive an answer that is ready when the gateway stops, in ms. */
const ANSWER_GRACE_MS = 1_000;

/** Work that draining waits for. */
class WorkUnderWay {
  #count = 0;
  #whenIdle: (() => void) | undefined;

  readonly add = <T>(work: Promise<T>): Promise<T> => {
    const release = (): void => {
      this.#count -= 1;
      if (this.#count === 0) this.#whenIdle?.();
    };
    this.#count += 1;
    work.then(release, release);
    return work;
  };

  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenIdle = resolve));
  }
}

/** Stops listening; connections that still send an answer get `graceMs` for it. */
async function stopListening(server: FastifyInstance, graceMs: number): Promise<void> {
  const closed = server.close();
  const idle = setInterval(() => server.server.closeIdleConnections(), 20);
  const deadline = setTimeout(() => server.server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}

/** Starts the gateway's one HTTP server with all that is on it: GraphQL over HTTP, WebSocket and SSE, files, health, Playground. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { schema, log, callers } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const metrics = options.metrics ?? new Metrics();
  const presenter = new ErrorPresenter(log, options.mapError, (code) => metrics.errorAnswered(code));
  const checker = new DocumentChecker(schema, limits, undefined, options.operations ?? null);
  const runner = new StreamRunner({ schema, checker, presenter, metrics, log, callers });
  let draining = false;
  const isDraining = () => draining;

  const trusted = compile([...(options.trustedProxies ?? [])]);
  const server = createFastify(options, limits, presenter, trusted);
  const work = new WorkUnderWay();
  addHealthRoutes(server, { isDraining, readiness: options.readiness, metrics });
  const stopApollo = await addGraphqlRoute(server, {
    schema,
    limits,
    presenter,
    metrics,
    log,
    checker,
    isDraining,
    underWay: work.add,
  });
  const eventStreams = addEventStreams(server, { runner, limits, presenter, isDraining });
  if (options.downloads) addDownloads(server, { files: options.downloads, isDraining, underWay: work.add });
  const { files, maxUploadBytes: maxBytes, noted } = options;
  await addUploads(server, { files, noted, maxBytes, isDraining, underWay: work.add });
  options.addRoutes?.(server, { presenter, isDraining, schema: options.schema, underWay: work.add });
  await addPlayground(server, options.playgroundFolder);
  await addConsole(server, options.consoleFolder, options.consoleSignIn);
  const sockets = addWebSockets(server.server, {
    runner,
    limits,
    origins: originsOf(options),
    callers,
    trusted,
    log,
    isDraining,
    connectionInitTimeoutMs: options.connectionInitTimeoutMs,
  });

  await server.listen({ host: options.host, port: options.port }).catch(cannotListen(options.host, options.port));
  const address = server.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;

  let closing: Promise<void> | undefined;
  const close = async (timeoutMs: number): Promise<void> => {
    draining = true;
    await sockets.close();
    eventStreams.close();
    const until = performance.now() + timeoutMs;
    await Promise.race([work.idle(), sleep(timeoutMs, undefined, { ref: false })]);
    // What was given time and did not use it gets no more; an answer on its way may arrive.
    await stopListening(server, Math.max(0, Math.min(ANSWER_GRACE_MS, until - performance.now())));
    await stopApollo();
  };
  return {
    url: `http://${host}:${port}`,
    port,
    close: (timeoutMs = 10_000) => (closing ??= close(timeoutMs)),
  };
}
