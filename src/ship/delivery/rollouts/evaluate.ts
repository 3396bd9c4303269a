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

/** Counts answers, in the order of their numbers. Changes `kept`. */
export function count(plan: RolloutPlan, kept: KeptState, outcomes: readonly RolloutOutcome[], now: number): void {
  const { watch, bounds } = kept;
  for (const outcome of outcomes) {
    const { arm, stage, newUnit } = outcome;
    if (arm !== CANDIDATE && arm !== CONTROL) continue;
    const measures = measuresOf(outcome, bounds);
    record(watch, plan, { step: stage, arm, at: now, newUnit, measures });
    if (arm === CONTROL) learnBounds(bounds, outcome);
  }
}

/** Counts what was said of answers, however long ago they were given. Changes `kept`. */
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
  before: KeptState,
  now: number,
  order: { command: Command; by: string; reason: string } | null = null,
): Evaluation {
  const kept = before;
  const decisions: NewRolloutDecision[] = [];
  let command = order?.command ?? null;
  let refused: string | null = null;
  for (let made = 0; ; made++) {
    const evidence = evidenceOf(kept.watch, plan);
    const decision = decide(plan, kept.state, evidence, now, command);
    refused ??= decision.refused;
    const by = decision.check === 'COMMAND' ? { by: order?.by, reason: order?.reason } : {};
    command = null;
    const entered = decision.state.step !== kept.state.step;
    kept.state = decision.state;
    if (entered) enterStep(kept.watch, plan, decision.state.step);
    const { action, check, reasons } = decision;
    const holds = action === 'HOLD' || action === 'AWAIT_APPROVAL';
    const told = holds ? `${action} ${check} ${decision.state.step}` : kept.told;
    if (action !== 'WAIT' && action !== 'NONE' && (!holds || told !== kept.told))
      decisions.push({ action: action satisfies RolloutAction, check, reasons, evidence: asJson(evidence), ...by });
    kept.told = holds || action === 'WAIT' ? told : null;
    const settled = holds || action === 'WAIT' || action === 'NONE' || hasEnded(decision.state);
    if (settled || made >= MOST_DECISIONS) return { kept, decisions, last: decision, refused };
  }
}

/** Evidence is plain data. */
const asJson = (value: object): Json => value as unknown as Json;
