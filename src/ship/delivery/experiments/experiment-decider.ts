import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { StandingFeedback } from '../late-feedback.js';
import { countedWith } from '../counting.js';
import { answersOf, count, unitsOf } from './count.js';
import {
  isLive,
  storedExperimentState,
  storedSettings,
  type ExperimentRow,
  type ExperimentSettings,
  type ExperimentState,
} from './experiment.js';
import type { ExperimentStore, NewExperimentDecision, ExperimentUpdate } from './experiment-store.js';
import { concluded, look } from './look.js';
import type { ExperimentOutcome } from './metrics.js';
import { emptyState } from './tally.js';
import type { UnitStore } from './unit-store.js';

/** What a person wants of an experiment. */
export type ExperimentCommand = { kind: 'PAUSE' | 'RESUME' | 'STOP' | 'END' } | { kind: 'WIDEN'; coverage: number };

export interface ExperimentOrder {
  command: ExperimentCommand;
  by: string;
  reason: string;
}

/** What has come since the last look. */
export interface ExperimentNews {
  outcomes: readonly ExperimentOutcome[];
  said: readonly StandingFeedback[];
  /** How long it ran and was watched since, in ms; never below 0. */
  watchedMs: number;
  order?: ExperimentOrder | null;
  /** Arms that can’t answer any more, and why. */
  brokenArms?: Readonly<Record<string, string>>;
  /** Why it can’t go on as a whole; null where it can. */
  broken?: string | null;
}

/** Decides what follows for an experiment, in a transaction that holds its row: two looks never count the same answer. */
export class ExperimentDecider {
  constructor(private readonly parts: { experiments: ExperimentStore; units: UnitStore }) {}

  /** @throws CONFLICT, BAD_USER_INPUT for an order that can’t be followed */
  async decide(row: ExperimentRow, news: ExperimentNews, tx: Transaction): Promise<ExperimentRow> {
    const { outcomes, said, watchedMs, order = null, brokenArms = {} } = news;
    const plan = storedSettings.decode(row.plan);
    const state = storedExperimentState.decode(row.state);
    const batch = { outcomes, said };
    if (outcomes.length + said.length > 0) {
      const { units } = this.parts;
      const keys = { hashes: unitsOf(batch), answerIds: said.map(({ answerId }) => answerId) };
      const touched = await units.touched(row.id, keys, tx);
      count(plan, state, row.phase, batch, touched);
      await units.persist(row.id, touched, tx);
    }
    const [answers, feedback] = [
      countedWith({ last: row.lastSequence, recent: row.recentSequences }, outcomes),
      countedWith({ last: row.lastFeedback, recent: row.recentFeedback }, said),
    ];
    const watched = row.watchedMs + (row.status === 'RUNNING' ? watchedMs : 0);
    const decisions: NewExperimentDecision[] = stopArms(plan, state, brokenArms);
    const saved: ExperimentUpdate = {
      state,
      decisions,
      answers: answersOf(state),
      watchedMs: watched,
      lastSequence: answers.last,
      recentSequences: [...answers.recent],
      lastFeedback: feedback.last,
      recentFeedback: [...feedback.recent],
    };
    const broken = news.broken ?? unable(plan, state);
    const result = look(plan, state, watched, { mayEnd: row.status === 'RUNNING' && broken === null });
    decisions.push(...result.decisions);
    Object.assign(saved, { verdict: result.verdict, winner: result.winner, point: result.point });
    if (broken !== null) end(saved, 'STOPPED', { action: 'STOP', reasons: [broken] });
    else if (result.begins && row.status === 'RUNNING') beginTest(row, plan, saved);
    else if (result.final) {
      saved.final = true;
      end(saved, 'ENDED', { action: 'END', reasons: ['The planned end.', concluded(plan, state, true).sentence] });
    } else if (order) this.#follow(row, plan, saved, order);
    if (saved.finishedAt) await this.parts.units.delete(row.id, tx);
    return this.parts.experiments.save(row, saved, tx);
  }

