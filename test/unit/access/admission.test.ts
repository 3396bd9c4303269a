import fc from 'fast-check';
import { Admission, charactersIn, MOST_UNDER_WAY } from '../../../src/operate/access/admission/admission.js';
import type { Spends } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { isGraftError } from '../../../src/kernel/errors.js';
import type { Account } from '../../../src/platform/spending/index.js';

const account = (workspace?: string, lineId = 'key'): Account => ({
  caller:
    workspace === undefined
      ? localCaller()
      : { workspaceId: workspace as Account['caller']['workspaceId'], key: { lineId } },
  tokens: 0,
});
/** As many characters as a question may have. */
const EXPENSIVE = { question: 'x'.repeat(8_000) };

/** A machine that reads and writes so many tokens a second, shared evenly, in steps of 10 ms. */
class Machine {
  now = 0;
  refused = 0;
  readonly waits: number[] = [];
  readonly #work = new Set<{ account: Account; needs: number; since: number; leave: (finished: boolean) => void }>();
  readonly admission: Admission;

  constructor(
    public tokensPerSecond: number,
    maxWaitMs: number,
  ) {
    this.admission = new Admission({ clock: { monotonic: () => this.now }, maxWaitMs });
  }

  /** What was measured of it at the start. */
  calibrated(tokensPerSecond: number): void {
    const measured = { prefillTokensPerSecond: tokensPerSecond, decodeTokensPerSecond: tokensPerSecond };
    this.admission.calibrated({
      threads: { prefill: 2, decode: 2 },
      quiet: true,
      measurements: [{ threads: 2, ...measured }],
    });
  }

  ask(needs: number, work: Spends = 'ANSWER', one = account(), request: object = { question: 'x' }): boolean {
    try {
      const leave = this.admission.enter(work, one, request);
      this.#work.add({ account: one, needs, since: this.now, leave });
      return true;
    } catch (error) {
      if (!isGraftError(error, 'OVERLOADED')) throw error;
      this.refused += 1;
      return false;
    }
  }

  run(ms: number, each10ms: () => void = () => undefined): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 10;
      for (const one of this.#work) {
        one.account.tokens += this.tokensPerSecond / 100 / this.#work.size;
        if (one.account.tokens < one.needs) continue;
        this.#work.delete(one);
        this.waits.push(this.now - one.since);
        one.leave(true);
      }
      each10ms();
    }
  }
}

const refusal = (admit: () => unknown) => {
  try {
    admit();
  } catch (error) {
    if (isGraftError(error, 'OVERLOADED')) return error;
  }
  throw new Error('nothing was refused');
};

