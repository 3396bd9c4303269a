import fc from 'fast-check';
import { Lane, QueueBudget } from '../../gpu-worker/lane.js';
import type { Priority } from '../../src/worker-protocol/index.js';

/** Work that ends when told to. */
function controlled(): { work: () => Promise<string>; end: () => void; started: () => boolean } {
  let end: (value: string) => void = () => undefined;
  let started = false;
  const result = new Promise<string>((resolve) => (end = resolve));
  return {
    work: () => {
      started = true;
      return result;
    },
    end: () => end('done'),
    started: () => started,
  };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lane', () => {
  it('starts waiting interactive jobs before waiting bulk jobs', async () => {
    const lane = new Lane(1);
    const order: string[] = [];
    const first = controlled();
    const named = (name: string) => () => Promise.resolve(void order.push(name));
    const all = [
      lane.run({ priority: 'interactive' }, first.work),
      lane.run({ priority: 'bulk' }, named('bulk 1')),
      lane.run({ priority: 'bulk' }, named('bulk 2')),
      lane.run({ priority: 'interactive' }, named('interactive')),
    ];
    first.end();
    await Promise.all(all);
    expect(order).toEqual(['interactive', 'bulk 1', 'bulk 2']);
  });

  it('refuses at once what exceeds the queue, and takes more when there is room again', async () => {
    const lane = new Lane(1, 1, new QueueBudget(1));
    const first = controlled();
    const running = lane.run({ priority: 'interactive' }, first.work);
    const waiting = lane.run({ priority: 'interactive' }, () => Promise.resolve('second'));
    await expect(lane.run({ priority: 'interactive' }, first.work)).rejects.toMatchObject({ code: 'OVERLOADED' });
    first.end();
    await Promise.all([running, waiting]);
    await expect(lane.run({ priority: 'bulk' }, () => Promise.resolve('third'))).resolves.toBe('third');
  });

  it('lets a waiting job leave when it is aborted, and keeps its place free', async () => {
    const budget = new QueueBudget(1);
    const lane = new Lane(1, 1, budget);
    const first = controlled();
    const running = lane.run({ priority: 'interactive' }, first.work);
    const abort = new AbortController();
    const waiting = lane.run({ priority: 'interactive', signal: abort.signal }, first.work);
    abort.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(budget.waiting).toBe(0);
    first.end();
    await running;
  });

  it('runs no more groups than it may; the running one may fill its slots, but lets none wait for ever', async () => {
    const lane = new Lane(2, 2, undefined, 1);
    const first = controlled();
    const other = controlled();
    const later = Array.from({ length: 6 }, controlled);
    const all = [
      lane.run({ priority: 'interactive', group: 'a' }, first.work),
      lane.run({ priority: 'interactive', group: 'b' }, other.work),
      ...later.map(({ work }) => lane.run({ priority: 'interactive', group: 'a' }, work)),
    ];
    for (const job of later.slice(0, 4)) {
      await settle();
      expect([job.started(), other.started()]).toEqual([true, false]);
      job.end();
    }
    await settle();
    // It was passed four times: that is enough.
    expect(later[4]!.started()).toBe(false);
    first.end();
    await settle();
    expect([other.started(), later[4]!.started()]).toEqual([true, false]);
    other.end();
    await settle();
    expect(later.map((job) => job.started())).toEqual(Array(6).fill(true));
    for (const job of later) job.end();
    await Promise.all(all);
  });

  it('keeps a slot for quick jobs, however many slow ones and bulk jobs wait', async () => {
    const lane = new Lane(2, 1);
    const slow = [controlled(), controlled(), controlled()];
    const all = slow.map(({ work }, n) => lane.run({ priority: n === 1 ? 'bulk' : 'interactive', slow: true }, work));
    for (let n = 0; n < 3; n += 1)
      await expect(lane.run({ priority: 'interactive' }, () => Promise.resolve('quick'))).resolves.toBe('quick');
    expect(slow.map((job) => job.started())).toEqual([true, false, false]);
    slow[0]!.end();
    await settle();
    // Interactive before bulk.
    expect(slow.map((job) => job.started())).toEqual([true, false, true]);
    for (const job of slow) job.end();
    await Promise.all(all);
  });

  it('gives each group slots of its own', async () => {
    const lane = new Lane(1);
    const jobs = [controlled(), controlled(), controlled()];
    const all = jobs.map(({ work }, n) => lane.run({ priority: 'interactive', group: n === 2 ? 'b' : 'a' }, work));
    expect(jobs.map((job) => job.started())).toEqual([true, false, true]);
    for (const job of jobs) job.end();
    await Promise.all(all);
  });

  it('keeps its promises for any sequence of jobs', async () => {
    const job = fc.record({
      priority: fc.constantFrom<Priority>('interactive', 'bulk'),
      group: fc.constantFrom('a', 'b', 'c'),
      weight: fc.integer({ min: 1, max: 3 }),
      slow: fc.boolean(),
      ticks: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (jobs, slots, groups) => {
          const bulkSlots = Math.max(1, slots - 1);
          const lane = new Lane(slots, bulkSlots, undefined, groups);
          const running = new Set<(typeof jobs)[number]>();
          const weightOf = (entries: typeof jobs): number =>
            entries.reduce((sum, { weight }) => sum + Math.min(weight, slots), 0);
          await Promise.all(
            jobs.map((entry) =>
              lane.run(entry, async () => {
                running.add(entry);
                expect(new Set([...running].map(({ group }) => group)).size).toBeLessThanOrEqual(groups);
                const all = [...running].filter(({ group }) => group === entry.group);
                expect(weightOf(all)).toBeLessThanOrEqual(slots);
                const slow = all.filter((one) => one.slow || one.priority === 'bulk');
                if (slow.length > 1) expect(weightOf(slow)).toBeLessThanOrEqual(bulkSlots);
                for (let tick = 0; tick < entry.ticks; tick++) await settle();
                running.delete(entry);
              }),
            ),
          );
          expect(lane.active).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});
