import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { spawnGraft, temporaryHome } from '../support/graft-program.js';

describe('a port that is taken', () => {
  it('is SETUP_FAILED with what to do, before anything starts or a home is made', async () => {
    const home = await temporaryHome({ first: true });
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = String((other.address() as AddressInfo).port);
    try {
      const { program } = spawnGraft(home.path, { GRAFT_PORT: port });
      expect(await program.ended).toBe(1);
      expect(program.output()).toContain(`SETUP_FAILED: Port ${port} of 127.0.0.1 is taken.`);
      expect(program.output()).toContain('GRAFT_PORT');
      await expect(access(home.path)).rejects.toMatchObject({ code: 'ENOENT' });
    } finally {
      other.close();
      await home.remove();
    }
  });
});
