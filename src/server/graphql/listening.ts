import { once } from 'node:events';
import { createServer } from 'node:net';
import { GraftError } from '../../kernel/errors.js';

/**
 * Listens for a moment, so that a taken port is known before anything starts.
 * @param port 0 is always free
 * @throws SETUP_FAILED
 */
export async function checkAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    cannotListen(host, port)(error);
  }
  server.close();
  await once(server, 'close');
}

/** What to throw when `host` and `port` can't be had. */
export const cannotListen =
  (host: string, port: number) =>
  (error: unknown): never => {
    const isInUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new GraftError(
      'SETUP_FAILED',
      isInUse ? `Port ${port} of ${host} is taken.` : `Graft can’t listen on port ${port} of ${host}.`,
      {
        hint: isInUse
          ? 'Stop the program that listens there, or choose another with GRAFT_PORT (0 takes a free one).'
          : 'Choose another with GRAFT_PORT (0 takes a free one; those below 1024 may need privileges).',
        cause: error,
      },
    );
  };
