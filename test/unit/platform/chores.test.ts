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
});