  #follow(
    row: ExperimentRow,
    plan: ExperimentSettings,
    saved: ExperimentUpdate,
    { command, by, reason }: ExperimentOrder,
  ): void {
    const { state } = saved;
    const decisions = saved.decisions as NewExperimentDecision[];
    const requester = { by, reason };
    switch (command.kind) {
      case 'PAUSE':
        if (row.status !== 'RUNNING') throw refused(`It is ${row.status}, not RUNNING.`);
        saved.status = 'PAUSED';
        decisions.push({
          action: 'PAUSE',
          reasons: ['Production answers everything; what is said late still counts.'],
          ...requester,
        });
        return;
      case 'RESUME':
        if (row.status !== 'PAUSED') throw refused(`It is ${row.status}, not PAUSED.`);
        saved.status = 'RUNNING';
        decisions.push({ action: 'RESUME', reasons: ['Questions are drawn again.'], ...requester });
        return;
      case 'STOP':
        end(saved, 'STOPPED', { action: 'STOP', reasons: [concluded(plan, state, false).sentence], ...requester });
        return;
      case 'END':
        end(saved, 'ENDED', {
          action: 'END',
          ...requester,
          reasons: [
            'Before its planned end, so by what may be read at any time.',
            concluded(plan, state, false).sentence,
          ],
        });
        return;
      case 'WIDEN': {
        if (!(command.coverage > plan.coverage && command.coverage <= 1))
          throw refused(
            `Its coverage is ${plan.coverage}: it can only grow, to at most 1.`,
            'input.coverage',
            'Those who would leave it have seen their arm: stop it, and make another one.',
          );
        plan.coverage = command.coverage;
        saved.plan = plan;
        decisions.push({
          action: 'WIDEN',
          ...requester,
          reasons: [`${command.coverage * 100} % of the questions take part from now on; nobody changes arms.`],
        });
        return;
      }
    }
  }

  /** Stops a live experiment that can’t go on, unless it has ended meanwhile. */
  async stop(workspaceId: WorkspaceId, id: string, broken: string): Promise<void> {
    await this.parts.experiments.transaction(async (tx) => {
      const row = await this.parts.experiments.lock(workspaceId, id, tx);
      if (isLive(row.status)) await this.decide(row, { outcomes: [], said: [], watchedMs: 0, broken }, tx);
    });
  }
}

/** Lets the arms differ. The counts are emptied: what was counted until now belongs to no comparison. */
function beginTest(row: ExperimentRow, plan: ExperimentSettings, saved: ExperimentUpdate): void {
  const reasons = [`${saved.answers} answers were given as production: from now on the arms differ.`];
  Object.assign(saved.state, emptyState(plan, { before: false }), { stopped: saved.state.stopped });
  Object.assign(saved, { phase: row.phase + 1, answers: 0, point: null, verdict: 'INCONCLUSIVE', winner: null });
  (saved.decisions as NewExperimentDecision[]).push({ action: 'BEGIN_TEST', reasons });
}

function end(saved: ExperimentUpdate, status: 'ENDED' | 'STOPPED', decision: NewExperimentDecision): void {
  Object.assign(saved, { status, finishedAt: new Date() });
  (saved.decisions as NewExperimentDecision[]).push(decision);
}

function stopArms(
  { arms }: ExperimentSettings,
  state: ExperimentState,
  broken: Readonly<Record<string, string>>,
): NewExperimentDecision[] {
  const armsToStop = arms.filter(({ name }) => name in broken && !(name in state.stopped));
  for (const { name } of armsToStop) state.stopped[name] = broken[name]!;
  return armsToStop.map(({ name }) => ({
    action: 'STOP_ARM',
    reasons: [`${name} was stopped: ${broken[name]} Its units are answered as production, and don’t count.`],
  }));
}

/** Why what is left can’t be compared. */
function unable({ arms }: ExperimentSettings, { stopped }: ExperimentState): string | null {
  const [control] = arms;
  if (control!.name in stopped) return `The control can’t answer any more: ${stopped[control!.name]}`;
  return arms.length - Object.keys(stopped).length < 2 ? 'No arm is left beside the control.' : null;
}

const refused = (
  message: string,
  field = 'input.experiment',
  hint = 'Look at the experiment, then decide.',
): GraftError => new GraftError('CONFLICT', message, { field, hint });
