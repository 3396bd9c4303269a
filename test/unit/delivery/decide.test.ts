import fc from 'fast-check';
import {
  decide,
  hasEnded,
  startRollout,
  type Command,
  type RolloutState,
} from '../../../src/ship/delivery/rollouts/decide.js';
import {
  flawsOf,
  NO_TRAFFIC_MINUTES,
  STANDARD_STEPS,
  type RolloutPlan,
  type RolloutStep,
} from '../../../src/ship/delivery/rollouts/plan.js';
import type { RolloutEvidence, MeasureEvidence } from '../../../src/ship/delivery/rollouts/watch.js';

const MINUTE = 60_000;
const START = 1_700_000_000_000;

const plan = (changes: Partial<RolloutPlan> = {}): RolloutPlan => ({
  steps: STANDARD_STEPS,
  alpha: 0.05,
  guardrails: [
    { name: 'answered', margin: 0 },
    { name: 'agreed', margin: 0 },
  ],
  noTrafficMinutes: NO_TRAFFIC_MINUTES,
  ...changes,
});

const measured = (worse: number): MeasureEvidence => ({
  worse,
  candidate: { answers: 60, value: 0.7 },
  control: { answers: 540, value: 0.9 },
});

const evidence = (changes: Partial<RolloutEvidence> = {}): RolloutEvidence => ({
  answers: { candidate: 100, control: 900 },
  lastAnswerAt: START + 20 * MINUTE,
  measures: {},
  sampleRatio: { logE: 0, observed: 0.1, expected: 0.1 },
  judgedRatio: { logE: 0, observed: 0.1, expected: 0.1 },
  down: { candidate: false, control: false },
  allFailed: false,
  ...changes,
});

const crossed = { answered: measured(Math.log(40)) };
const running = startRollout(START);
const later = START + 20 * MINUTE;
const step = (changes: Partial<RolloutStep>): RolloutStep => ({ ...STANDARD_STEPS[0]!, ...changes });

