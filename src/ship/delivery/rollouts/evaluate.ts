import type { Json } from '../../../kernel/stored-json.js';
import { CANDIDATE, CONTROL } from '../assignment/index.js';
import { decide, hasEnded, type Command, type Decision } from './decide.js';
import { learnBounds, measuresOf, type RolloutOutcome, type FirstVerdict } from './measures.js';
import { MOST_STEPS, type RolloutPlan } from './plan.js';
import type { KeptState, RolloutAction } from './rollout.js';
import type { NewRolloutDecision } from './rollout-store.js';
import { enterStep, evidenceOf, record, recordLate } from './watch.js';

/** What a look found. */
interface Evaluation {
  kept: KeptState;
  /** In order; none where nothing changed. */
  decisions: NewRolloutDecision[];
  /** The last thing that was decided, told or not. */
  last: Decision;
  /** Why the person’s command can’t be followed; null where it was, or where there was none. */
  refused: string | null;
}

/** Every step may be entered, and one action may stand between two. */
const MOST_DECISIONS = 2 * (MOST_STEPS + 1);

/** Counts answers, in the order of their numbers. Changes `progress`. */
export function count(plan: RolloutPlan, progress: KeptState, outcomes: readonly RolloutOutcome[], now: number): void {
  const { watch, bounds } = progress;
  for (const outcome of outcomes) {
    const { arm, stage, newUnit } = outcome;
    if (arm !== CANDIDATE && arm !== CONTROL) continue;
    const measures = measuresOf(outcome, bounds);
    record(watch, plan, { step: stage, arm, at: now, newUnit, measures });
    if (arm === CONTROL) learnBounds(bounds, outcome);
  }
}

/** Counts what was said of answers, however long ago they were given. Changes `watch`. */
export function countVerdicts(plan: RolloutPlan, { watch }: KeptState, verdicts: readonly FirstVerdict[]): void {
  for (const { arm, stage, good, newUnit } of verdicts)
    if (arm === CANDIDATE || arm === CONTROL)
      recordLate(watch, plan, { step: stage, arm, newUnit, measures: { FEEDBACK: good } });
}

/**
 * What follows from what was counted, until nothing more does.
 * @param now watched milliseconds of the rollout
 * @param order what a person wants
 */
export function evaluate(
  plan: RolloutPlan,
  previousProgress: KeptState,
  now: number,
  order: { command: Command; by: string; reason: string } | null = null,
): Evaluation {
  const progress = previousProgress;
  const decisions: NewRolloutDecision[] = [];
  let command = order?.command ?? null;
  let refusal: string | null = null;
  for (let rounds = 0; ; rounds++) {
    const evidence = evidenceOf(progress.watch, plan);
    const decision = decide(plan, progress.state, evidence, now, command);
    refusal ??= decision.refused;
    const requester = decision.check === 'COMMAND' ? { by: order?.by, reason: order?.reason } : {};
    command = null;
    const entered = decision.state.step !== progress.state.step;
    progress.state = decision.state;
    if (entered) enterStep(progress.watch, plan, decision.state.step);
    const { action, check, reasons } = decision;
    const holds = action === 'HOLD' || action === 'AWAIT_APPROVAL';
    const notice = holds ? `${action} ${check} ${decision.state.step}` : progress.told;
    if (action !== 'WAIT' && action !== 'NONE' && (!holds || notice !== progress.told))
      decisions.push({
        action: action satisfies RolloutAction,
        check,
        reasons,
        evidence: asJson(evidence),
        ...requester,
      });
    progress.told = holds || action === 'WAIT' ? notice : null;
    const settled = holds || action === 'WAIT' || action === 'NONE' || hasEnded(decision.state);
    if (settled || rounds >= MOST_DECISIONS) return { kept: progress, decisions, last: decision, refused: refusal };
  }
}

/** Evidence is plain data. */
const asJson = (value: object): Json => value as unknown as Json;
