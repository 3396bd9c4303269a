/*
 * What a client may hold up is bounded at each place where it can:
 *   connecting   it says who it is within three seconds, in a message small enough to be kept
 *   operating    so many operations at once, each authenticated anew, because its key may have changed
 *   sending      messages are taken one by one, and the socket is paused while more wait
 *   reading      what is sent waits in memory: beyond a bound the socket is closed instead of written to
 *   draining     the gateway stops: operations that begin are refused
 */

import proxyAddr from '@fastify/proxy-addr';
import { handleProtocols, makeServer, MessageType } from 'graphql-ws';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Caller } from '../../kernel/caller.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { beginningInBytes } from '../../kernel/text.js';
import { checkOrigin, type OriginPolicy } from '../../platform/access/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import { currentSpan, inSpan, remoteSpan } from '../../platform/tracing/index.js';
import { refuseKeyInUrl, type Callers } from './callers.js';
import { HalfSent } from './half-sent.js';
import { readJsonText, turnBefore } from './json-bounds.js';
import type { Limits } from './limits.js';
import { requestIdOf } from './request-scope.js';
import type { PreparedOperation, StreamRunner } from './stream-runner.js';

/** Close codes beyond those of graphql-ws: RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;
/** A client that breaks a rule which has no code of its own: it does not read what it is sent. */
const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;
/** Codes of graphql-transport-ws: no key, or a wrong one; a key that may no longer. (4408, no `connection_init` in time, it sends itself.) */
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

/** Why a socket is closed: `ws` throws where that takes more bytes than a control frame has (RFC 6455 section 5.5). */
const reasonOf = ({ message }: Error): string => beginningInBytes(message, 123);

/** A socket that does not answer a ping within this time, in ms, is gone. */
const KEEP_ALIVE_MS = 12_000;

interface WebSocketParts {
  runner: StreamRunner;
  limits: Limits;
  origins: OriginPolicy;
  callers: Callers;
  /** Whether a proxy of this address is believed who sent it something. */
  trusted: (address: string, hop: number) => boolean;
  log: Logger;
  isDraining: () => boolean;
  connectionInitTimeoutMs?: number;
}

interface Extra {
  readonly requestId: string;
  readonly socket: WebSocket;
  readonly address: string;
  /** Of the upgrade, until `connection_init` brings another. */
  authorization: string | undefined;
  /** Of the message that is being handled. */
  messageBytes: number;
}

/** What a client sends as its key in `connection_init`: `{ authorization: 'Bearer …' }`, as browsers can set no header. */
function authorizationIn(payload: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const name = Object.keys(payload ?? {}).find((key) => key.toLowerCase() === 'authorization');
  const value = name === undefined ? undefined : payload![name];
  return typeof value === 'string' ? value : undefined;
}

/** Answers an upgrade in plain HTTP and hangs up. */
function refuseUpgrade(socket: Duplex, status: string, message: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

/** Pings until the socket closes; ends one that went silent. */
function keepAlive(socket: WebSocket): void {
  let isAlive = true;
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, KEEP_ALIVE_MS);
  timer.unref();
  socket.on('pong', () => (isAlive = true));
  socket.once('close', () => clearInterval(timer));
}

/** Takes a socket's messages one after the other; nothing is read from it while one is taken. */
function onMessages(socket: WebSocket, take: (data: Buffer) => Promise<void>): void {
  let last = Promise.resolve();
  let waiting = 0;
  socket.on('message', (data) => {
    waiting += 1;
    socket.pause();
    last = last
      .then(() => take(data as Buffer))
      .finally(() => {
        waiting -= 1;
        if (waiting === 0) socket.resume();
      });
  });
}

/**
 * `graphql-transport-ws` on /graphql, by graphql-ws's own protocol engine. Its ready-made `ws` adapter is not used because
 * it writes to the console and closes with 4500 where `ws` has a better code (1009, a message too big).
 */
