import { RouterStore, type RouterParameters } from '../../../src/answer/ask/index.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import type { Transaction } from '../../../src/platform/database/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { waitingForLocks } from '../../support/lock-waits.js';

/** What a fit finds that knows these versions of an adapter, and no collection. */
const found = (...versions: number[]): RouterParameters => ({
  collections: [],
  temperature: 1,
  significance: 0.05,
  baseScore: 0,
  adapterScore: 0,
  adapters: versions.map((version) => ({
    versionId: newId(),
    name: 'routing',
    version,
    datasetVersionId: newId(),
    membership: {
      labels: [],
      weights: { bias: 0, own: 1, label: 0, near: 0 },
      calibration: { rows: 60, foreign: 60, scores: [0], auc: 0.9 },
    },
    evidence: [],
  })),
  figures: { questions: 60, accuracy: 0.9, calibrationError: 0.05, commonest: 0.5, p: 0.001 },
  risks: {},
  fittedOn: { mark: newId(), collections: [], adapters: [] },
});

describe('versions of a router', () => {
  let database: TestDatabase;
  let routers: RouterStore;
  let workspaceId: WorkspaceId;

  beforeAll(async () => {
    database = await testDatabase();
    routers = new RouterStore(database);
  });
  afterAll(() => database.dispose());
  beforeEach(() => {
    workspaceId = newId() as string as WorkspaceId;
  });

  const add =
    (learned: RouterParameters, modeAskedAt: Date | null = new Date()) =>
    (tx: Transaction) =>
      routers.add(tx, workspaceId, { embedderDigest: 'e', mode: 'APPLY', modeAskedAt, learned, samples: [] });
  const fit = (learned = found(1)) => database.prisma.$transaction(add(learned));

  /** Does something in a transaction that is open until it is told to end. */
  async function open<T>(work: (tx: Transaction) => Promise<T>): Promise<{ end(): Promise<T> }> {
    let end!: () => void;
    let begun!: () => void;
    const ending = new Promise<void>((resolve) => (end = resolve));
    const done = new Promise<void>((resolve) => (begun = resolve));
    const result = database.prisma.$transaction(async (tx) => {
      const value = await work(tx);
      begun();
      await ending;
      return value;
    });
    await Promise.race([done, result]);
    return {
      end: () => {
        end();
        return result;
      },
    };
  }

  /** Waits until something is done, or waits for a lock itself. */
  async function doneOrWaiting(work: Promise<unknown>): Promise<void> {
    let done = false;
    const over = () => {
      done = true;
    };
    work.then(over, over);
    await eventually('it is done, or waits', async () => done || (await waitingForLocks(database.pool)).length > 0);
  }

  it.each([
    ['somebody asked for', () => new Date(Date.now() - 60_000)],
    ['nobody asked for', () => null],
  ])('do what was said while a fit was under way that %s', async (_, asked) => {
    await fit();
    await routers.setMode(workspaceId, 1, 'OBSERVE');
    const made = await database.prisma.$transaction(add(found(1), asked()));
    expect(made).toMatchObject({ version: 2, mode: 'OBSERVE' });
    // Whoever asks for a fit later says anew what it does.
    const later = new Date(Date.now() + 60_000);
    expect(await database.prisma.$transaction(add(found(1), later))).toMatchObject({ version: 3, mode: 'APPLY' });
  });

  it('do what was said in the moment in which a fit ended', async () => {
    await fit();
    const next = await open(add(found(1), null));
    const said = routers.setMode(workspaceId, 1, 'OBSERVE');
    await doneOrWaiting(said);
    expect(await next.end()).toMatchObject({ version: 2, mode: 'APPLY' });
    expect(await said).toMatchObject({ version: 2, mode: 'OBSERVE' });
    expect(await routers.newest(workspaceId)).toMatchObject({ version: 2, mode: 'OBSERVE' });
    // Said of an earlier version, it is of that one alone.
    expect(await routers.setMode(workspaceId, 1, 'APPLY')).toMatchObject({ version: 1, mode: 'APPLY' });
    expect(await routers.newest(workspaceId)).toMatchObject({ version: 2, mode: 'OBSERVE' });
  });

  it('are looked after in each workspace that has one', async () => {
    await fit();
    expect(await routers.workspaces()).toContain(workspaceId);
  });

  it('have numbers of their own when two are made at once', async () => {
    const first = await open(add(found(1)));
    const second = fit();
    await doneOrWaiting(second);
    expect(await first.end()).toMatchObject({ version: 1 });
    expect(await second).toMatchObject({ version: 2 });
  });
});
