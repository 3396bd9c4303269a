import { GraftError, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { AdapterRegistry, AliasChangeRow } from '../../../sources/registry/index.js';
import type { ProposalStore } from '../proposals/proposal-store.js';
import { countedWith } from '../counting.js';
import { qualityOf } from './could-see.js';
import { hasEnded } from './decide.js';
import { count, countVerdicts, evaluate } from './evaluate.js';
import { storedPlan, storedState, type Order, type RolloutDecisionRow, type RolloutRow } from './rollout.js';
import type { RolloutOutcome, FirstVerdict } from './measures.js';
import type { NewRolloutDecision, RolloutStore, RolloutUpdate } from './rollout-store.js';

/** What has come since the last look. */
interface RolloutNews {
  outcomes: readonly RolloutOutcome[];
  verdicts: readonly FirstVerdict[];
  /** How long the rollout was watched since, in ms; never below 0. */
  watchedMs: number;
  order?: Order | null;
  /** Why it can’t go on; null where it can. */
  broken?: string | null;
}

export const NOTHING_NEW: RolloutNews = { outcomes: [], verdicts: [], watchedMs: 0 };

interface DecisionOutcome {
  row: RolloutRow;
  decisions: RolloutDecisionRow[];
  /** Why the order can’t be followed; null where it was. */
  refused: string | null;
}

/** Why production can’t name the candidate, and what to do about it. */
interface Clash {
  why: string;
  hint?: string;
}

/** Decides what follows for a rollout, in a transaction that holds its row: whoever looks, two looks never follow from the same state. */
export class RolloutDecider {
  constructor(
    private readonly parts: { rollouts: RolloutStore; proposals: ProposalStore; adapters: AdapterRegistry },
  ) {}

  /**
   * @throws what the database throws; CONFLICT when a person’s order would promote a candidate that can’t be: the transaction must end with it,
   * so that nothing is lost and the order can be given again
   */
  async decide(row: RolloutRow, news: RolloutNews, tx: Transaction): Promise<DecisionOutcome> {
    const { outcomes, verdicts, watchedMs, order = null, broken = null } = news;
    // What has ended stays as it ended: nothing is counted, promoted or ended twice.
    if (row.finishedAt !== null)
      return { row, decisions: [], refused: order && `The rollout has ended (${row.status}): start another.` };
    const plan = storedPlan.decode(row.plan);
    // What is counted changes it, and the row shall stay as it was read.
    const progress = storedState.decode(structuredClone(row.state));
    const watched = row.watchedMs + watchedMs;
    count(plan, progress, outcomes, watched);
    countVerdicts(plan, progress, verdicts);
    const answerCounting = countedWith({ last: row.lastSequence, recent: row.recentSequences }, outcomes);
    const verdictCounting = countedWith({ last: row.lastVerdict, recent: row.recentVerdicts }, verdicts);
    const evaluation = broken === null ? evaluate(plan, progress, watched, order) : null;
    const decisions: NewRolloutDecision[] = evaluation?.decisions ?? [aborted(broken!)];
    if (broken !== null) progress.state = { ...progress.state, status: 'ABORTED' };
    const { status, step } = progress.state;
    const currentStep = plan.steps[step]!;
    const saved: RolloutUpdate = {
      kept: progress,
      decisions,
      status,
      step,
      share: currentStep.share,
      controls: currentStep.controls,
      watchedMs: watched,
      lastSequence: answerCounting.last,
      recentSequences: [...answerCounting.recent],
      lastVerdict: verdictCounting.last,
      recentVerdicts: [...verdictCounting.recent],
      awaitsApproval: evaluation?.last.action === 'AWAIT_APPROVAL',
      finishedAt: hasEnded(progress.state) ? new Date() : null,
    };
    if (status === 'COMPLETED') {
      const clash = await this.#promote(row, order, tx);
      // Nobody is there to be told: it would be tried, and refused, at every look.
      if (clash !== null && order === null) return this.decide(row, { ...news, broken: clash.why }, tx);
      if (clash !== null) throw refusedCommand(`It can’t be promoted now. ${clash.why}`, clash.hint);
    }
    const { row: savedRow, decisions: savedDecisions } = await this.parts.rollouts.save(row, saved, tx);
    await this.#follow(savedRow, savedDecisions, order, step === plan.steps.length - 1, tx);
    return { row: savedRow, decisions: savedDecisions, refused: evaluation?.refused ?? null };
  }

  /** Lets production name the candidate. @returns why it can’t; null when it does */
  async #promote(row: RolloutRow, order: Order | null, tx: Transaction): Promise<Clash | null> {
    const { adapters, proposals } = this.parts;
    const approval = order ?? (await this.#approval(row, tx));
    const { id, workspaceId, adapterId, adapter: name } = { ...row };
    let change: AliasChangeRow;
    try {
      change = await adapters.store.moveAlias(
        { id: adapterId, workspaceId, name },
        {
          alias: 'production',
          toVersionId: row.candidateId,
          by: approval.by,
          reason: approval.reason,
          evidence: { ...(row.gate as object), rollout: id },
        },
        row.againstId,
        tx,
      );
    } catch (error) {
      if (isGraftError(error, 'NOT_FOUND'))
        return { why: GONE, hint: 'The rollout ends by itself: start another of another version.' };
      if (isGraftError(error, 'CONFLICT')) return { why: error.message, hint: error.hint };
      throw error;
    }
    const open = await proposals.openOfRollout(id, tx);
    if (open) await proposals.end(open.id, { status: 'APPROVED', ...approval, aliasChangeId: change.id }, tx);
    return null;
  }

  /** Who approved a step that was held until now. */
  async #approval(row: RolloutRow, tx: Transaction): Promise<{ by: string; reason: string }> {
    const approval = await tx.rolloutDecision.findFirst({
      where: { rolloutId: row.id, action: 'APPROVE', step: row.step },
      orderBy: { id: 'desc' },
    });
    return { by: approval?.decidedBy ?? row.startedBy, reason: approval?.reason ?? row.reason };
  }

  /** Opens the proposal that the last step waits for, or withdraws it when the rollout ended without it. */
  async #follow(
    row: RolloutRow,
    decisions: readonly RolloutDecisionRow[],
    order: Order | null,
    isLast: boolean,
    tx: Transaction,
  ): Promise<void> {
    const { proposals } = this.parts;
    if (row.finishedAt === null && !(isLast && row.awaitsApproval)) return;
    const open = await proposals.openOfRollout(row.id, tx);
    const last = decisions.at(-1);
    if (row.finishedAt !== null) {
      if (!open || row.status === 'COMPLETED') return;
      const actor = order?.by ?? 'rollout';
      const reason = order?.reason ?? last?.reasons.join(' ') ?? 'The rollout ended.';
      await proposals.end(open.id, { status: order ? 'REJECTED' : 'WITHDRAWN', by: actor, reason }, tx);
    } else if (!open)
      await proposals.open(
        {
          workspaceId: row.workspaceId,
          adapterId: row.adapterId,
          adapter: row.adapter,
          candidateId: row.candidateId,
          candidateVersion: row.candidateVersion,
          replacesId: row.againstId,
          replacesVersion: row.againstVersion,
          rolloutId: row.id,
          experimentId: null,
          gate: row.gate,
          proposedBy: row.startedBy,
          rationale: `${row.reason} ${qualityOf(row).sentence}`,
        },
        tx,
      );
  }

  /** Ends a live rollout that can’t go on, unless it has ended meanwhile. */
  async abort(workspaceId: WorkspaceId, id: string, broken: string): Promise<void> {
    await this.parts.rollouts.transaction(async (tx) => {
      const row = await this.parts.rollouts.lock(workspaceId, id, tx);
      if (row.finishedAt === null) await this.decide(row, { ...NOTHING_NEW, broken }, tx);
    });
  }
}

export const GONE = 'The candidate was deleted.';

const aborted = (reason: string): NewRolloutDecision => ({
  action: 'ABORT',
  check: 'STATUS',
  reasons: [reason],
  evidence: {},
});

/** What says that an order can’t be followed. */
export const refusedCommand = (
  message: string,
  hint = 'Look at the rollout’s decisions and its step, then decide.',
): GraftError => new GraftError('CONFLICT', message, { hint });
