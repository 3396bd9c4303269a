import { z } from 'zod';
import { STRATEGIES } from '../../../answer/ask/index.js';
import type { Clock } from '../../../kernel/clock.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { pause } from '../../../platform/events/index.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import type { LateFeedback } from '../late-feedback.js';
import type { LiveTests } from '../live-tests.js';
import type { ExperimentDecider, ExperimentNews } from './experiment-decider.js';
import { isLive, isStopped, storedExperimentState, storedSettings, type ExperimentRow } from './experiment.js';
import type { ExperimentStore, ExperimentSurroundings } from './experiment-store.js';
import type { UnitStore } from './unit-store.js';

export const experimentKind = defineRunKind({
  kind: 'EXPERIMENT_WATCH',
  description: 'Arms answer beside each other, and what their answers say is counted until the experiment ends.',
  subject: 'Adapter',
  input: storedJson(z.object({ experimentId: z.string() })),
  output: storedJson(z.object({ status: z.string(), verdict: z.string() })),
  checkpoint: storedJson(z.object({ revision: z.number().int() })),
  concurrency: 100,
  // It watches for weeks: interruptions alone are no reason to end it.
  attempts: 50,
});

export interface ExperimentRunParts {
  experiments: ExperimentStore;
  units: UnitStore;
  lateFeedback: LateFeedback;
  experimentDecider: ExperimentDecider;
  tests: LiveTests;
  clock: Clock;
  /** See `LOOK_MS` and `COUNT_MS`. */
  lookMs?: number;
  countMs?: number;
}

/** How often it is looked whether it can go on. */
const LOOK_MS = 1_000;
/** How often answers are read and, where some have come, counted in its row, however many come. Nobody waits for a figure as users wait for a rollback. */
const COUNT_MS = 3_000;
/** A longer time between two looks is a gateway that was held still; what it didn’t watch is not counted as watched. */
const LONGEST_LOOK_MS = 10_000;
/** How often time alone is written down. */
const KEEP_MS = 10_000;
/** Answers counted in one transaction. */
const BATCH = 2_000;

/** Watches an experiment until it ends. What has been counted lies in its row, so that another gateway goes on from there. */
export async function watchExperiment(
  { lookMs = LOOK_MS, countMs = COUNT_MS, ...parts }: ExperimentRunParts,
  context: ContextOf<typeof experimentKind>,
): Promise<{ status: string; verdict: string }> {
  const { experiments, units, lateFeedback, experimentDecider, tests, clock } = parts;
  const { input, run, signal } = context;
  const workspaceId = run.workspaceId as WorkspaceId;
  let row = await experiments.require(workspaceId, input.experimentId);
  let last = clock.monotonic();
  let unkept = 0;
  // At once, when it begins or is taken up again.
  let uncounted = countMs;
  while (isLive(row.status)) {
    signal.throwIfAborted();
    const plan = storedSettings.decode(row.plan);
    const surroundings = await experiments.surroundings(row, usedBy(row));
    if (!surroundings) throw new Error('the experiment is gone');
    if (surroundings.revision !== row.revision) {
      row = await experiments.require(workspaceId, row.id);
      continue;
    }
    const now = clock.monotonic();
    // Monotonic clocks don’t go back; one that did would count for nothing.
    const passed = Math.min(Math.max(0, now - last), LONGEST_LOOK_MS);
    unkept += passed;
    uncounted += passed;
    last = now;
    const broken = brokenBy(row, surroundings);
    const brokenArms = brokenArmsOf(row, surroundings);
    if (uncounted < countMs && broken === null && Object.keys(brokenArms).length === 0) {
      await pause(lookMs, signal);
      continue;
    }
    // Feedback first: the answers that it is about are among those that are read then, or were counted before.
    const statements = await lateFeedback.since(row.id, { last: row.lastFeedback, recent: row.recentFeedback }, BATCH);
    const watermark = { last: row.lastSequence, recent: row.recentSequences };
    const tokens = plan.metrics.some(({ name }) => name === 'COST');
    const outcomes = await units.uncounted(row.id, watermark, { tokens, most: BATCH });
    const hasMore = outcomes.length >= BATCH;
    uncounted = hasMore ? countMs : 0;
    const news = { outcomes, said: hasMore ? [] : statements, watchedMs: unkept, broken, brokenArms };
    if (hasNews(news) || unkept >= KEEP_MS) {
      const previousRow = row;
      row = await looked(row, news);
      unkept = 0;
      if (row.status !== previousRow.status || row.phase !== previousRow.phase) await tests.refresh();
    }
    if (!hasMore && isLive(row.status)) await pause(lookMs, signal);
  }
  return { status: row.status, verdict: row.verdict };

  async function looked(snapshot: ExperimentRow, news: ExperimentNews): Promise<ExperimentRow> {
    return context.fenced(async (tx) => {
      const locked = await experiments.lock(workspaceId, snapshot.id, tx);
      // Somebody decided meanwhile: what was read may be counted already.
      if (locked.revision !== snapshot.revision || !isLive(locked.status)) return locked;
      const savedRow = await experimentDecider.decide(locked, news, tx);
      await context.checkpoint({ revision: savedRow.revision }, tx);
      return savedRow;
    });
  }
}

const hasNews = ({ outcomes, said, broken, brokenArms }: ExperimentNews): boolean =>
  outcomes.length + said.length + Object.keys(brokenArms ?? {}).length > 0 || typeof broken === 'string';

/** Rows that arms need. */
export const usedBy = (row: ExperimentRow): string[] =>
  storedSettings.decode(row.plan).arms.flatMap(({ versionId, variantId }) => [versionId ?? [], variantId ?? []].flat());

/** Arms that can’t answer any more and weren’t stopped yet, and why. */
export function brokenArmsOf(row: ExperimentRow, { usable }: ExperimentSurroundings): Record<string, string> {
  const state = storedExperimentState.decode(row.state);
  const existingIds = new Set(usable);
  const isGone = (id: string | null): boolean => id !== null && !existingIds.has(id);
  return Object.fromEntries(
    storedSettings.decode(row.plan).arms.flatMap(({ name, adapter, model, versionId, variantId }) => {
      if (isStopped(state, name)) return [];
      if (isGone(versionId)) return [[name, `${adapter} was deleted or withdrawn.`]];
      return isGone(variantId) ? [[name, `${model} was deleted.`]] : [];
    }),
  );
}

/** Why it can’t go on; null when it can. Where each arm names its version, or uses none, production may move. */
function brokenBy(
  { adapterId, productionId, adapter, plan }: ExperimentRow,
  surroundings: Pick<ExperimentSurroundings, 'productionId'>,
): string | null {
  const follows = storedSettings
    .decode(plan)
    .arms.some(
      ({ adapter: armAdapter, strategy }) => armAdapter === null && (strategy === null || STRATEGIES[strategy].adapts),
    );
  return adapterId === null || !follows || surroundings.productionId === productionId
    ? null
    : `Production of ${adapter} names another version than when it began: an arm answers otherwise than what was counted of it.`;
}
