import { freshWorkspace } from '../../../support/chroma.js';
import { newRun, RunsKit, untilAborted, WORKSPACE } from './runs-kit.js';

const PAUSABLE = { pausable: true };

describe('pausing a run', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('has it let go, and go on from its checkpoint when it is resumed', async () => {
    const steps: number[] = [];
    const queue = kit.queue(
      async (context) => {
        const step = (context.resumed?.step ?? 0) + 1;
        steps.push(step);
        await context.checkpoint({ step });
        if (step < 3) await untilAborted(context);
      },
      {},
      PAUSABLE,
    );
    queue.start();
    const run = await queue.ask(newRun());
    for (const step of [1, 2]) {
      await kit.reaches(run, 'RUNNING');
      expect(await queue.pause(WORKSPACE, run.id)).toMatchObject({ status: 'RUNNING', pauseRequested: true });
      expect(await kit.reaches(run, 'PAUSED')).toMatchObject({ leaseOwner: null, finishedAt: null });
      expect(steps).toHaveLength(step);
      expect(await queue.pause(WORKSPACE, run.id)).toMatchObject({ status: 'PAUSED' });
      expect(await queue.resume(WORKSPACE, run.id)).toMatchObject({ status: 'QUEUED' });
    }
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ checkpoint: null });
    expect(steps).toEqual([1, 2, 3]);
    const told = (await kit.eventsOf(run)).map(({ payload }) => (payload as { status?: string }).status);
    expect(told).toEqual(['PAUSED', 'QUEUED', 'PAUSED', 'QUEUED', 'SUCCEEDED']);
  });

  it('keeps a queued run from being taken', async () => {
    const queue = kit.queue(async () => undefined, {}, PAUSABLE);
    const [paused, next] = [await queue.ask(newRun()), await queue.ask(newRun())];
    await queue.pause(WORKSPACE, paused.id);
    queue.start();
    await kit.reaches(next, 'SUCCEEDED');
    expect(await kit.row(paused)).toMatchObject({ status: 'PAUSED', attempt: 0 });
    expect(await queue.cancel(WORKSPACE, paused.id)).toMatchObject({ status: 'CANCELLED' });
  });

  it('is obeyed also when the process died before it could', async () => {
    const runner = kit.child('hang');
    const queue = kit.queue(async () => undefined, {}, PAUSABLE);
    const run = await queue.ask(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    await queue.pause(WORKSPACE, run.id);
    queue.start();
    await kit.reaches(run, 'PAUSED');
  });

  it('can be taken back before the run let go', async () => {
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let attempts = 0;
    const queue = kit.queue(
      async (context) => {
        if (++attempts > 1) return;
        await untilAborted(context).catch(() => gate);
        context.signal.throwIfAborted();
      },
      {},
      PAUSABLE,
    );
    queue.start();
    const run = await queue.ask(newRun());
    await kit.reaches(run, 'RUNNING');
    await queue.pause(WORKSPACE, run.id);
    await queue.resume(WORKSPACE, run.id);
    await queue.pause(WORKSPACE, run.id);
    expect(await queue.resume(WORKSPACE, run.id)).toMatchObject({ status: 'RUNNING', pauseRequested: false });
    release();
    await queue.stop();
    expect((await kit.row(run)).status).not.toBe('PAUSED');
  });

  it('is refused for kinds that can’t, for what has ended, and for runs of others', async () => {
    const queue = kit.queue(async () => undefined);
    const run = await queue.ask(newRun());
    await expect(queue.pause(WORKSPACE, run.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(queue.pause(freshWorkspace(), run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    queue.start();
    await kit.reaches(run, 'SUCCEEDED');
    await expect(queue.pause(WORKSPACE, run.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(queue.resume(WORKSPACE, run.id)).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
