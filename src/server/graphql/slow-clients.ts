import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { GraftError } from '../../kernel/errors.js';
import type { Limits } from './limits.js';

/**
 * Ends every connection whose client takes no byte for `stalledMs` although some wait for it: an answer, a download, an
 * event stream or a WebSocket. What waits is memory, and whoever produces it is held up.
 */
export function watchReaders(server: Server, { stalledMs }: Pick<Limits, 'stalledMs'>): void {
  server.on('connection', (socket: Socket) => {
    let previousTotal = 0;
    let previousQueue = 0;
    const timer = setInterval(() => {
      // Node counts what it was given; what still waits has not been taken.
      const now = socket.bytesWritten - socket.writableLength;
      const queued = queuedOf(socket);
      if (socket.writableLength > 0 && now === previousTotal && queued === previousQueue) socket.destroy();
      [previousTotal, previousQueue] = [now, queued];
    }, stalledMs);
    timer.unref();
    socket.once('close', () => clearInterval(timer));
  });
}

/**
 * Bytes of the write under way that the kernel has not taken. Node counts a write when it is done, and one may be a whole answer; its own
 * timeouts look here, too. 0 where a Node has no such number.
 */
const queuedOf = (socket: Socket): number =>
  (socket as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0;

type BodyLimits = Pick<Limits, 'stalledMs' | 'bodyMs' | 'uploadBytesPerSecond' | 'drainMs'>;

const tooSlow = (): GraftError =>
  new GraftError('DEADLINE_EXCEEDED', 'The body arrived too slowly.', {
    hint: 'Send it again over a faster connection.',
  });

/**
 * Gives bodies a time to arrive in: `bodyMs` for operations, a least rate for uploads, whose size says nothing of their time.
 * A body that is too slow is answered with DEADLINE_EXCEEDED; one that was refused is read for `drainMs` more, so that a sender who first
 * sends and then reads sees the answer. Both connections are closed then.
 */
export function watchBodies(server: FastifyInstance, limits: BodyLimits): void {
  // A body that came with its head is complete by the end of this turn, as nearly every operation's is: nothing to watch, and nothing paid for.
  let newRequests: [FastifyRequest, FastifyReply][] = [];
  const watchIncomplete = (): void => {
    const requests = newRequests;
    newRequests = [];
    for (const [request, reply] of requests)
      if (!request.raw.complete && !request.raw.destroyed) watchBody(request, reply, limits);
  };
  server.addHook('onRequest', (request, reply, callback) => {
    const { headers } = request;
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
      if (newRequests.length === 0) setImmediate(watchIncomplete);
      newRequests.push([request, reply]);
    }
    callback();
  });
}

function watchBody(request: FastifyRequest, reply: FastifyReply, limits: BodyLimits): void {
  const { raw } = request;
  const stop = request.url.startsWith('/files')
    ? watchRate(request, limits, () => refuse(reply))
    : after(limits.bodyMs, () => refuse(reply));
  const onAnswer = (): void => {
    stop();
    if (!raw.complete) drain(raw, limits.drainMs);
  };
  raw.once('end', stop);
  raw.once('close', stop);
  if (reply.raw.writableFinished) onAnswer();
  else reply.raw.once('finish', onAnswer);
}

/**
 * Reads what is left of a request that was answered already, for `ms`, then ends it. A connection that is closed while bytes
 * wait on it is reset, and the answer is lost with it; and Node would leave whoever reads the body waiting.
 */
function drain(raw: IncomingMessage, ms: number): void {
  const end = (): void => void raw.destroy();
  // Whoever read it has let go, and may have left it paused.
  raw.unpipe();
  raw.resume();
  raw.once('close', after(ms, end));
  raw.socket.once('close', end);
}

/** @returns what calls it off */
function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

function watchRate(
  { raw }: FastifyRequest,
  { stalledMs, uploadBytesPerSecond }: BodyLimits,
  onSlow: () => void,
): () => void {
  let receivedBytes = raw.socket.bytesRead;
  const timer = setInterval(() => {
    const brought = raw.socket.bytesRead - receivedBytes;
    receivedBytes += brought;
    // Bytes that wait to be read here are not the sender's fault.
    const isBufferFull = raw.readableLength >= raw.readableHighWaterMark;
    if (!isBufferFull && brought < (uploadBytesPerSecond * stalledMs) / 1000) onSlow();
  }, stalledMs);
  timer.unref();
  return () => clearInterval(timer);
}

function refuse(reply: FastifyReply): void {
  if (reply.sent) reply.raw.destroy();
  else void reply.send(tooSlow());
}
