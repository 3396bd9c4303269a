/**
 * The next step of a rollout as a function of its plan, its state, the evidence and the time; nothing else, so that a gateway that was
 * killed decides again what it had decided, and what is simulated is what runs.
 *
 * Its modes:
 * - RUNNING: the candidate answers the share of its step. Each look makes the checks below, in their order, and the first that speaks decides.
 * - PAUSED: a person holds it. The share stays as it is, and so do the guardrails: a paused candidate still answers users, so it still
 *   goes back by itself. Nothing else is looked at.
 * - ROLLED_BACK, COMPLETED, ABORTED: the end. Nothing decides any more, and commands are refused.
 *
 * The order of checks, and why it is this one:
 * 1. No traffic. Silence proves nothing, neither that the candidate is bad nor that it is good: hold. But what was seen before it
 *    may have crossed a guardrail at its last answer, so evidence that has crossed is never set aside for silence.
 * 2. Guardrails. A rollback never waits for a sample, a time or a person: the e-value holds at any number of answers.
 * 3. Health: a sample ratio that wasn't drawn. Figures can't be trusted, so nothing advances on them. After the guardrails,
 *    because a candidate that crashes loses answers, which breaks the ratio: to hold it for that would keep it before users.
 * 4. Least sample and least time of the step.
 * 5. Approval, last: nobody is asked to approve what the checks would have held anyway.
 *
 * Commands come in by the same door. PAUSE, RESUME, ABORT do what they say; APPROVE is kept until the step may be left; ADVANCE skips
 * the rest of a step (sample, time) and JUMP several, forward or back, but neither skips a guardrail nor an approval that is
 * wanted on the way. What can't be done is refused with its reason, and the look goes on as if it hadn't been said.
 */
import { z } from 'zod';
import { choice } from '../../../kernel/record.js';
import { ROLLOUT_METRICS, type RolloutMetric } from './measures.js';
import { alphaOf, SAMPLE_RATIO_ALPHA, type RolloutPlan, type RolloutStep } from './plan.js';
import type { RolloutEvidence, MeasureEvidence } from './watch.js';
import { percent } from '../../../kernel/text.js';
import { MINUTE_MS } from '../../../kernel/duration.js';

/** How far a rollout is. */
export const RolloutStatus = choice('RolloutStatus', 'How far a rollout is.', {
  RUNNING: 'The candidate answers the share of its step.',
  PAUSED: 'A person holds it: the share stays, and guardrails still roll back.',
  ROLLED_BACK: 'A guardrail was crossed: production answers everything again.',
  COMPLETED: 'The candidate is production.',
  ABORTED: 'It was ended without the candidate: by a person, or because something that it needs is gone.',
});
export type RolloutStatus = keyof typeof RolloutStatus;

/** Plain data: what the next decision goes on from. */
export const rolloutState = z.object({
  status: z.enum(RolloutStatus),
  /** Index of the step. */
  step: z.number().int(),
  /** ms since 1970, by one clock: the database's. */
  enteredAt: z.number(),
  /** ms in the step, the most that any look saw: a clock that is put back takes no time away. */
  elapsedMs: z.number(),
  /** Step that a person approved to be left. */
  approvedStep: z.number().nullable(),
});
export type RolloutState = z.infer<typeof rolloutState>;

export type Command =
  | { kind: 'PAUSE' | 'RESUME' | 'APPROVE' | 'ADVANCE' | 'ABORT' }
  /** To the step of this index. */
  | { kind: 'JUMP'; step: number };

type Action =
  | 'ROLL_BACK'
  | 'HOLD'
  | 'WAIT'
  | 'AWAIT_APPROVAL'
  | 'ADVANCE'
  | 'COMPLETE'
  | 'PAUSE'
  | 'RESUME'
  | 'APPROVE'
  | 'JUMP'
  | 'ABORT'
  /** Ended or paused: nothing to do. */
  | 'NONE';

type RolloutCheck =
  'STATUS' | 'COMMAND' | 'NO_TRAFFIC' | 'GUARDRAIL' | 'HEALTH' | 'LEAST_SAMPLE' | 'APPROVAL' | 'PASSED';

export interface Decision {
  action: Action;
  /** Which check decided. */
  check: RolloutCheck;
  /** Sentences with figures, what decided first; a refused command after it. */
  reasons: string[];
  /** A command that couldn't be followed, with the reason. */
  refused: string | null;
  /** What the rollout is from now on. */
  state: RolloutState;
}

export const startRollout = (now: number): RolloutState => ({
  status: 'RUNNING',
  step: 0,
  enteredAt: now,
  elapsedMs: 0,
  approvedStep: null,
});

