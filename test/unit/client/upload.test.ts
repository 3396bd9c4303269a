import { createServer, type Server } from 'node:http';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraftClient } from '../../../src/client/graft-client.js';

/** Larger than what is read, sent and received ahead, so that the file is under way when it changes. */
const SIZE = 40_000_000;

describe('a file that changes while it is uploaded', () => {
  let folder: string;
  let path: string;
  let server: Server;
  let client: GraftClient;
  let begun: () => Promise<unknown>;
  let received: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-upload-'));
    path = join(folder, 'log.txt');
    received = '';
    server = createServer((request, response) => {
      request.on('error', () => undefined);
      request.once('data', (first: Buffer) => {
        received = first.toString('latin1');
        request.pause();
        void begun().then(() => {
          request.on('data', (piece: Buffer) => (received += piece.toString('latin1'))).resume();
          request.on('end', () => response.setHeader('content-type', 'application/json').end('{"id":"file-1"}'));
        });
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    client = new GraftClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await rm(folder, { recursive: true });
  });

  it.each([0, SIZE])('is sent as far as it went, where it grows behind its first %d bytes', async (size) => {
    await writeFile(path, 'a'.repeat(size));
    begun = () => appendFile(path, 'b'.repeat(1_000));
    await expect(client.upload(path)).resolves.toBe('file-1');
    const [, content] = /\r\n\r\n([^]*)\r\n--graft-[-0-9a-f]+--\r\n$/.exec(received)!;
    expect([content!.length, content!.includes('b')]).toEqual([size, false]);
  });

  it('is refused as such where it shrinks, and not as a gateway that does not answer', async () => {
    await writeFile(path, 'a'.repeat(SIZE));
    begun = () => truncate(path, 1_000);
    await expect(client.upload(path)).rejects.toMatchObject({
      code: 'FILE_CHANGED',
      sentence: `${path} changed while it was sent.`,
    });
  });

  it('is refused with its own fault where it cannot be read', async () => {
    begun = () => Promise.resolve();
    await expect(client.upload(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
