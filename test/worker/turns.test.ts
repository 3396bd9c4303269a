import fc from 'fast-check';
import { Turns, type Party, type Turn, type TurnClock } from '../../gpu-worker/turns.js';

/** A clock that goes on only by what is computed, and by what is waited for. */
class SteppedClock implements TurnClock {
  ms = 0;
  now = (): number => this.ms;
  later = (ms: number, then: () => void): (() => void) => {
    const timer = setImmediate(() => {
      this.ms += ms;
      then();
    });
    return () => clearImmediate(timer);
  };
}

interface Simulated {
  turns: Turns;
  /** Whose batches ran. */
  order: string[];
  work(name: string, turn: Turn, ms: number, batches: number): Promise<void>;
}

function simulated(): Simulated {
  const clock = new SteppedClock();
  const order: string[] = [];
  const work = async (name: string, turn: Turn, ms: number, batches: number): Promise<void> => {
    for (let n = 0; n < batches; n += 1)
      await turn.alone(() => {
        order.push(name);
        clock.ms += ms;
        return Promise.resolve();
      });
  };
  return { turns: new Turns(clock), order, work };
}
const party = (more: Partial<Party> = {}): Party => ({ priority: 'interactive', group: '', ...more });

describe('turns', () => {
  it('let what is quick go before each slice of what is slow, and bulk go last', async () => {
    const { turns, order, work } = simulated();
    await Promise.all([
      work('bulk', turns.join(party({ priority: 'bulk' })), 100, 2),
      work('slow', turns.join(party({ slow: true })), 100, 2),
      work('quick', turns.join(party()), 100, 2),
    ]);
    expect(order).toEqual(['quick', 'quick', 'slow', 'slow', 'bulk', 'bulk']);
  });

  it('hand the cores over between two slices of something slow', async () => {
    const { turns, order, work } = simulated();
    const slow = work('slow', turns.join(party({ slow: true })), 250, 4);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([slow, work('quick', turns.join(party()), 10, 3)]);
    expect(order).toEqual(['slow', 'quick', 'quick', 'quick', 'slow', 'slow', 'slow']);
  });

  it('let nothing stand still: what is slow gets a quantum of every two seconds', async () => {
    const { turns, order, work } = simulated();
    const quick = async (): Promise<void> => {
      for (let n = 0; n < 10; n += 1) await work('quick', turns.join(party()), 500, 2);
    };
    await Promise.all([work('slow', turns.join(party({ slow: true })), 250, 3), quick()]);
    expect(order.join(' ')).toBe(
      `${'quick '.repeat(4)}slow ${'quick '.repeat(4)}slow ${'quick '.repeat(4)}slow ${'quick '.repeat(8)}`.trim(),
    );
  });

  it('give to the one that had least, a quantum each', async () => {
    const { turns, order, work } = simulated();
    const first = turns.join(party({ group: 'a' }));
    await work('first', first, 50, 20);
    await Promise.all([work('first', first, 50, 6), work('second', turns.join(party({ group: 'b' })), 50, 25)]);
    // A thousand milliseconds ahead, it waits until the other has had as many, then they take turns.
    expect(order.slice(20).join(' ')).toBe(`${'second '.repeat(20)}${'first '.repeat(5)}${'second '.repeat(5)}first`);
  });

  it('put tokens of one group into one batch, and never those of two', async () => {
    const { turns } = simulated();
    const batches: string[][] = [];
    let running: string[] | undefined;
    const write = async (name: string, group: string): Promise<void> => {
      const turn = turns.join(party({ group }));
      for (let n = 0; n < 5; n += 1)
        await turn.together(async () => {
          if (running === undefined) batches.push((running = []));
          running.push(name);
          await new Promise((resolve) => setImmediate(resolve));
          running = undefined;
        });
    };
    await Promise.all([write('a1', 'a'), write('b', 'b'), write('a2', 'a')]);
    expect(batches.filter((one) => one.includes('a1'))).toEqual(Array(5).fill(['a1', 'a2']));
    expect(batches.filter((one) => one.includes('b'))).toEqual(Array(5).fill(['b']));
  });

  it('wait a moment for the next call of an answer before something slow begins', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const batch = (name: string) => () => Promise.resolve(void order.push(name));
    const first = turns.join(party()).alone(batch('call 1'));
    const slow = turns.join(party({ slow: true })).alone(batch('slow'));
    await first;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([turns.join(party()).alone(batch('call 2')), slow]);
    expect(order).toEqual(['call 1', 'call 2', 'slow']);
  });

  it('let nothing slow begin while an answer is being prepared, nor at once after it', async () => {
    const { turns, order, work } = simulated();
    let ready: () => void = () => undefined;
    const preparing = turns.beside(() => new Promise<void>((resolve) => (ready = resolve)));
    const slow = work('slow', turns.join(party({ slow: true })), 250, 1);
    for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    ready();
    await preparing;
    await Promise.all([work('quick', turns.join(party()), 10, 1), slow]);
    expect(order).toEqual(['quick', 'slow']);
  });

  it('give what takes long for each slice no larger share', async () => {
    const { turns, order, work } = simulated();
    const quick = async (): Promise<void> => {
      for (let n = 0; n < 20; n += 1) await work('quick', turns.join(party()), 500, 2);
    };
    await Promise.all([work('slow', turns.join(party({ slow: true })), 1_000, 2), quick()]);
    const [first, second] = [order.indexOf('slow'), order.lastIndexOf('slow')];
    expect([first, second - first - 1]).toEqual([4, 16]);
  });

  it('let one leave that is aborted while it waits, and go on with the others', async () => {
    const { turns, order, work } = simulated();
    const abort = new AbortController();
    const gone = work('gone', turns.join(party({ signal: abort.signal })), 10, 1);
    const next = work('next', turns.join(party()), 10, 1);
    abort.abort(new Error('left'));
    await expect(gone).rejects.toThrow('left');
    await next;
    expect(order).toEqual(['next']);
  });

  it('go on after a batch that failed', async () => {
    const { turns, order, work } = simulated();
    await expect(turns.join(party()).alone(() => Promise.reject(new Error('batch')))).rejects.toThrow('batch');
    await work('next', turns.join(party()), 10, 1);
    expect(order).toEqual(['next']);
  });

  it('run one group at a time and leave none out, whatever comes', async () => {
    const call = fc.record({
      group: fc.constantFrom('a', 'b', 'c'),
      priority: fc.constantFrom('interactive' as const, 'bulk' as const),
      slow: fc.boolean(),
      together: fc.boolean(),
      batches: fc.integer({ min: 1, max: 5 }),
      ms: fc.integer({ min: 1, max: 900 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
        const clock = new SteppedClock();
        const turns = new Turns(clock);
        const running = new Set<(typeof calls)[number]>();
        let done = 0;
        await Promise.all(
          calls.map(async (one) => {
            const turn = turns.join(one);
            const batch = async (): Promise<void> => {
              running.add(one);
              await Promise.resolve();
              expect(new Set([...running].map(({ group }) => group)).size).toBe(1);
              if (running.size > 1) expect([...running].every(({ together }) => together)).toBe(true);
              clock.ms += one.ms;
              running.delete(one);
              done += 1;
            };
            for (let n = 0; n < one.batches; n += 1) await (one.together ? turn.together(batch) : turn.alone(batch));
          }),
        );
        expect(done).toBe(calls.reduce((sum, { batches }) => sum + batches, 0));
      }),
      { numRuns: 50 },
    );
  });
});