describe('admission', () => {
  it('lets everybody in who comes no faster than answers are given', () => {
    const machine = new Machine(1_000, 5_000);
    let step = 0;
    // 400 tokens each, two a second: 80 % of what the machine can do.
    machine.run(120_000, () => void (step++ % 50 === 0 && machine.ask(400)));
    expect(machine.refused).toBe(0);
  });

  it('at five times as many, keeps who is let in to about the configured wait, on machines of any speed', () => {
    const speeds = fc.integer({ min: 100, max: 50_000 });
    fc.assert(
      fc.property(
        speeds,
        fc.integer({ min: 50, max: 1_000 }),
        fc.double({ min: 0.5, max: 2, noNaN: true }),
        (speed, tokens, off) => {
          const maxWaitMs = 5_000 + (10_000 * tokens) / speed;
          const machine = new Machine(speed, maxWaitMs);
          machine.calibrated(speed * off);
          const everyMs = (tokens / speed) * 200;
          let due = 0;
          const burst = () => {
            for (; due <= machine.now; due += everyMs) machine.ask(tokens);
          };
          // Who came before anything was seen is let in by what is expected of any machine, here up to seven times too much; they end first.
          machine.run(maxWaitMs * 9, burst);
          machine.waits.length = 0;
          machine.run(maxWaitMs * 6, burst);
          const slowest = Math.max(...machine.waits);
          expect(machine.refused).toBeGreaterThan(0);
          // An answer's own time and what the estimate is off by come on top.
          expect(slowest).toBeLessThan(maxWaitMs * 1.5 + (2_000 * tokens) / speed + 200);
          // Nothing stands idle while people are refused, but for answers that are cut at both ends of what is counted.
          expect(machine.waits.length).toBeGreaterThan((0.9 * maxWaitMs * 6 * speed) / 1_000 / tokens - 3);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('notices that a machine has become slower, and that it does more when much is done together', () => {
    const machine = new Machine(2_000, 4_000);
    const flood = () => void machine.ask(400);
    machine.run(60_000, flood);
    const before = machine.admission.state().answers.underWay;
    machine.tokensPerSecond = 500;
    machine.run(120_000, flood);
    const slow = machine.admission.state().answers.underWay;
    machine.tokensPerSecond = 4_000;
    machine.run(60_000, flood);
    const fast = machine.admission.state().answers.underWay;
    expect(slow).toBeLessThan(before / 2);
    expect(fast).toBeGreaterThan(before * 1.5);
  });

  it('notices that a machine has become slow before anybody is through', () => {
    const machine = new Machine(2_000, 4_000);
    machine.run(60_000, () => void machine.ask(400));
    machine.run(10_000);
    expect(machine.admission.state().answers.underWay).toBe(0);
    machine.tokensPerSecond = 100;
    let step = 0;
    // A third of what it could do before.
    machine.run(30_000, () => void (step++ % 66 === 0 && machine.ask(400)));
    expect(machine.admission.state().answers.underWay).toBeLessThan(15);
  });

  it('learns nothing of a machine before one came to its end there', () => {
    const machine = new Machine(100, 20_000);
    machine.calibrated(100);
    const alone = account();
    const leave = machine.admission.enter('ANSWER', alone, { question: 'x' });
    alone.tokens = 12;
    machine.now += 3_000;
    leave(false);
    expect(machine.ask(400) && machine.ask(400)).toBe(true);
    machine.now += 1_500;
    expect(machine.ask(400)).toBe(true);
  });

  it('what one alone is done in says little of what many together take', () => {
    const machine = new Machine(500, 4_000);
    const burst = (): number => Array.from({ length: 100 }, () => machine.ask(400)).filter(Boolean).length;
    machine.run(60_000, () => void machine.ask(400));
    machine.run(20_000);
    const before = burst();
    machine.run(60_000);
    machine.tokensPerSecond = 4_000;
    machine.run(30_000, () => void (machine.admission.state().answers.underWay === 0 && machine.ask(400)));
    machine.run(10_000);
    expect(burst()).toBeLessThan(before * 2);
  });

  it('always lets one in where nobody else is, however slow the machine', () => {
    const machine = new Machine(1, 1_000);
    expect(machine.ask(500)).toBe(true);
    machine.run(600_000);
    expect(machine.ask(500)).toBe(true);
  });

  it('says when to come back: later, the more there is before', () => {
    const machine = new Machine(1_000, 2_000);
    machine.run(30_000, () => void machine.ask(400));
    const error = refusal(() => machine.admission.enter('ANSWER', account(), {}));
    expect(error.retryAfterSeconds).toBeGreaterThanOrEqual(0.5);
    expect(error.hint).toMatch(/^Send it again in \d+ s\.$/);
  });

  it('tells nobody to stay away for longer than people are let wait, whatever was sent', () => {
    const machine = new Machine(1_000, 2_000);
    machine.run(30_000, () => void machine.ask(400));
    const enormous = refusal(() => machine.admission.enter('ANSWER', account(), { question: 'x'.repeat(1e7) }));
    expect(enormous.retryAfterSeconds).toBe(2);
  });

  describe('beside one key that asks what is expensive', () => {
    /** As on two cores: an expensive question takes some 40 s alone. */
    const attacked = () => {
      const machine = new Machine(60, 20_000);
      machine.calibrated(60);
      for (let n = 0; n < 4; n += 1) machine.ask(60, 'ANSWER', account('A'));
      machine.run(10_000);
      const attack = () => machine.ask(2_060, 'ANSWER', account('A'), EXPENSIVE);
      return { machine, attack };
    };

    it('lets in each plain question of others, and none of its further expensive ones', () => {
      const { machine, attack } = attacked();
      expect([attack(), attack(), attack(), attack()]).toEqual([true, false, false, false]);
      let step = 0;
      let refusedPlain = 0;
      machine.run(45_000, () => {
        if (step++ % 150 !== 0) return;
        attack();
        if (!machine.ask(60, 'ANSWER', account('B'))) refusedPlain += 1;
      });
      expect(refusedPlain).toBe(0);
    });

    it('lets that key itself ask what is plain, and what is expensive again once the first is nearly done', () => {
      const { machine, attack } = attacked();
      attack();
      expect(machine.ask(60, 'ANSWER', account('A'))).toBe(true);
      machine.run(25_000);
      expect(attack()).toBe(true);
    });
  });

  it('a key that asks as much as it can leaves room for other keys, and its workspace for other workspaces', () => {
    const machine = new Machine(1_000, 20_000);
    const flood = (workspace: string, lineId: string) => () =>
      void machine.ask(400, 'ANSWER', account(workspace, lineId));
    machine.run(30_000, flood('A', 'first'));
    expect(machine.ask(400, 'ANSWER', account('A', 'first'))).toBe(false);
    expect(machine.ask(400, 'ANSWER', account('A', 'second'))).toBe(true);
    machine.run(30_000, () => ['first', 'second', 'third', 'fourth'].forEach((key) => flood('A', key)()));
    expect(machine.ask(400, 'ANSWER', account('A', 'fifth'))).toBe(false);
    expect(machine.ask(400, 'ANSWER', account('B'))).toBe(true);
  });

  it('searches don’t wait for answers, answers don’t wait for searches, and runs wait in their own queue', () => {
    const machine = new Machine(1_000, 2_000);
    machine.run(30_000, () => void machine.ask(400));
    expect(machine.ask(400)).toBe(false);
    expect(machine.ask(20, 'SEARCH')).toBe(true);
    for (const work of ['RUN', 'TRAINING'] as const) expect(machine.ask(1, work)).toBe(true);
  });

  it('lets no more in at once than the worker’s queue holds, and no key fill it', () => {
    const admission = new Admission({ clock: { monotonic: () => 0 }, maxWaitMs: 1e9 }, 9);
    const enter = (workspace: string) => () => admission.enter('SEARCH', account(workspace), {});
    for (let n = 0; n < 7; n += 1) enter('A')();
    expect(refusal(enter('A')).message).toMatch(/^Your key has 7 requests under way/);
    for (const workspace of ['B', 'C']) enter(workspace)();
    expect(refusal(enter('D')).message).toMatch(/^9 requests are under way/);
  });

  it('what fails or is given up gives its place back and teaches nothing', () => {
    const machine = new Machine(1_000, 2_000);
    machine.run(10_000, () => void (machine.admission.state().answers.underWay === 0 && machine.ask(400)));
    const { waitMs } = machine.admission.state().answers;
    for (let n = 0; n < 100; n += 1) machine.admission.enter('ANSWER', account(), {})(false);
    expect(machine.admission.state().answers.waitMs).toBe(waitMs);
  });

  it('measures the texts of a request wherever they stand, and looks at no more than so many', () => {
    expect(charactersIn({ input: { question: 'abc', labels: ['de', { deeper: 'f' }], seed: 1, none: null } })).toBe(6);
    expect(charactersIn({ input: Array.from({ length: 1e6 }, () => 'x') })).toBeLessThanOrEqual(10_000);
    expect(charactersIn({ input: ['x'.repeat(5_000), 'y'] }, 2_048)).toBe(2_049);
  });

  it('lets in as many as docs/operate.md says', () => {
    expect(MOST_UNDER_WAY).toBe(256);
  });

  it('lets others search beside one who sends long texts, of which no more is read than of short ones', () => {
    const admission = new Admission({ clock: { monotonic: () => 0 }, maxWaitMs: 20_000 });
    admission.enter('SEARCH', account(), { input: Array.from({ length: 60 }, () => 'x'.repeat(100_000)) });
    expect(() => admission.enter('SEARCH', account(), { input: 'a short one' })).not.toThrow();
  });
});
