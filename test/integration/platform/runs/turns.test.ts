import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type WorkspaceId } from '../../../../src/kernel/ids.js';
import { systemClock } from '../../../../src/kernel/clock.js';
import { RunQueue } from '../../../../src/platform/runs/index.js';
import { silentLogger } from '../../../../src/platform/telemetry/index.js';
import { eventually } from '../../../support/eventually.js';
import { newRun, RunsKit, WORKSPACE, type Work } from './runs-kit.js';
import { testKind } from './test-kind.js';

describe('runs that need the same slot', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('take turns: a short one need not wait for the end of a long one', async () => {
    const steps: string[] = [];
    const work: Work = async (context) => {
      const { name, length } = context.input as { name: string; length: number };
      for (let step = (context.resumed?.step ?? 0) + 1; step <= length; step++) {
        steps.push(name);
        await context.checkpoint({ step });
        await context.takeTurns();
      }
    };
    const queue = kit.queue(work, { sliceMs: 0 });
    const long = await queue.ask(newRun({ input: { name: 'long', length: 6 } }));
    const short = await queue.ask(newRun({ input: { name: 'short', length: 2 } }));
    queue.start();
    await kit.reaches(long, 'SUCCEEDED');
    expect(steps).toEqual(['long', 'short', 'long', 'short', 'long', 'long', 'long', 'long']);
    expect(await kit.row(short)).toMatchObject({ status: 'SUCCEEDED', attempt: 1 });
  });

  it('are those of one workspace after another, however many one of them has sent', async () => {
    const other = await kit.database.prisma.workspace.create({ data: { id: newId(), name: 'other' } });
    const names: string[] = [];
    const queue = kit.queue(async ({ input }) => void names.push((input as { name: string }).name));
    for (const name of ['a1', 'a2', 'a3']) await queue.ask(newRun({ input: { name } }));
    const workspaceId = other.id as WorkspaceId;
    for (const name of ['b1', 'b2']) await queue.ask({ ...newRun({ input: { name } }), workspaceId });
    queue.start();
    await eventually('all runs', () => names.length === 5);
    expect(names).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('work one at a time when they occupy the same thing, whatever their kinds', async () => {
    const kinds = ['ONE', 'OTHER'].map((kind) => testKind({ kind, concurrency: 2, occupies: 'the only one' }));
    let [working, most, done] = [0, 0, 0];
    const handled = kinds.map((kind) =>
      kind.handledBy(async () => {
        most = Math.max(most, ++working);
        await sleep(20);
        working--;
        return ++done;
      }),
    );
    const queue = new RunQueue({
      database: kit.database,
      events: kit.events,
      clock: systemClock,
      log: silentLogger(),
      owner: newId(),
      kinds: handled,
    });
    queue.handle(handled, null);
    for (const kind of [...kinds, ...kinds]) await queue.enqueue(kind, newRun());
    queue.start();
    await eventually('all runs', () => done === 4);
    await queue.stop();
    expect(most).toBe(1);
  });

  it('step aside for work of seconds, wherever they are, and go on before those that came after them', async () => {
    const steps: string[] = [];
    const slow = testKind({ kind: 'SLOW', pausable: true, occupies: 'the only one' }).handledBy(
      async (_parts: null, { input, resumed, signal, checkpoint }) => {
        const { name } = input as { name: string };
        steps.push(resumed ? `${name} again` : name);
        if (name === 'first' && !resumed) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          await checkpoint({ step: 1 });
          throw signal.reason;
        }
        return null;
      },
    );
    const brief = testKind({ kind: 'BRIEF', brief: true, occupies: 'the only one' }).handledBy(async () => {
      steps.push('brief');
      return null;
    });
    const queue = new RunQueue({
      database: kit.database,
      events: kit.events,
      clock: systemClock,
      log: silentLogger(),
      owner: newId(),
      kinds: [slow, brief],
      sliceMs: 0,
      pollMs: 50,
    });
    queue.handle([slow, brief], null);
    const first = await queue.enqueue(slow.definition, newRun({ input: { name: 'first' } }));
    queue.start();
    await eventually('the long one to work', () => steps.length === 1);
    const second = await queue.enqueue(slow.definition, newRun({ input: { name: 'second' } }));
    await queue.enqueue(brief.definition, newRun());
    await queue.enqueue(brief.definition, newRun());
    await kit.reaches(second, 'SUCCEEDED');
    expect(steps).toEqual(['first', 'brief', 'brief', 'first again', 'second']);
    // Having stepped aside is no failed attempt.
    expect(await kit.row(first)).toMatchObject({ status: 'SUCCEEDED', attempt: 1 });
    await queue.stop();
  });

  it('tell what they wait for to who looks and who listens, and no longer once they work', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const queue = kit.queue(() => ended);
    const working = await queue.ask(newRun());
    queue.start();
    await kit.reaches(working, 'RUNNING');
    const waiting = await queue.ask(newRun());
    const gone = await queue.ask(newRun());
    const message = 'Waits for its turn behind a run of the kind TEST.';
    for (const run of [waiting, gone])
      await eventually('the run to say it', async () => (await kit.row(run)).message === message);
    await queue.cancel(WORKSPACE, gone.id);
    expect(await kit.row(gone)).toMatchObject({ status: 'CANCELLED', message: '' });
    await sleep(200);
    expect(await kit.row(working)).toMatchObject({ status: 'RUNNING', message: '' });
    end();
    expect(await kit.reaches(waiting, 'SUCCEEDED')).toMatchObject({ message: '' });
    expect((await kit.eventsOf(waiting)).map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: 'status', payload: { status: 'QUEUED', progress: 0, message } },
      { type: 'status', payload: { status: 'RUNNING', progress: 0, message: '' } },
      { type: 'finished', payload: { status: 'SUCCEEDED', progress: 1 } },
    ]);
  });

  it('give way to none, and keep none waiting in words, that their gateway can’t work on', async () => {
    let goOn = (): void => undefined;
    const told = new Promise<void>((resolve) => (goOn = resolve));
    const queue = kit.queue(
      async (context) => {
        await told;
        for (let step = 1; step <= 3; step++) {
          await context.checkpoint({ step });
          await context.takeTurns();
          await sleep(100);
        }
      },
      { sliceMs: 0, owner: 'a' },
    );
    const working = await queue.ask(newRun());
    queue.start();
    await kit.reaches(working, 'RUNNING');
    const elsewhere = { ...working, id: newId(), idempotencyKey: null, unreadableBy: ['a'] };
    const { input, checkpoint: _none, output: _neither, ...columns } = elsewhere;
    await kit.database.prisma.run.create({ data: { ...columns, input: input! } });
    goOn();
    expect(await kit.reaches(working, 'SUCCEEDED')).toMatchObject({ attempt: 1 });
    expect(await kit.row(elsewhere)).toMatchObject({ status: 'QUEUED', message: '' });
    expect(await kit.eventsOf(elsewhere)).toEqual([]);
  });

  it('are never started by a gateway that has no handler for a kind', () => {
    const [known, forgotten] = ['KNOWN', 'FORGOTTEN'].map((kind) => testKind({ kind }).handledBy(async () => null));
    const queue = new RunQueue({
      database: kit.database,
      events: kit.events,
      clock: systemClock,
      log: silentLogger(),
      owner: newId(),
      kinds: [known!, forgotten!],
    });
    queue.handle([known!], null);
    expect(() => queue.start()).toThrow(/FORGOTTEN/);
  });
});