export function addWebSockets(server: Server, parts: WebSocketParts): { close(): Promise<void> } {
  const { runner, limits, log, callers, trusted } = parts;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    handleProtocols,
    // Answered below, where it is seen whether the client reads the answers.
    autoPong: false,
  });

  /** Resolves when the bytes have left, or never will: a write that fails is followed by `close`, which ends the operations. */
  const send = (socket: WebSocket, data: string): Promise<void> =>
    new Promise((resolve) => {
      if (!mayWrite(socket)) return resolve();
      socket.send(data, () => resolve());
    });

  /** Closes a socket whose client lets too much wait, instead of writing more to it. */
  const mayWrite = (socket: WebSocket): boolean => {
    if (socket.readyState !== socket.OPEN) return false;
    if (socket.bufferedAmount <= limits.unreadBytes) return true;
    socket.close(POLICY_VIOLATION, 'Does not read what it is sent');
    return false;
  };

  const callerOf = ({ authorization, address }: Extra): Caller | Promise<Caller> =>
    callers.authenticate(authorization, address);

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: parts.connectionInitTimeoutMs ?? 3_000,
    onSubscribe: async (context, id, payload) => {
      // The message was parsed in this turn.
      await turnBefore(context.extra.messageBytes);
      const requestId = `${context.extra.requestId}:${id.slice(0, 64)}`;
      if (parts.isDraining())
        return runner.presented(new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.'), requestId);
      if (Object.keys(context.subscriptions).length > limits.operationsPerSocket)
        return runner.presented(
          new GraftError(
            'OVERLOADED',
            `This socket has ${limits.operationsPerSocket} operations under way, the most it may.`,
          ),
          requestId,
        );
      try {
        runner.checker.putText(payload);
        // Anew for each operation: the key may have changed since the socket was opened.
        return runner.prepare(payload, await callerOf(context.extra), requestId);
      } catch (error) {
        return runner.presented(error, requestId);
      }
    },
    onConnect: async ({ extra, connectionParams }) => {
      const { socket, messageBytes } = extra;
      // Its payload would be kept for as long as the socket is open.
      if (messageBytes > limits.pingBytes * 16) {
        socket.close(TOO_BIG, 'connection_init too big');
        return false;
      }
      extra.authorization = authorizationIn(connectionParams) ?? extra.authorization;
      try {
        const caller = await callerOf(extra);
        // Who left meanwhile has had its `close`, and would be watched for ever.
        if (socket.readyState !== socket.OPEN) return false;
        const unwatch = callers.watch(caller, 'ASK', (error) => {
          // After the operations, each of which says why it ended.
          setImmediate(() => socket.close(FORBIDDEN, reasonOf(error)));
        });
        socket.once('close', unwatch);
        return true;
      } catch (error) {
        if (!isGraftError(error)) throw error;
        socket.close(error.code === 'UNAUTHENTICATED' ? UNAUTHORIZED : TRY_AGAIN_LATER, reasonOf(error));
        return false;
      }
    },
    onPing: async ({ extra: { socket, messageBytes } }, payload) => {
      if (messageBytes > limits.pingBytes) return socket.close(TOO_BIG, 'Ping too big');
      await send(socket, JSON.stringify({ type: MessageType.Pong, payload }));
    },
    onPong: ({ extra: { socket, messageBytes } }) => {
      if (messageBytes > limits.pingBytes) socket.close(TOO_BIG, 'Pong too big');
    },
    execute: (args) => runner.run(args as PreparedOperation, 'websocket'),
    subscribe: (args) => runner.run(args as PreparedOperation, 'websocket'),
  });

  const halfSent = new HalfSent(limits);

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const requestId = requestIdOf(request.headers);
    halfSent.watch(socket, request.socket, (reason) => {
      if (reason === 'too slow') socket.close(POLICY_VIOLATION, 'The message arrives too slowly');
      else socket.close(TRY_AGAIN_LATER, 'Too many messages under way');
      // Its client may send on for as long as the close handshake lasts.
      socket.terminate();
    });
    // `ws` closes by itself with the code that fits (1002 a bad frame, 1007 bad UTF-8, 1009 too big).
    socket.on('error', (error) => log.info({ err: error, requestId }, 'socket failed'));
    keepAlive(socket);
    socket.on('ping', (data) => {
      if (mayWrite(socket)) socket.pong(data);
    });
    const { authorization } = request.headers;
    const address = proxyAddr(request, trusted);
    const caller = remoteSpan(request.headers['traceparent']) ?? currentSpan();
    const extra: Extra = { requestId, socket, address, authorization, messageBytes: 0 };
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          onMessages(socket, async (data) => {
            const text = await readJsonText(data, limits.json).catch(() => null);
            if (text === null) return socket.close(TOO_BIG, 'Too many JSON values or levels');
            extra.messageBytes = data.length;
            inSpan(caller, () => handle(text)).catch((error: unknown) => {
              log.error({ err: error, requestId }, 'message handling failed');
              socket.close(INTERNAL_ERROR, 'Internal error');
            });
          }),
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      closed(code, String(reason)).catch((error: unknown) =>
        log.error({ err: error, requestId }, 'closing a socket failed'),
      );
    });
    if (sockets.clients.size > limits.streams) socket.close(TRY_AGAIN_LATER, 'Too many connections');
  });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?')[0] !== '/graphql')
      return refuseUpgrade(socket, '404 Not Found', 'WebSockets are at /graphql.');
    if (parts.isDraining()) return refuseUpgrade(socket, '503 Service Unavailable', 'The gateway is shutting down.');
    try {
      checkOrigin(request.headers, parts.origins);
      refuseKeyInUrl(request.url);
    } catch (error) {
      return refuseUpgrade(socket, '403 Forbidden', (error as Error).message);
    }
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });

  return {
    async close() {
      for (const client of sockets.clients) client.close(GOING_AWAY, 'Going away');
      // A client that does not answer the close frame must not hold up the shutdown.
      const closings = [...sockets.clients].map(
        (client) => new Promise<void>((resolve) => client.once('close', () => resolve())),
      );
      await Promise.race([Promise.all(closings), sleep(1_000, undefined, { ref: false })]);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}
