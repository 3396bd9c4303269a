import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../../../src/kernel/ids.js';
import { freshWorkspace } from '../../../support/chroma.js';
import { newRun, RunsKit, untilAborted, WORKSPACE } from './runs-kit.js';

describe('cancelling a run', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('ends a queued run at once', async () => {
    const queue = kit.queue(async () => undefined);
    const run = await queue.ask(newRun());
    expect(await queue.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'CANCELLED' });
    queue.start();
    await sleep(200);
    expect(await kit.row(run)).toMatchObject({ status: 'CANCELLED', attempt: 0 });
    expect((await kit.eventsOf(run)).map(({ type }) => type)).toEqual(['finished']);
  });

  it('stops a run in the middle, also one of another gateway, and at once', async () => {
    // Neither the heartbeat nor the poll comes round during the test: only the wish itself wakes the runner.
    const here = kit.queue(untilAborted, { leaseMs: 600_000, pollMs: 200_000 });
    here.start();
    const elsewhere = kit.queue(async () => undefined);
    const run = await here.ask(newRun());
    await kit.reaches(run, 'RUNNING');
    expect(await elsewhere.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'RUNNING', cancelRequested: true });
    await kit.reaches(run, 'CANCELLED');
    expect(await elsewhere.cancel(WORKSPACE, run.id)).toMatchObject({ status: 'CANCELLED' });
  });

  it('cancels a run whose process died before it could obey', async () => {
    const runner = kit.child('hang');
    const queue = kit.queue(async () => undefined);
    const run = await queue.ask(newRun());
    await runner.says('working');
    runner.kill('SIGKILL');
    await runner.ended;
    await queue.cancel(WORKSPACE, run.id);
    queue.start();
    expect(await kit.reaches(run, 'CANCELLED')).toMatchObject({ attempt: 1 });
  });

  it('refuses what has ended, does not exist or belongs to another workspace', async () => {
    const queue = kit.queue(async () => undefined);
    queue.start();
    const run = await queue.ask(newRun());
    await kit.reaches(run, 'SUCCEEDED');
    await expect(queue.cancel(WORKSPACE, run.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(queue.cancel(WORKSPACE, newId())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(queue.cancel(freshWorkspace(), run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(queue.cancel(WORKSPACE, 'nonsense')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
