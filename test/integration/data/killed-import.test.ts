import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskKind } from '../../../src/sources/data/index.js';
import { draws } from '../../support/draws.js';
import { DataKit, ws } from './data-kit.js';

const CHILD = new URL('import-child.js', import.meta.url).pathname;
const SEED = Number(process.env['GRAFT_TEST_SEED'] ?? Date.now() % 1_000_000);

/** Kills at moments of its own between start and end of the work, and once more whatever is left. */
const KILLS = draws(10);

describe('an import whose gateway is killed', () => {
  let kit: DataKit;
  const children: ChildProcess[] = [];
  beforeAll(async () => (kit = await DataKit.start({ working: false })));
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await kit.dispose();
  });

  const gateway = async (): Promise<ChildProcess> => {
    const child = fork(CHILD, [kit.database.url, kit.folder], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: [],
    });
    children.push(child);
    await once(child.stdout!, 'data');
    return child;
  };

  it(`is resumed and leaves one whole version and nothing else (seed ${SEED})`, async () => {
    let state = SEED;
    const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    await kit.data.datasets.createDataset(ws, { name: 'killed', task: TaskKind.CLASSIFICATION });
    const line = (i: number) =>
      JSON.stringify({
        text: `message ${i} about ${['rain', 'sun', 'snow'][i % 3]} and ${i * 7919}`,
        label: ['wet', 'dry', 'cold'][i % 3],
      });
    const file = await kit.upload('rows.jsonl', Array.from({ length: 4000 }, (_, i) => line(i)).join('\n'));
    const run = await kit.import('killed', [{ fileId: file.id }]);
    for (let kill = 0; kill < KILLS; kill++) {
      const child = await gateway();
      await sleep(random() * 4000);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const versions = await kit.database.prisma.datasetVersion.count();
      if (versions === 0) expect(await kit.database.prisma.datasetRowGroup.count()).toBe(0);
    }
    await gateway();
    const version = await kit.version(await kit.ended(run, 120_000));
    expect(version.report.rows).toBe(4000);
    expect(await kit.database.prisma.datasetVersion.count()).toBe(1);
    const remains = await kit.remains();
    expect(remains.working).toEqual([]);
    const groups = await kit.data.store.rowGroups(version.id);
    const named = [file.sha256, ...groups.map((g) => g.sha256)].sort();
    expect(remains.artifacts.filter((name) => !name.endsWith('.part')).sort()).toEqual(named);
    expect(await kit.database.prisma.storedFile.count()).toBe(named.length);
  }, 240_000);

  it('leaves nothing when it is cancelled', async () => {
    await kit.data.datasets.createDataset(ws, { name: 'cancelled', task: TaskKind.CLASSIFICATION });
    const file = await kit.upload(
      'more.jsonl',
      Array.from({ length: 20_000 }, (_, i) =>
        JSON.stringify({ text: `text ${i * 31} of ${i}`, label: String(i % 7) }),
      ).join('\n'),
    );
    const before = (await kit.remains()).artifacts.length;
    const run = await kit.import('cancelled', [{ fileId: file.id }]);
    await sleep(1500);
    await kit.runs.cancel(ws, run.id);
    expect((await kit.ended(run)).status).toBe('CANCELLED');
    const remains = await kit.remains();
    expect(remains.working).toEqual([]);
    expect(remains.artifacts).toHaveLength(before);
  }, 120_000);
});