export const hasEnded = ({ status }: Pick<RolloutState, 'status'>): boolean =>
  status === 'ROLLED_BACK' || status === 'COMPLETED' || status === 'ABORTED';

/** @param now ms since 1970, of the clock that gave `state.enteredAt` */
export function decide(
  plan: RolloutPlan,
  previousState: RolloutState,
  evidence: RolloutEvidence,
  now: number,
  command: Command | null = null,
): Decision {
  const state = { ...previousState, elapsedMs: Math.max(previousState.elapsedMs, now - previousState.enteredAt) };
  if (hasEnded(state)) {
    const refusal = command ? `The rollout has ended (${state.status}): start another.` : null;
    return {
      action: 'NONE',
      check: 'STATUS',
      reasons: [`The rollout has ended: ${state.status}.`],
      refused: refusal,
      state: previousState,
    };
  }
  const crossed = crossedGuardrails(plan, evidence);
  if (crossed.length > 0)
    return {
      action: 'ROLL_BACK',
      check: 'GUARDRAIL',
      reasons: crossed,
      refused: command && command.kind !== 'ABORT' ? 'A guardrail was crossed: the rollout goes back instead.' : null,
      state: { ...state, status: 'ROLLED_BACK' },
    };
  const obeyed = command ? obey(plan, state, command, now) : null;
  if (obeyed && typeof obeyed !== 'string') return obeyed;
  return { ...evaluate(plan, state, evidence, now), refused: obeyed };
}

/** What a look finds that no guardrail ended and no command decided. */
function evaluate(
  plan: RolloutPlan,
  state: RolloutState,
  evidence: RolloutEvidence,
  now: number,
): Omit<Decision, 'refused'> {
  if (state.status === 'PAUSED') return { action: 'NONE', check: 'STATUS', reasons: ['The rollout is paused.'], state };
  const step = plan.steps[state.step]!;
  const stay = (action: Action, check: RolloutCheck, reasons: string[]): Omit<Decision, 'refused'> => ({
    action,
    check,
    state,
    reasons,
  });
  const silence = silent(plan, state, evidence, now);
  if (silence !== null) return stay('HOLD', 'NO_TRAFFIC', [silence]);
  const ill = health(evidence);
  if (ill.length > 0) return stay('HOLD', 'HEALTH', ill);
  const missing = leastSample(step, state, evidence);
  if (missing.length > 0) return stay('WAIT', 'LEAST_SAMPLE', missing);
  if (step.approval && state.approvedStep !== state.step)
    return stay('AWAIT_APPROVAL', 'APPROVAL', [`Step ${nameOf(plan, state.step)} has passed and awaits approval.`]);
  const index = state.step + 1;
  const next: RolloutState = plan.steps[index] ? atStep(state, index, now) : { ...state, status: 'COMPLETED' };
  return {
    action: next.status === 'COMPLETED' ? 'COMPLETE' : 'ADVANCE',
    check: 'PASSED',
    reasons: [passedSentence(plan, state, next, evidence)],
    state: next,
  };
}

const atStep = (state: RolloutState, step: number, now: number): RolloutState => ({
  ...state,
  step,
  enteredAt: now,
  elapsedMs: 0,
  approvedStep: null,
});

/** @returns what the command does, or why it can't be followed */
function obey(plan: RolloutPlan, state: RolloutState, command: Command, now: number): Decision | string {
  const decisionOf = (action: Action, reason: string, next: Partial<RolloutState>): Decision => ({
    action,
    check: 'COMMAND',
    reasons: [reason],
    refused: null,
    state: { ...state, ...next },
  });
  const to = (action: Action, index: number): Decision | string => {
    const unapprovedStep = plan.steps.findIndex(
      ({ approval }, i) => i >= state.step && i < index && approval && state.approvedStep !== i,
    );
    if (unapprovedStep >= 0)
      return `Step ${nameOf(plan, unapprovedStep)} wants an approval before it is left: approve it first.`;
    if (index === plan.steps.length)
      return decisionOf('COMPLETE', 'Advanced past the last step.', { status: 'COMPLETED' });
    const next: RolloutState = { ...atStep(state, index, now), status: 'RUNNING' };
    return decisionOf(action, `Moved to step ${nameOf(plan, index)}.`, next);
  };
  switch (command.kind) {
    case 'ABORT':
      return decisionOf('ABORT', 'Aborted: production answers everything again.', { status: 'ABORTED' });
    case 'PAUSE':
      return state.status === 'PAUSED'
        ? 'The rollout is paused already.'
        : decisionOf('PAUSE', 'Paused.', { status: 'PAUSED' });
    case 'RESUME':
      return state.status === 'PAUSED'
        ? decisionOf('RESUME', 'Resumed.', { status: 'RUNNING' })
        : 'The rollout is not paused.';
    case 'APPROVE':
      if (!plan.steps[state.step]!.approval) return `Step ${nameOf(plan, state.step)} wants no approval.`;
      return decisionOf('APPROVE', `Step ${nameOf(plan, state.step)} is approved.`, { approvedStep: state.step });
    case 'ADVANCE':
      return to('ADVANCE', state.step + 1);
    case 'JUMP':
      if (!Number.isInteger(command.step) || command.step < 0 || command.step >= plan.steps.length)
        return `There is no step ${command.step}: give 0 to ${plan.steps.length - 1}.`;
      return to('JUMP', command.step);
  }
}

