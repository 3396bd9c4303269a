import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { draws } from '../../support/draws.js';
import { eventually } from '../../support/eventually.js';
import { BROKEN, startSync, type Sync } from './harness.js';

const CHILD = new URL('sync-child.js', import.meta.url).pathname;
const SEED = Number(process.env['GRAFT_TEST_SEED'] ?? Date.now() % 1_000_000);
const FILES = 60;

/** Kills at moments of its own between start and end of the work, each after the folder has changed. */
const KILLS = draws(10);

describe('a folder whose gateway is killed while it is read', () => {
  let kit: Sync;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    kit = await startSync({ working: false });
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await kit.stop();
  });

  const gateway = async (): Promise<ChildProcess> => {
    const child = fork(CHILD, [kit.database.url, kit.folder, kit.root, JSON.stringify(kit.embedder)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: [],
    });
    children.push(child);
    await once(child.stdout!, 'data');
    return child;
  };

  it(`is in the collection in the end as a fresh ingestion would have it (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const below = (limit: number) => Math.floor(random() * limit);
    const pathOf = (i: number) => `docs/${i % 3 === 0 ? 'deep/' : ''}${i}.md`;
    const textOf = (i: number, version: number) =>
      `# Page ${i}\n\nVersion ${version} says ${i * 7919}.\n\n${`Paragraph of ${i}. `.repeat(1 + (i % 40))}`;
    await kit.write(
      Object.fromEntries([
        ...Array.from({ length: FILES }, (_, i) => [pathOf(i), textOf(i, 0)] as const),
        ...Object.entries(BROKEN).map(([path, content]) => [`docs/${path}`, content] as const),
      ]),
    );
    const source = await kit.source({ folder: 'shared/docs' });
    const ask = async () => {
      const row = await kit.sources.require(kit.workspaceId, source.name);
      return kit.sync.startFolder(row, { acceptLoss: false, idempotencyKey: newId() });
    };
    let run = await ask();
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = await gateway();
      await sleep(random() * 5_000);
      child.kill('SIGKILL');
      await once(child, 'exit');
      // What search sees is never half a document, and never two of a name.
      for (const { chunks } of await kit.state(source.collection)) expect(chunks.length).toBeGreaterThan(0);
      const [changed, gone, added] = [below(FILES), below(FILES), FILES + kill];
      await kit.write({ [pathOf(changed)]: textOf(changed, kill), [pathOf(added)]: textOf(added, kill) });
      await kit.write({ [pathOf(gone)]: null });
    }
    await gateway();
    await kit.finished(run, 120_000);
    // The run may have listed the folder before its last change.
    run = await eventually('the folder to be asked for', () =>
      ask().catch((error: unknown) => {
        if (isGraftError(error, 'CONFLICT')) return null;
        throw error;
      }),
    );
    expect(await kit.finished(run, 120_000)).toMatchObject({
      status: 'SUCCEEDED',
      failures: Object.keys(BROKEN).length,
    });

    const fresh = await kit.collection();
    const written = await kit.written('docs');
    await kit.ingestFiles(fresh.name, written);
    const expected = await kit.state(fresh.name);
    expect(expected).toHaveLength(Object.keys(written).length - Object.keys(BROKEN).length);
    expect(await kit.state(source.collection)).toEqual(expected);
    expect((await kit.told(source)).counts).toEqual({ in: expected.length, failed: 2, empty: 2 });
    // Nothing is left of what went.
    await eventually('what went to be erased', async () => {
      const left = await kit.database.prisma.document.count({
        where: { collectionId: source.collectionId, liveName: null },
      });
      return left === 0 ? true : null;
    });
  }, 240_000);
});
