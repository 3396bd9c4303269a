import { join } from 'node:path';
import { Erasure, erasureOf, requestErasure, type Holder, type Traces } from '../../../src/platform/erasure/index.js';
import { erasureDomain } from '../../../src/kit/erasure/index.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { RunQueue, type RunRow } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';
import { RunsKit, WORKSPACE } from '../platform/runs/runs-kit.js';

/** Has so many records of anyone, and can't be reached as often as `away` says. */
class Records implements Holder {
  readonly told: Traces[] = [];
  constructor(
    readonly name: string,
    private left: number,
    private away = 0,
  ) {}

  erase(traces: Traces): Promise<number> {
    if (this.away-- > 0) throw new GraftError('VECTOR_STORE_UNAVAILABLE', 'away');
    this.told.push(traces);
    const erased = this.left;
    this.left = 0;
    return Promise.resolve(erased);
  }
}

describe('an erasure', () => {
  let kit: RunsKit;
  let folder: TemporaryFolder;
  let queue: RunQueue;
  beforeEach(async () => {
    [kit, folder] = await Promise.all([RunsKit.start(), temporaryFolder()]);
  });
  afterEach(async () => {
    await queue.stop();
    await kit.dispose();
    await folder.remove();
  });

  const started = (holders: Holder[]): Erasure => {
    const erasure = new Erasure(new FileService(kit.database, new LocalArtifactStore(join(folder.path, 'artifacts'))));
    for (const holder of holders) erasure.addHolder(holder);
    queue = new RunQueue({
      database: kit.database,
      events: kit.events,
      clock: systemClock,
      log: silentLogger(),
      owner: newId(),
      leaseMs: 600,
      pollMs: 200,
      retryMs: 50,
      kinds: erasureDomain.runs,
    });
    queue.handle(erasureDomain.runs, { erasure });
    queue.start();
    return erasure;
  };
  const finished = (run: RunRow) => kit.reaches(run, 'SUCCEEDED');

  it('asks every holder, and answers from how many records each removed traces', async () => {
    const [notes, cards] = [new Records('notes', 2), new Records('cards', 1)];
    started([notes, cards]);
    const run = await requestErasure(queue, WORKSPACE, { person: 'Ada' });
    expect(await erasureOf(queue, run)).toEqual({
      runId: run.id,
      records: [
        { holder: 'notes', count: 2 },
        { holder: 'cards', count: 1 },
      ],
      deletedFiles: [],
      keptFiles: [],
      complete: true,
    });
    expect(notes.told).toEqual([{ workspaceId: WORKSPACE, person: 'Ada' }]);
    const steps = (await kit.eventsOf(run)).filter(({ type }) => type === 'progress');
    expect(steps.map(({ payload }) => (payload as { message: string }).message)).toEqual([
      '2 notes',
      '1 cards',
      '0 files deleted',
    ]);
  });

  it('does not wait for a holder that can’t be reached, goes on by itself, and counts what was removed before', async () => {
    started([new Records('notes', 2), new Records('cards', 1, 2)]);
    const run = await requestErasure(queue, WORKSPACE, { person: 'Ada' });
    expect(await erasureOf(queue, run)).toMatchObject({ complete: false });
    await finished(run);
    expect(await erasureOf(queue, run)).toMatchObject({
      complete: true,
      records: [
        { holder: 'notes', count: 2 },
        { holder: 'cards', count: 1 },
      ],
    });
  });

  it.each(['ended', 'was cancelled'])('names in no table whom it was about once it has %s', async (end) => {
    started([new Records('notes', 2, end === 'ended' ? 1 : 1_000)]);
    const run = await requestErasure(queue, WORKSPACE, { person: 'Zebedee Quill' });
    const tables = async () => {
      const { rows } = await kit.database.pool.query<{ name: string }>(
        `SELECT quote_ident(table_name) AS name FROM information_schema.tables
          WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
      );
      const naming: string[] = [];
      for (const { name } of rows)
        if ((await kit.database.pool.query(`SELECT 1 FROM ${name} AS t WHERE t::text LIKE '%Zebedee%'`)).rowCount !== 0)
          naming.push(name);
      return naming;
    };
    expect(await tables()).toEqual(['run']);
    if (end === 'was cancelled') await queue.cancel(WORKSPACE, run.id);
    await kit.reaches(run, end === 'ended' ? 'SUCCEEDED' : 'CANCELLED');
    expect(await tables()).toEqual([]);
  });

  it('of what a domain marked as deleted lets it forget each batch after every holder has', async () => {
    const order: string[] = [];
    const left = new Set(['a', 'b']);
    const holder: Holder = {
      name: 'notes',
      erase: ({ contents }) => Promise.resolve(order.push(`erase ${contents!.join()}`) && 1),
    };
    started([holder]).addSubject({
      name: 'letters',
      async *batches(workspaceId) {
        for (const each of [...left]) {
          yield await Promise.resolve({ workspaceId, contents: [each] });
          order.push(`forget ${each}`);
          left.delete(each);
        }
      },
      left: () => Promise.resolve(left.size),
    });
    const run = await requestErasure(queue, WORKSPACE, { subject: 'letters', ids: ['a', 'b'], subjectId: newId() });
    expect(await erasureOf(queue, run)).toMatchObject({ complete: true, records: [{ holder: 'notes', count: 2 }] });
    expect(order).toEqual(['erase a', 'forget a', 'erase b', 'forget b']);
  });
});
