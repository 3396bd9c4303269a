import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sha256 } from '../../src/kernel/hashing.js';
import { workerProgram } from '../../src/platform/worker/spawn.js';
import { TINY_CONTEXT, tinyModel } from '../support/tiny-model.js';
import { startWorker, workspaceId } from '../support/worker.js';

/** The worker, which finds that other programs kept the processors busy whenever it measures. */
const BUSY = (program: string) => `
const send = process.send.bind(process);
process.send = (message, ...how) => {
  if (message?.output?.quiet !== undefined) message.output.quiet = false;
  return send(message, ...how);
};
await import(${JSON.stringify(pathToFileURL(program).href)});
`;

it('a busy machine’s figures are used until the end of the gateway, and not kept for the next', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'graft-busy-'));
  const content = tinyModel();
  const model = { path: join(folder, 'tiny.gguf'), sha256: sha256(content), contextLength: TINY_CONTEXT };
  await writeFile(model.path, content);
  const program = join(folder, 'busy.mjs');
  await writeFile(program, BUSY(workerProgram()));
  const { client, home, log, dispose } = await startWorker({ program });
  try {
    const measured = await client.prepareModel({ workspaceId, model });
    expect(measured.quiet).toBe(false);
    expect(await client.prepareModel({ workspaceId, model })).toEqual(measured);
    expect(log.filter(({ message }) => message === 'thread counts measured')).toHaveLength(1);
    expect(await readdir(home)).not.toContain('calibration.json');
  } finally {
    await dispose();
    await rm(folder, { recursive: true });
  }
});
