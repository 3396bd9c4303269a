import { z } from 'zod';
import type { Clock } from '../../../kernel/clock.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { pause } from '../../../platform/events/index.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { MOST_IN_A_LOOK } from '../counting.js';
import { GONE, type RolloutDecider } from './rollout-decider.js';
import { isLive, storedPlan, type RolloutRow } from './rollout.js';
import type { RolloutStore, RolloutSurroundings } from './rollout-store.js';
import { Unwritten } from './unwritten.js';

export const rolloutKind = defineRunKind({
  kind: 'ROLLOUT_WATCH',
  description:
    'An adapter version is given to ever more users beside controls, and goes back by itself when it is worse.',
  subject: 'Adapter',
  input: storedJson(z.object({ rolloutId: z.string() })),
  output: storedJson(z.object({ status: z.string() })),
  checkpoint: storedJson(z.object({ revision: z.number().int() })),
  concurrency: 100,
  // It watches for days: interruptions alone are no reason to leave users with a candidate that nobody watches, or to end it.
  attempts: 50,
});

export interface RolloutRunParts {
  rollouts: RolloutStore;
  decider: RolloutDecider;
  clock: Clock;
  /** See `KEEP_MS`. */
  keepMs?: number;
}

/** How often answers are looked for: a decision follows its answer within a second, and looks are most of what watching costs. */
const LOOK_MS = 700;
/** A longer time between two looks is a gateway that was held still; what it didn’t watch is not counted as watched. */
const LONGEST_LOOK_MS = 5_000;
/** How often what was counted is written down, where nothing followed from it: whoever asks meanwhile counts on from there (`rollout-now.ts`). */
const KEEP_MS = 15_000;

/**
 * Watches a rollout until it ends. Every look counts what came and decides, in memory; what was counted is written to its row when something
 * follows from it, else every fifteen seconds, and another gateway goes on from there.
 */
export async function watchRollout(
  { rollouts, decider, clock, keepMs = KEEP_MS }: RolloutRunParts,
  context: ContextOf<typeof rolloutKind>,
): Promise<{ status: string }> {
  const { input, run, signal } = context;
  const workspaceId = run.workspaceId as WorkspaceId;
  let unwritten = new Unwritten(await rollouts.require(workspaceId, input.rolloutId));
  let last = clock.monotonic();
  while (isLive(unwritten.row.status)) {
    signal.throwIfAborted();
    const { row } = unwritten;
    const pollResult = await rollouts.poll(row, unwritten.counted.behind, MOST_IN_A_LOOK);
    if (!pollResult) throw new Error('the rollout is gone');
    const { around, outcomes: came } = pollResult;
    if (around.revision !== row.revision) {
      unwritten = new Unwritten(await rollouts.require(workspaceId, row.id));
      continue;
    }
    const verdicts = unwritten.listens
      ? await rollouts.uncountedVerdicts(row.id, unwritten.heard.behind, MOST_IN_A_LOOK)
      : [];
    const now = clock.monotonic();
    // Monotonic clocks don’t go back; one that did would count for nothing.
    const follows = unwritten.take(came, verdicts, Math.min(Math.max(0, now - last), LONGEST_LOOK_MS));
    last = now;
    const broken = brokenBy(row, around);
    if (broken !== null || follows) unwritten = new Unwritten(await decided(unwritten, broken));
    else if (unwritten.watchedMs >= keepMs || unwritten.size >= MOST_IN_A_LOOK || row.revision === 0)
      await kept(unwritten);
    if (came.length < MOST_IN_A_LOOK && verdicts.length < MOST_IN_A_LOOK) await pause(LOOK_MS, signal);
  }
  return { status: unwritten.row.status };

  /** Where somebody decides meanwhile, nothing is written: the next look finds that. */
  async function kept(changes: Unwritten): Promise<void> {
    const isWritten = await context.fenced(async (tx) => {
      const isPersisted = await rollouts.persist(changes.row, changes.columns, tx);
      if (isPersisted) await context.checkpoint({ revision: changes.row.revision + 1 }, tx);
      return isPersisted;
    });
    if (isWritten) changes.written();
  }

  async function decided(
    { row, outcomes, verdicts, watchedMs }: Unwritten,
    broken: string | null,
  ): Promise<RolloutRow> {
    return context.fenced(async (tx) => {
      const locked = await rollouts.lock(workspaceId, row.id, tx);
      // Somebody decided meanwhile: what was read may be counted already.
      if (locked.revision !== row.revision || !isLive(locked.status)) return locked;
      const { row: savedRow, decisions } = await decider.decide(locked, { outcomes, verdicts, watchedMs, broken }, tx);
      await context.checkpoint({ revision: savedRow.revision }, tx);
      const lastDecision = decisions.at(-1);
      if (lastDecision) await context.progress(progressOf(savedRow), lastDecision.reasons.join(' '), undefined, tx);
      return savedRow;
    });
  }
}

/** Why a rollout can’t go on; null when it can. */
function brokenBy(
  row: RolloutRow,
  { candidateExists, againstExists, productionId }: RolloutSurroundings,
): string | null {
  if (!candidateExists) return GONE;
  if (!againstExists) return 'The version that it is compared with was deleted: there is no control any more.';
  if (productionId !== row.againstId)
    return 'Production names another version than when the rollout began: the comparison is with something that nobody is answered by.';
  return null;
}

const progressOf = (row: RolloutRow): number => (row.step + 1) / (storedPlan.decode(row.plan).steps.length + 1);
