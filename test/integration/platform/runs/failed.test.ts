import { GraftError } from '../../../../src/kernel/errors.js';
import { newRun, RunsKit } from './runs-kit.js';

describe('failures of a run', () => {
  let kit: RunsKit;
  beforeEach(async () => void (kit = await RunsKit.start()));
  afterEach(() => kit.dispose());

  it('keep their code and message when they are meant for users, and say what to do', async () => {
    const queue = kit.queue(async ({ progress }) => {
      await progress(0.25, 'a quarter');
      throw new GraftError('DOCUMENT_UNREADABLE', 'a.pdf can’t be parsed:\0 bad header.', { hint: 'Save it again.' });
    });
    queue.start();
    const run = await queue.ask(newRun());
    expect(await kit.reaches(run, 'FAILED')).toMatchObject({
      errorCode: 'DOCUMENT_UNREADABLE',
      errorMessage: 'a.pdf can’t be parsed: bad header. Save it again.',
      progress: 0.25,
      attempt: 1,
    });
  });

  it('are masked when they are unexpected', async () => {
    const queue = kit.queue(async () => {
      throw new TypeError('secret of the house');
    });
    queue.start();
    const run = await queue.ask(newRun());
    const failed = await kit.reaches(run, 'FAILED');
    expect(failed).toMatchObject({ errorCode: 'INTERNAL_ERROR', attempt: 1 });
    expect(failed.errorMessage).toContain(run.id);
    expect(failed.errorMessage).not.toContain('secret');
  });

  it('of a part that comes back are tried again, and reported while they last', async () => {
    let broken = 2;
    const queue = kit.queue(async () => {
      if (broken-- > 0) throw new GraftError('VECTOR_STORE_UNAVAILABLE', 'Chroma can’t be reached.');
    });
    queue.start();
    const run = await queue.ask(newRun());
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 3 });
    expect((await kit.eventsOf(run))[0]).toMatchObject({
      type: 'progress',
      payload: { message: 'Chroma can’t be reached. Trying again in 1 s.' },
    });
  });

  it('of a part that comes back are counted anew when the run got further meanwhile, also within an attempt', async () => {
    const queue = kit.queue(
      async ({ progress, checkpoint, run: { attempt } }) => {
        if (attempt === 3) await progress(0.5, 'half way');
        if (attempt === 5) await checkpoint({ step: 1 });
        if (attempt < 7) throw new GraftError('VECTOR_STORE_UNAVAILABLE', 'Chroma can’t be reached.');
      },
      { retryMs: 10 },
      { attempts: 3 },
    );
    queue.start();
    const run = await queue.ask(newRun());
    expect(await kit.reaches(run, 'SUCCEEDED')).toMatchObject({ attempt: 7 });
  });

  it('of a part that does not come back end the run when the attempts are used up', async () => {
    const queue = kit.queue(
      async () => {
        throw new GraftError('WORKER_CRASHED', 'The worker died.');
      },
      { retryMs: 10 },
      { attempts: 2 },
    );
    queue.start();
    const run = await queue.ask(newRun());
    expect(await kit.reaches(run, 'FAILED')).toMatchObject({ errorCode: 'WORKER_CRASHED', attempt: 2 });
  });
});
