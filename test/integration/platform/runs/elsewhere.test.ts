import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { FileService, openArtifactStore } from '../../../../src/platform/artifacts/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { eventually } from '../../../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.js';
import { newRun, RunsKit, WORKSPACE } from './runs-kit.js';

const reads = z.object({ sha256: z.string() });

describe('a run that reads a file of another home', () => {
  let kit: RunsKit;
  let folder: TemporaryFolder;
  beforeEach(async () => {
    kit = await RunsKit.start();
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await kit.dispose();
    await folder.remove();
  });

  /** A home without a shared store, and a queue whose runs read the file that they are asked for. */
  const gateway = async (home: string) => {
    const { database } = kit;
    const options = {
      home: join(folder.path, home),
      installation: 'here',
      shared: null,
      database,
      log: silentLogger(),
    };
    const store = await openArtifactStore(options);
    const attempts: number[] = [];
    const queue = kit.queue(
      async ({ run, input }) => {
        attempts.push(run.attempt);
        const { sha256 } = reads.parse(input);
        return { at: home, path: await store.local(sha256) };
      },
      { owner: home },
    );
    const put = (text: string) =>
      new FileService(kit.database, store).store(WORKSPACE, {
        name: 'a.txt',
        mediaType: 'text/plain',
        maxBytes: 100,
        source: Readable.from([Buffer.from(text)]),
      });
    return { queue, put, attempts, store };
  };

  it('is left to the gateway there, without an attempt counted, and says for whom it waits', async () => {
    const [a, b] = [await gateway('a'), await gateway('b')];
    const { sha256, home } = await a.put('lies at a');
    b.queue.start();
    const run = await b.queue.ask(newRun({ input: { sha256 } }));
    const left = await eventually('b to leave it', async () => {
      const row = await kit.row(run);
      return row.unreadableBy.length > 0 ? row : null;
    });
    expect(left).toMatchObject({ status: 'QUEUED', attempt: 0, stalled: 0, unreadableBy: ['b'] });
    expect(left.message).toContain(home);
    expect((await kit.eventsOf(run)).map(({ type }) => type)).toEqual(['progress']);
    await b.queue.ask(newRun({ input: { sha256 } }));
    a.queue.start();
    const done = await kit.reaches(run, 'SUCCEEDED');
    expect(JSON.stringify(done.output)).toContain(join(folder.path, 'a'));
    expect(b.attempts.length).toBeLessThanOrEqual(2);
  });

  it('waits visibly again when the gateway there is killed in the middle of it', async () => {
    const [a, b] = [await gateway('a'), await gateway('b')];
    const { sha256 } = await a.put('lies at a');
    b.queue.start();
    const run = await b.queue.ask(newRun({ input: { sha256 } }));
    await eventually('b to leave it', async () => (await kit.row(run)).unreadableBy.length > 0);
    // Long enough that a busy machine does not let it lapse before the kill.
    const there = kit.child('hang', { owner: 'a', leaseMs: 4_000 });
    await there.says('working');
    there.kill('SIGKILL');
    await there.ended;
    const waiting = await kit.reaches(run, 'QUEUED');
    expect(waiting).toMatchObject({ attempt: 1, leaseOwner: null, unreadableBy: ['b'] });
    expect(waiting.message).toMatch(/home a ended .* waits/);
    a.queue.start();
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 2 });
  });

  it('fails where no home has the file: it is lost', async () => {
    const a = await gateway('a');
    const { sha256 } = await a.put('soon lost');
    await a.store.remove(sha256);
    a.queue.start();
    const run = await a.queue.ask(newRun({ input: { sha256 } }));
    expect(await kit.reaches(run, 'FAILED')).toMatchObject({ errorCode: 'STORAGE_FAILED' });
  });

  it('is looked at anew by a gateway that starts again', async () => {
    const a = await gateway('a');
    const { sha256 } = await a.put('lies at a');
    const b = await gateway('b');
    b.queue.start();
    const run = await b.queue.ask(newRun({ input: { sha256 } }));
    await eventually('b to leave it', async () => (await kit.row(run)).unreadableBy.length > 0);
    await b.queue.stop(500);
    const again = await gateway('b');
    await again.put('lies at a');
    again.queue.start();
    await kit.reaches(run, 'SUCCEEDED');
  });
});
