import { Housekeeper } from '../../../src/platform/chores.js';
import { createLogger } from '../../../src/platform/telemetry/index.js';
import { until } from '../../support/eventually.js';

describe('the housekeeper', () => {
  it('warns of a chore that goes on failing, more and more rarely, and of none that failed once', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
    const done = { broken: 0, shaky: 0 };
    const broken = () => (done.broken++, Promise.reject(new Error('a fault')));
    const shaky = () => (done.shaky++ % 3 === 0 ? Promise.reject(new Error('away')) : Promise.resolve());
    const keeper = new Housekeeper({
      log,
      chores: [
        { name: 'broken', everyMs: 1, work: broken },
        { name: 'shaky', everyMs: 1, work: shaky },
      ],
    });
    keeper.start();
    await until(() => Math.min(done.broken, done.shaky) > 20);
    await keeper.stop();
    const told = lines.map((line) => JSON.parse(line) as { chore: string; failures: number });
    expect(new Set(told.map(({ chore }) => chore))).toEqual(new Set(['broken']));
    expect(told.slice(0, 3).map(({ failures }) => failures)).toEqual([4, 8, 16]);
  });

  it('does what is rarely done soon after a start, and warns of the first failure', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
    const work = () => Promise.reject(new Error('a fault'));
    const keeper = new Housekeeper({ log, momentMs: 1, chores: [{ name: 'hourly', everyMs: 3_600_000, work }] });
    keeper.start();
    await until(() => lines.length > 0);
    await keeper.stop();
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ chore: 'hourly', failures: 1 }]);
  });

  it('stops, though a chore doesn’t heed it', async () => {
    let begun = false;
    const work = () => ((begun = true), new Promise(() => undefined));
    const log = createLogger({ level: 'silent' });
    const keeper = new Housekeeper({ log, momentMs: 1, chores: [{ name: 'endless', everyMs: 1, work }] });
    keeper.start();
    await until(() => begun);
    await keeper.stop();
  });
});
