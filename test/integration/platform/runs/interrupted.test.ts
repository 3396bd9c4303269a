import { setTimeout as sleep } from 'node:timers/promises';
import type { GraftError } from '../../../../src/kernel/errors.js';
import pg from 'pg';
import { newId } from '../../../../src/kernel/ids.js';
import { EventLog } from '../../../../src/platform/events/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { eventually } from '../../../support/eventually.js';
import { CuttableWay } from '../outage.js';
import { LEASE_MS, newRun, RunsKit } from './runs-kit.js';

describe('an interrupted run', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('resumes a run whose process was killed', async () => {
    const runner = kit.child('hang');
    const run = await kit.queue(async () => undefined).ask(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    expect(await kit.row(run)).toMatchObject({ status: 'RUNNING', attempt: 1, progress: 0.5 });
    const attempts: number[] = [];
    kit.queue(async (context) => void attempts.push(context.run.attempt)).start();
    await kit.reaches(run, 'SUCCEEDED');
    expect(attempts).toEqual([2]);
  });

  it('gives a restarted gateway its runs back at once when it keeps its name', async () => {
    const runner = kit.child('hang', { owner: 'gateway of this home', leaseMs: 60_000 });
    const run = await kit.queue(async () => undefined).ask(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    kit.queue(async () => undefined, { owner: 'gateway of this home', leaseMs: 60_000 }).start();
    await kit.reaches(run, 'SUCCEEDED');
  });

  it('keeps a run away from others while its runner is alive, far beyond one lease', async () => {
    const runner = kit.child('hang');
    const run = await kit.queue(async () => undefined).ask(newRun());
    await runner.says('working');
    let stolen = false;
    kit.queue(async () => void (stolen = true)).start();
    await sleep(3 * LEASE_MS);
    expect(stolen).toBe(false);
    expect(await kit.row(run)).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  it('lets a runner that was frozen beyond its lease write nothing any more', async () => {
    const runner = kit.child('write');
    const subjectId = newId();
    const run = await kit.queue(async () => undefined).ask(newRun({ subjectId }));
    await runner.says('working');
    runner.kill('SIGSTOP');
    kit.queue(async () => ({ by: 'the second runner' })).start();
    await kit.reaches(run, 'SUCCEEDED');
    runner.kill('SIGCONT');
    const wrote = await runner.says('wrote');
    expect(wrote).toMatchObject({ code: 'CONFLICT', abortedAfter: true });
    await sleep(200);
    expect(await kit.row(run)).toMatchObject({ status: 'SUCCEEDED', output: { by: 'the second runner' } });
    expect(await kit.database.prisma.workspace.count({ where: { id: subjectId } })).toBe(0);
    expect((await kit.eventsOf(run)).filter(({ type }) => type === 'finished')).toHaveLength(1);
  });

  it('gives up a run that kills its process every time, and says so', async () => {
    const run = await kit.queue(async () => undefined).ask(newRun());
    // The first attempt gets further than any before it, the three others don't.
    for (const attempt of [1, 2, 3, 4]) {
      const runner = kit.child('die');
      await runner.ended;
      expect(runner.lines.at(-1)).toEqual({ at: 'working', attempt });
    }
    let taken = false;
    kit.queue(async () => void (taken = true), {}, { attempts: 3 }).start();
    const failed = await kit.reaches(run, 'FAILED');
    expect(taken).toBe(false);
    expect(failed).toMatchObject({
      errorCode: 'INTERNAL_ERROR',
      errorMessage: expect.stringContaining('died in the middle of this run 3 times'),
    });
    expect((await kit.eventsOf(run)).at(-1)).toMatchObject({
      type: 'finished',
      payload: { status: 'FAILED', errorCode: 'INTERNAL_ERROR' },
    });
  });

  it('survives any number of deaths as long as it gets further each time', async () => {
    const run = await kit.queue(async () => undefined).ask(newRun());
    for (let death = 1; death <= 5; death++) await kit.child('die further').ended;
    let resumed: unknown;
    kit.queue(async (context) => void (resumed = context.resumed), {}, { attempts: 3 }).start();
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 6 });
    expect(resumed).toEqual({ step: 5 });
  });

  it('puts its runs back when it stops, without counting the attempt', async () => {
    const first = kit.queue(async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
    });
    first.start();
    const run = await first.ask(newRun());
    await kit.reaches(run, 'RUNNING');
    await first.stop();
    expect(await kit.row(run)).toMatchObject({ status: 'QUEUED', attempt: 0, leaseOwner: null });
    kit.queue(async () => undefined).start();
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 1 });
  });

  it('is put back, not begun, where its runner stops while it takes it', async () => {
    const owner = new pg.Client({ connectionString: kit.database.url });
    await owner.connect();
    await owner.query(`
      CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
      CREATE TRIGGER linger BEFORE UPDATE ON run FOR EACH ROW
      WHEN (OLD.status = 'QUEUED' AND NEW.status = 'RUNNING') EXECUTE FUNCTION linger()`);
    let begun = false;
    const stopped = kit.queue(async () => void (begun = true));
    const run = await stopped.ask(newRun());
    stopped.start();
    await eventually('it to be taken', async () => {
      const sleeping = await owner.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      );
      return sleeping.rowCount! > 0;
    });
    await owner.end();
    await stopped.stop();
    expect(await kit.row(run)).toMatchObject({ status: 'QUEUED', attempt: 0, stalled: 0, leaseOwner: null });
    expect(begun).toBe(false);
  });

  it('stops in time when a handler does not let go, and lets it write nothing afterwards', async () => {
    let late: Promise<unknown> | undefined;
    let begun = false;
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const stubborn = kit.queue(async ({ fenced }) => {
      late = held.then(() => fenced(async () => 'written').catch((error: GraftError) => error.code));
      begun = true;
      await late;
    });
    stubborn.start();
    const run = await stubborn.ask(newRun());
    await kit.reaches(run, 'RUNNING');
    await eventually('the work to begin', () => begun);
    await stubborn.stop(100);
    expect(await kit.row(run)).toMatchObject({ status: 'QUEUED' });
    letGo();
    expect(await late).toBe('CONFLICT');
  });

  it('goes on when the database was gone for a while, without doing the work twice', async () => {
    const { database: distant, way } = await CuttableWay.to(kit.database);
    const log = new EventLog({ database: distant, log: silentLogger() });
    let [begun, done] = [false, 0];
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = kit.queue(
      async () => {
        begun = true;
        await gate;
        done++;
      },
      { database: distant, events: log },
    );
    queue.start();
    const run = await queue.ask(newRun());
    await eventually('the work to begin', () => begun);
    await way.cut();
    release();
    await sleep(2 * LEASE_MS);
    expect(done).toBe(1);
    await way.restore();
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 1 });
    const next = await queue.ask(newRun());
    await kit.reaches(next, 'SUCCEEDED');
    expect(done).toBe(2);
    await queue.stop();
    await log.close();
    await distant.close();
    await way.cut();
  });
});
