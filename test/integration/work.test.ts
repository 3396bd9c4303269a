/** A process that takes runs of the kinds that it is told, answers nobody, and ends once none is left. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../src/kernel/ids.js';
import { systemClock } from '../../src/kernel/clock.js';
import { migrate, openDatabase } from '../../src/platform/database/index.js';
import { EventLog } from '../../src/platform/events/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { RunQueue } from '../../src/platform/runs/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { adapterExport, adapterMerge } from '../../src/learn/training/exports/export-run.js';
import { emptyDatabase } from '../support/database.js';
import { temporaryHome } from '../support/graft-program.js';

const run = promisify(execFile);
const program = join(packageRoot(), 'dist', 'src', 'work.js');

describe('a process that takes runs and answers nobody', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;

  beforeAll(async () => {
    home = await temporaryHome();
    database = await emptyDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await home.remove();
  });

  const work = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    run(process.execPath, [program, ...args], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        GRAFT_MODELS: process.env.GRAFT_MODELS,
        GRAFT_HOME: home.path,
        CHROMA_URL: process.env.GRAFT_TEST_CHROMA_URL,
        ...env,
      },
    });

  it('does those of its kinds, leaves the others where they wait, and ends by itself', async () => {
    const opened = await openDatabase(database.url, { unsaid: 'system' });
    await migrate(opened);
    const events = new EventLog({ database: opened, log: silentLogger() });
    const parts = { database: opened, events, clock: systemClock, log: silentLogger(), owner: newId() };
    const queue = new RunQueue(parts);
    const adapterVersionId = newId();
    const taken = await queue.enqueue(adapterExport, {
      workspaceId,
      input: { adapterVersionId },
      idempotencyKey: newId(),
    });
    const left = await queue.enqueue(adapterMerge, {
      workspaceId,
      input: { adapterVersionId, precision: null },
      idempotencyKey: newId(),
    });
    try {
      await work({ DATABASE_URL: database.url, GRAFT_RUNS: 'ADAPTER_EXPORT' }, '--idle', '1');
      expect(await queue.get(workspaceId, taken.id)).toMatchObject({ status: 'FAILED', errorCode: 'NOT_FOUND' });
      expect(await queue.get(workspaceId, left.id)).toMatchObject({ status: 'QUEUED', attempt: 0 });
    } finally {
      await events.close();
      await opened.close();
    }
  }, 240_000);

  it.each([
    ['without a database that others share', {}, [], /DATABASE_URL names no database/],
    ['with a kind that there isn’t', { GRAFT_RUNS: 'TRAINNING' }, [], /"TRAINNING" is no kind of runs/],
    ['with a time that is none', {}, ['--idle', 'soon'], /soon is no number of seconds/],
    ['with no time to look', {}, ['--idle', '0'], /0 is no number of seconds from 1/],
  ])('doesn’t start %s, and says what is wrong', async (_, env, args, reason) => {
    const given = 'GRAFT_RUNS' in env ? { ...env, DATABASE_URL: database.url } : env;
    await expect(work(given, ...args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(reason) as string,
    });
  });
});
