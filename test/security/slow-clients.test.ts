import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { GraftError } from '../../src/kernel/errors.js';
import { watchReaders } from '../../src/server/graphql/slow-clients.js';
import { newId } from '../../src/kernel/ids.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { LocalArtifactStore } from '../../src/platform/artifacts/index.js';
import { eventually } from '../support/eventually.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const MULTIPART = 'multipart/form-data; boundary=b';
const FORM = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';

describe('a client that does not read, or hardly sends', () => {
  let gateway: ProbeGateway;
  let folder: TemporaryFolder;
  let downloadsClosed = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const artifacts = new LocalArtifactStore(folder.path);
    gateway = await startProbeGateway({
      limits: {
        unreadBytes: 256 * 1024,
        stalledMs: 400,
        bodyMs: 400,
        drainMs: 400,
        uploadBytesPerSecond: 10_000,
      },
      files: {
        store: async (_workspaceId, { name, mediaType, source, maxBytes }) => ({
          ...(await artifacts.put(source, { maxBytes })),
          id: newId(),
          name,
          mediaType,
        }),
      },
      downloads: {
        open: () =>
          Promise.resolve({
            name: 'endless',
            bytes: Number.MAX_SAFE_INTEGER,
            content: () => {
              const content = new Readable({ read: () => void content.push(Buffer.alloc(64 * 1024)) });
              return Promise.resolve(content.once('close', () => (downloadsClosed += 1)));
            },
          }),
      },
    });
  });
  afterAll(async () => {
    await gateway.close(100);
    await folder.remove();
  });

  const open = async (text: string, port = gateway.port): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const head = (line: string, headers: Record<string, string | number>) =>
    `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`;
  /** All that the gateway says until it hangs up; a reset is a way to hang up, which `once` would throw. */
  const untilClosed = async (socket: Socket): Promise<string> => {
    let text = '';
    socket.on('data', (chunk) => (text = (text + chunk.toString('latin1')).slice(-10_000)));
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    return text;
  };
  const tricklesInto = async (socket: Socket, start = ''): Promise<string> => {
    const closed = untilClosed(socket);
    socket.write(start);
    const timer = setInterval(() => socket.writable && socket.write('x'), 20);
    try {
      return await closed;
    } finally {
      clearInterval(timer);
    }
  };

  it('is closed with 1008 when it pings over WebSocket and lets the answers wait', async () => {
    for (const ping of [
      (socket: WebSocket) => socket.send(JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(900) } })),
      (socket: WebSocket) => socket.ping(Buffer.alloc(125)),
    ]) {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      const closed = new Promise<number>((resolve) => socket.on('close', resolve));
      socket.on('error', () => undefined);
      await once(socket, 'open');
      socket.send('{"type":"connection_init"}');
      await once(socket, 'message');
      socket.pause();
      // More than the kernel's buffers hold: what the client does not take waits in the gateway.
      for (let i = 0; i < 200_000 && socket.readyState === socket.OPEN; i++) {
        ping(socket);
        if (i % 500 === 0) await sleep(0);
      }
      socket.resume();
      // 1006 where the connection was cut before the client looked.
      expect([1008, 1006]).toContain(await closed);
    }
    expect(await (await fetch(`${gateway.url}/livez`)).json()).toEqual({ status: 'alive' });
  });

  /** A WebSocket whose message has begun: 1,000,000 bytes are announced, some sent. */
  const beginMessage = async (
    bytes: number,
    port = gateway.port,
  ): Promise<{ raw: Socket; answer: Promise<string> }> => {
    const handshake = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': 13,
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-protocol': 'graphql-transport-ws',
    };
    const raw = await open(head('GET /graphql', handshake), port);
    const answer = untilClosed(raw);
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0]);
    raw.write(Buffer.concat([header, Buffer.alloc(bytes, ' ')]));
    return { raw, answer };
  };

  it('is cut off in the middle of a WebSocket message that takes too long, whatever it pings meanwhile', async () => {
    const { raw, answer } = await beginMessage(100);
    const timer = setInterval(() => raw.writable && raw.write('x'), 20);
    await answer;
    clearInterval(timer);
    const idle = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(idle, 'open');
    idle.send('{"type":"connection_init"}');
    await once(idle, 'message');
    for (let n = 0; n < 5; n++) {
      idle.ping('still here');
      await sleep(200);
    }
    expect(idle.readyState).toBe(idle.OPEN);
    idle.close();
  });

  it('is cut off when half-sent WebSocket messages of many together are too much, and others are served on', async () => {
    const patient = await startProbeGateway({ limits: { halfSentBytes: 4 * 1024 * 1024 } });
    try {
      const begun = await Promise.all(Array.from({ length: 12 }, () => beginMessage(900_000, patient.port)));
      expect(await Promise.any(begun.map(({ answer }) => answer))).toContain('Too many messages under way');
      for (const { raw } of begun) raw.destroy();
      expect(await (await fetch(`${patient.url}/livez`)).json()).toEqual({ status: 'alive' });
    } finally {
      await patient.close(100);
    }
  });

  it('is cut off from a download and from an event stream', async () => {
    const id = toGlobalId('File', newId());
    const body = JSON.stringify({ query: 'subscription { counter(to: 2000000000) }' });
    const sse = { 'content-type': 'application/json', accept: 'text/event-stream', 'content-length': body.length };
    const sockets = await Promise.all([
      open(head(`GET /files/${id}`, {})),
      open(head('POST /graphql/stream', sse) + body),
    ]);
    for (const socket of sockets) socket.pause();
    await eventually('the download ends', () => downloadsClosed === 1);
    await eventually('the stream ends', () => gateway.lines.some((line) => line.includes('"stream ended"')));
    for (const socket of sockets) expect(await untilClosed(socket.resume())).not.toBe('');
  });

  it('is told so with 504 when the body of an operation or of an upload trickles in', async () => {
    const operation = { 'content-type': 'application/json', 'content-length': 1_000_000 };
    const upload = { 'graft-upload': 1, 'content-type': MULTIPART, 'transfer-encoding': 'chunked' };
    const answers = await Promise.all([
      tricklesInto(await open(head('POST /graphql', operation)), '{"query":"'),
      tricklesInto(
        await open(head('POST /graphql/stream', { ...operation, accept: 'text/event-stream' })),
        '{"query":"',
      ),
      tricklesInto(
        await open(head('POST /files', { ...upload, 'content-length': 1_000_000 }).replace(/transfer.*\r\n/, '')),
        FORM,
      ),
    ]);
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 504 /);
      expect(answer).toContain('"code":"DEADLINE_EXCEEDED"');
    }
  });

  it('is left in peace while it takes a large answer slowly, but steadily', async () => {
    const bytes = 40_000_000;
    const bytesPerMs = 10_000;
    const server = createServer((_request, response) => response.end('x'.repeat(bytes)));
    watchReaders(server, { stalledMs: 1_000 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = await open(head('GET /', { connection: 'close' }), (server.address() as AddressInfo).port);
    let taken = 0;
    socket.on('data', (chunk) => {
      taken += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), chunk.length / bytesPerMs);
    });
    await new Promise((resolve) => socket.once('close', resolve));
    server.close();
    expect(taken).toBeGreaterThan(bytes);
  });

  it('has a refused upload drained for a while, and then the connection closed', async () => {
    const upload = { 'graft-upload': 1, 'content-type': MULTIPART, 'content-length': 4_000_000_000 };
    const answer = await tricklesInto(await open(head('POST /files', upload)), FORM);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that sends all of a refused upload before it reads sees the answer, and can go on with the connection', async () => {
    const refusing = await startProbeGateway({
      maxUploadBytes: 64 * 1024 ** 2,
      files: {
        store: async (_workspaceId, { source }) => {
          for await (const chunk of source)
            if (chunk.length > 0) throw new GraftError('STORAGE_FAILED', 'The disk is full.');
          throw new Error('nothing came');
        },
      },
    });
    const end = '\r\n--b--\r\n';
    const bytes = 30_000_000;
    const upload = { 'graft-upload': 1, 'content-type': MULTIPART, 'content-length': FORM.length + bytes + end.length };
    try {
      const socket = await open(head('POST /files', upload) + FORM, refusing.port);
      socket.pause();
      await new Promise((resolve) => socket.write(Buffer.alloc(bytes, 'x'), resolve));
      socket.write(end + head('GET /livez', { connection: 'close' }));
      const answers = await untilClosed(socket.resume());
      expect(answers).toContain('"code":"STORAGE_FAILED"');
      expect(answers).toContain('{"status":"alive"}');
    } finally {
      await refusing.close(100);
    }
  });

  it('leaves nothing behind when it gives up an upload, or is told to', async () => {
    const temporary = join(folder.path, 'tmp');
    await eventually('what came too slowly is gone', async () => (await readdir(temporary)).length === 0);
    const upload = { 'graft-upload': 1, 'content-type': MULTIPART, 'content-length': 1_000_000 };
    const socket = await open(head('POST /files', upload) + FORM + 'x'.repeat(200_000));
    await eventually('the file begins', async () => (await readdir(temporary)).length === 1);
    socket.destroy();
    await eventually('it is gone', async () => (await readdir(temporary)).length === 0);
  });
});
