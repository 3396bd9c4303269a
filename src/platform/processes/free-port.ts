import { createServer } from 'node:net';

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}

/** Whether nothing listens on this loopback port now. */
export const isFree = async (port: number): Promise<boolean> => (await tryPort(port)) !== null;

/** The preferred loopback port when it is free, else any free one. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  const port = await tryPort(0);
  if (port === null) throw new Error('this machine has no free loopback port');
  return port;
}