function crossedGuardrails(plan: RolloutPlan, { measures, allFailed }: RolloutEvidence): string[] {
  const alpha = alphaOf(plan);
  return plan.guardrails.flatMap(({ name, margin }) => {
    // One user who comes back is one observation, however often the candidate fails them.
    if (name === 'FAILURE' && allFailed)
      return ['FAILURE: all of the candidate’s newest answers failed, while most of the controls’ were given.'];
    const measure = measures[name];
    if (!measure || measure.worse < -Math.log(alpha)) return [];
    return [
      `${name} (${told(name)}): ${figures(measure)}, worse by more than the margin of ${margin}; ` +
        `so much evidence comes by chance with p <= ${Math.exp(-measure.worse).toPrecision(2)}, and ${alpha.toPrecision(2)} was allowed.`,
    ];
  });
}

/** What lets nobody trust the figures. */
function health({ sampleRatio, down }: RolloutEvidence): string[] {
  const holds: string[] = [];
  if (down.candidate)
    holds.push(
      down.control
        ? 'Both arms fail: what they share is down, and nothing is learned of the candidate meanwhile.'
        : 'Most of the candidate’s newest answers failed.',
    );
  if (sampleRatio.logE >= -Math.log(SAMPLE_RATIO_ALPHA))
    holds.push(
      `Sample ratio: ${percent(sampleRatio.observed, 1)} of the units are the candidate's where ${percent(sampleRatio.expected, 1)} were drawn: ` +
        'answers of one arm are lost.',
    );
  return holds;
}

function silent(
  { noTrafficMinutes }: RolloutPlan,
  state: RolloutState,
  { lastAnswerAt, answers }: RolloutEvidence,
  now: number,
): string | null {
  const lastActivityAt = Math.max(lastAnswerAt ?? 0, state.enteredAt);
  // Only silence is told by the clock, and silence only holds: a clock that jumps forward does no more.
  if (now - lastActivityAt < noTrafficMinutes * MINUTE_MS) return null;
  return `The candidate has answered nothing for ${Math.floor((now - lastActivityAt) / MINUTE_MS)} minutes (${answers.candidate} answers in this step).`;
}

function leastSample(step: RolloutStep, state: RolloutState, { answers }: RolloutEvidence): string[] {
  const missing: string[] = [];
  if (answers.candidate < step.leastAnswers)
    missing.push(`${answers.candidate} of at least ${step.leastAnswers} answers of the candidate in this step.`);
  if (state.elapsedMs < step.leastMinutes * MINUTE_MS)
    missing.push(`${Math.floor(state.elapsedMs / MINUTE_MS)} of at least ${step.leastMinutes} minutes in this step.`);
  return missing;
}

function passedSentence(
  plan: RolloutPlan,
  passedState: RolloutState,
  next: RolloutState,
  { answers }: RolloutEvidence,
): string {
  const passed = `Step ${nameOf(plan, passedState.step)} has passed: ${answers.candidate} answers, no guardrail crossed`;
  if (next.status === 'COMPLETED') return `${passed}. The candidate has gone all the way.`;
  return `${passed}; on to ${nameOf(plan, next.step)}.`;
}

const nameOf = ({ steps }: RolloutPlan, index: number): string => `${index + 1} (${percent(steps[index]!.share, 1)})`;

/** What a figure is the share of: of errors and abstentions it is the opposite. */
const told = (name: string): string =>
  name in ROLLOUT_METRICS ? ROLLOUT_METRICS[name as RolloutMetric].title.toLowerCase() : 'good answers';

const figures = ({ candidate, control }: MeasureEvidence): string =>
  `${percent(candidate.value, 1)} of ${candidate.answers} answers against ${percent(control.value, 1)} of ${control.answers} controls`;
