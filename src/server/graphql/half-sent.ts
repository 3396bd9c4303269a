import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Limits } from './limits.js';

/** A control frame of a client, beside its payload: header and mask. */
const CONTROL_FRAME_BYTES = 6;

/** What clients of WebSockets have begun to send and not ended: it is kept in memory, for all of them together. */
export class HalfSent {
  #bytes = 0;

  constructor(private readonly limits: Pick<Limits, 'halfSentBytes' | 'bodyMs'>) {}

  /**
   * Watches what a client sends until its connection closes.
   * @param raw the connection below `socket`
   * @param refuse is called when a message takes longer than `bodyMs`, or brought the sum over its bound
   */
  watch(socket: WebSocket, raw: Duplex, refuse: (reason: 'too slow' | 'too much') => void): void {
    let bufferedBytes = 0;
    let timer: NodeJS.Timeout | undefined;
    const release = (bytes: number): void => {
      const releasedBytes = Math.min(bytes, bufferedBytes);
      bufferedBytes -= releasedBytes;
      this.#bytes -= releasedBytes;
      if (bufferedBytes > 0) return;
      clearTimeout(timer);
      timer = undefined;
    };
    // Before `ws` reads the piece and says what it ends.
    raw.prependListener('data', (piece: Buffer) => {
      bufferedBytes += piece.length;
      this.#bytes += piece.length;
      timer ??= setTimeout(() => refuse('too slow'), this.limits.bodyMs).unref();
      if (this.#bytes > this.limits.halfSentBytes) refuse('too much');
    });
    socket.prependListener('message', () => release(bufferedBytes));
    // Between the pieces of a message too.
    const control = (payload: Buffer): void => release(payload.length + CONTROL_FRAME_BYTES);
    socket.on('ping', control);
    socket.on('pong', control);
    raw.once('close', () => release(bufferedBytes));
  }
}