describe('the next step of a rollout', () => {
  it('advances when all checks have passed, and says with what figures', () => {
    const { action, check, reasons, state } = decide(plan(), running, evidence(), later);
    expect([action, check]).toEqual(['ADVANCE', 'PASSED']);
    expect(reasons[0]).toContain('100 answers');
    expect(state).toMatchObject({ status: 'RUNNING', step: 1, enteredAt: later, elapsedMs: 0 });
  });

  it('goes back for a crossed guardrail before any sample, time, sample ratio or person is waited for', () => {
    const worst = evidence({
      answers: { candidate: 3, control: 27 },
      lastAnswerAt: START,
      measures: crossed,
      sampleRatio: { logE: 50, observed: 0.01, expected: 0.1 },
    });
    for (const status of ['RUNNING', 'PAUSED'] as const)
      for (const command of [
        null,
        { kind: 'RESUME' },
        { kind: 'ADVANCE' },
        { kind: 'APPROVE' },
      ] satisfies (Command | null)[])
        expect(decide(plan(), { ...running, status }, worst, START + 1, command)).toMatchObject({
          action: 'ROLL_BACK',
          check: 'GUARDRAIL',
          state: { status: 'ROLLED_BACK', step: 0 },
        });
  });

  it('shares alpha among guardrails: evidence that one alone may go back on is not enough of two', () => {
    const measures = { answered: measured(Math.log(30)) };
    expect(decide(plan(), running, evidence({ measures }), later).action).toBe('ADVANCE');
    const alone = plan({ guardrails: [plan().guardrails[0]!] });
    expect(decide(alone, running, evidence({ measures }), later).action).toBe('ROLL_BACK');
  });

  it('checks in the order no traffic, health, least sample, approval', () => {
    const approved = plan({ steps: [step({ approval: true }), step({ share: 0.9 })] });
    const bad = {
      lastAnswerAt: null,
      sampleRatio: { logE: 10, observed: 0.02, expected: 0.1 },
      answers: { candidate: 1, control: 9 },
    };
    const good = evidence();
    const week = START + 7 * 24 * 60 * MINUTE;
    const at = (changes: Partial<RolloutEvidence>, now: number) => decide(approved, running, evidence(changes), now);
    expect(at(bad, week)).toMatchObject({ action: 'HOLD', check: 'NO_TRAFFIC' });
    expect(at(bad, later)).toMatchObject({ action: 'HOLD', check: 'HEALTH' });
    expect(at({ ...bad, sampleRatio: good.sampleRatio }, later)).toMatchObject({
      action: 'WAIT',
      check: 'LEAST_SAMPLE',
    });
    expect(at({}, later)).toMatchObject({ action: 'AWAIT_APPROVAL', check: 'APPROVAL' });
    expect(at({}, START + 9 * MINUTE)).toMatchObject({ action: 'WAIT', check: 'LEAST_SAMPLE' });
  });

  it('holds while the candidate fails, alone or with its controls: nobody is asked to approve that', () => {
    for (const control of [true, false])
      expect(decide(plan(), running, evidence({ down: { candidate: true, control } }), later)).toMatchObject({
        action: 'HOLD',
        check: 'HEALTH',
      });
  });

  it('awaits approval last and completes with it', () => {
    const last: RolloutState = { ...running, step: STANDARD_STEPS.length - 1 };
    expect(decide(plan(), last, evidence(), later)).toMatchObject({
      action: 'AWAIT_APPROVAL',
      state: { status: 'RUNNING' },
    });
    const approved = decide(plan(), last, evidence(), later, { kind: 'APPROVE' });
    expect(approved).toMatchObject({ action: 'APPROVE', state: { status: 'RUNNING' } });
    expect(decide(plan(), approved.state, evidence(), later)).toMatchObject({
      action: 'COMPLETE',
      state: { status: 'COMPLETED' },
    });
  });

  it('pauses, resumes, advances, jumps and aborts, and refuses what can’t be done with a reason', () => {
    const say = (command: Command, state = running) =>
      decide(plan(), state, evidence({ answers: { candidate: 0, control: 0 } }), later, command);
    const paused = say({ kind: 'PAUSE' }).state;
    expect(decide(plan(), paused, evidence(), later)).toMatchObject({
      action: 'NONE',
      state: { step: 0, status: 'PAUSED' },
    });
    expect(say({ kind: 'RESUME' }, paused)).toMatchObject({ action: 'RESUME', state: { status: 'RUNNING' } });
    expect(say({ kind: 'ADVANCE' }).state.step).toBe(1);
    expect(say({ kind: 'JUMP', step: 3 })).toMatchObject({ action: 'JUMP', state: { step: 3 } });
    expect(say({ kind: 'JUMP', step: 99 })).toMatchObject({
      action: 'WAIT',
      refused: expect.stringContaining('no step 99'),
    });
    expect(say({ kind: 'RESUME' }).refused).toContain('not paused');
    expect(say({ kind: 'APPROVE' }).refused).toContain('no approval');
    const aborted = say({ kind: 'ABORT' });
    expect(aborted.state.status).toBe('ABORTED');
    expect(say({ kind: 'RESUME' }, aborted.state)).toMatchObject({
      action: 'NONE',
      refused: expect.stringContaining('ended'),
    });
    const gated = plan({ steps: [step({}), step({ share: 0.5, approval: true }), step({ share: 0.9 })] });
    expect(decide(gated, running, evidence(), later, { kind: 'JUMP', step: 2 }).refused).toContain('approval');
    const last: RolloutState = { ...running, step: STANDARD_STEPS.length - 1 };
    expect(say({ kind: 'ADVANCE' }, last).refused).toContain('approval');
  });

  it('is not fooled by a clock that jumps: time is never taken away, and a jump ahead replaces no answers', () => {
    const few = evidence({ answers: { candidate: 2, control: 18 } });
    const ahead = decide(plan(), running, few, START + 30 * MINUTE);
    expect(ahead.action).toBe('WAIT');
    const back = decide(plan(), ahead.state, few, START - 500 * MINUTE);
    expect(back.state.elapsedMs).toBe(30 * MINUTE);
    expect(decide(plan(), back.state, evidence(), START + MINUTE).action).toBe('ADVANCE');
  });

  it('decides the same on the same input, never leaves an end, never skips a step unasked, and changes nothing it was given', () => {
    const command = fc.option(
      fc.oneof(
        fc.constantFrom<Command>(
          { kind: 'PAUSE' },
          { kind: 'RESUME' },
          { kind: 'APPROVE' },
          { kind: 'ADVANCE' },
          { kind: 'ABORT' },
        ),
        fc.integer({ min: -1, max: 7 }).map((to): Command => ({ kind: 'JUMP', step: to })),
      ),
    );
    const look = fc.record({
      command,
      minutes: fc.integer({ min: -100, max: 100 }),
      answers: fc.integer({ min: 0, max: 200 }),
      worse: fc.double({ min: 0, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 30 }), (looks) => {
        let state = running;
        let now = START;
        for (const { command: said, minutes, answers, worse } of looks) {
          now += minutes * MINUTE;
          const seen = evidence({
            answers: { candidate: answers, control: answers * 9 },
            lastAnswerAt: now,
            measures: { answered: measured(worse) },
          });
          const frozen = JSON.stringify([state, seen]);
          const decision = decide(plan(), state, seen, now, said);
          expect(JSON.stringify([state, seen])).toBe(frozen);
          expect(decide(plan(), state, seen, now, said)).toEqual(decision);
          if (hasEnded(state)) expect(decision.state).toEqual(state);
          if (worse > Math.log(40) && !hasEnded(state)) expect(decision.state.status).toBe('ROLLED_BACK');
          if (said === null) expect(decision.state.step - state.step).toBeLessThanOrEqual(1);
          expect(decision.state.step).toBeLessThan(STANDARD_STEPS.length);
          expect(decision.reasons.length).toBeGreaterThan(0);
          state = decision.state;
        }
      }),
    );
  });
});

describe('a plan', () => {
  it('is told its flaws by field', () => {
    expect(flawsOf(plan())).toEqual([]);
    // Nobody would be left to compare with.
    expect(flawsOf(plan({ steps: [step({ share: 1 })] }))).toMatchObject([{ field: 'steps[0].share' }]);
    const broken = plan({
      steps: [step({ share: 0.5 }), step({ share: 0.2 })],
      alpha: 0,
      guardrails: [
        { name: 'a', margin: 1 },
        { name: 'a', margin: 0 },
      ],
    });
    expect(flawsOf(broken).map(({ field }) => field)).toEqual([
      'steps[1].share',
      'alpha',
      'guardrails',
      'guardrails[0].margin',
    ]);
  });
});
