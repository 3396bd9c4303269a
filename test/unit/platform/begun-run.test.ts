import { runEnd, type RunRow } from '../../../src/platform/runs/index.js';
import { GraftError } from '../../../src/kernel/errors.js';

/** A queue in which a run is found in these states, one a look; it notes what is asked of it. */
function queueOf(statuses: string[], refuses = false) {
  const asked: string[] = [];
  const note = (what: string) => () => {
    asked.push(what);
    return refuses ? Promise.reject(new GraftError('CONFLICT', 'It has ended.')) : Promise.resolve({} as RunRow);
  };
  const get = () => Promise.resolve({ status: statuses.shift() ?? 'RUNNING', kind: 'TRAINING' } as RunRow);
  return { asked, runs: { get, cancel: note('cancel'), pause: note('pause'), resume: note('resume') } };
}

const waiting = (runs: ReturnType<typeof queueOf>['runs'], signal = new AbortController().signal, resumes = true) =>
  runEnd({ runs, context: { run: { workspaceId: 'w' } as RunRow, signal }, everyMs: 1, resumes }, { id: 'begun' });

describe('a run that waits for one that it began', () => {
  it('lets it go on where both were paused, and leaves it paused where a person pauses it later', async () => {
    const together = queueOf(['PAUSED', 'RUNNING', 'PAUSED', 'PAUSED', 'RUNNING', 'SUCCEEDED']);
    expect(await waiting(together.runs)).toMatchObject({ status: 'SUCCEEDED' });
    expect(together.asked).toEqual(['resume']);
    const alone = queueOf(['PAUSED', 'SUCCEEDED']);
    await waiting(alone.runs, undefined, false);
    expect(alone.asked).toEqual([]);
  });

  it.each(['cancel', 'pause'] as const)(
    'takes it along when it is asked to %s, also where it can’t be',
    async (reason) => {
      for (const refuses of [false, true]) {
        const { asked, runs } = queueOf([], refuses);
        const control = new AbortController();
        const ended = waiting(runs, control.signal);
        control.abort(reason);
        await expect(ended).rejects.toBe(reason);
        expect(asked).toEqual([reason]);
      }
    },
  );

  it('says what it failed with', async () => {
    const { runs } = queueOf(['RUNNING', 'FAILED']);
    await expect(waiting(runs)).rejects.toThrow(/TRAINING ended FAILED/);
  });
});
