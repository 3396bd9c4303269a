import { GraftError, notFound } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Gate } from '../../../prove/index.js';
import { isTaken, type Transaction } from '../../../platform/database/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { checkEvidence } from '../experiments/experiment-evidence.js';
import type { ExperimentStore } from '../experiments/experiment-store.js';
import type { LiveTests } from '../live-tests.js';
import { NOTHING_NEW, refusedCommand, type RolloutDecider } from '../rollouts/rollout-decider.js';
import type { RolloutStore } from '../rollouts/rollout-store.js';
import type { ProposalRow, ProposalStore } from './proposal-store.js';
import { checkedActor, checkedReason, checkedRequester } from '../request.js';

interface Propose {
  adapter: string;
  /** Number of the version; null: what the alias `candidate` names. */
  candidate: number | null;
  rationale: string;
  by: string;
  experimentId: string | null;
}

interface ProposalRuling {
  approve: boolean;
  by: string;
  reason: string;
}

interface ProposalServiceParts {
  proposals: ProposalStore;
  rollouts: RolloutStore;
  decider: RolloutDecider;
  adapters: AdapterRegistry;
  gate: Gate;
  experiments: ExperimentStore;
  tests: LiveTests;
}

/** Proposes that a version answers as production, and does what a person decides of it. */
export class ProposalService {
  constructor(private readonly parts: ProposalServiceParts) {}

  /**
   * Proposes a version without a rollout, for adapters that nobody is answered by yet or whose evidence lies elsewhere.
   * @throws NOT_FOUND, BAD_USER_INPUT, GATE_REFUSED; CONFLICT when the adapter has an open proposal or a live rollout, or lost the experiment
   */
  async propose(workspaceId: WorkspaceId, request: Propose): Promise<ProposalRow> {
    const { proposals, rollouts, adapters, gate } = this.parts;
    const actor = checkedActor(request.by);
    const rationale = checkedReason(request.rationale, 'input.rationale');
    const adapter = await adapters.require(workspaceId, request.adapter, 'input.adapter');
    const selector = request.candidate === null ? { alias: 'candidate' as const } : { version: request.candidate };
    const candidate = await adapters.store.resolve(adapter, selector);
    if (!candidate)
      throw notFound('The adapter version', `${adapter.name}@${request.candidate ?? 'candidate'}`, 'input.candidate');
    const production = await adapters.store.resolve(adapter, { alias: 'production' });
    if (production?.id === candidate.id)
      throw new GraftError('CONFLICT', `${adapter.name}@${candidate.version} is production already.`, {
        field: 'input.candidate',
      });
    const live = await rollouts.liveOf(adapter.id);
    if (live)
      throw new GraftError('CONFLICT', `${adapter.name} has a rollout, which makes its own proposal.`, {
        field: 'input.adapter',
        hint: 'Let it end, or abort it first.',
      });
    if (request.experimentId !== null)
      await checkEvidence(
        this.parts.experiments,
        workspaceId,
        request.experimentId,
        `${adapter.name}@${candidate.version}`,
      );
    const admission = await gate.admits(workspaceId, adapter, candidate);
    await adapters.requireServable({ adapter, version: candidate });
    try {
      return await proposals.transaction((tx) =>
        proposals.open(
          {
            workspaceId,
            adapterId: adapter.id,
            adapter: adapter.name,
            rolloutId: null,
            candidateId: candidate.id,
            candidateVersion: candidate.version,
            experimentId: request.experimentId,
            replacesId: production?.id ?? null,
            replacesVersion: production?.version ?? null,
            gate: admission,
            proposedBy: actor,
            rationale,
          },
          tx,
        ),
      );
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new GraftError('CONFLICT', `${adapter.name} has an open proposal already.`, {
        field: 'input.adapter',
        hint: 'Decide that one first.',
      });
    }
  }

  /**
   * Approves or rejects. Approved, production names the candidate from the moment the transaction commits; answers under way end on what
   * they began with.
   * @throws NOT_FOUND, BAD_USER_INPUT; CONFLICT when it was decided before, when production was moved meanwhile, or when a check holds the rollout
   */
  async decide(workspaceId: WorkspaceId, id: string, verdict: ProposalRuling): Promise<ProposalRow> {
    const { proposals, tests } = this.parts;
    const { by, reason } = checkedRequester(verdict);
    const { approve } = verdict;
    const [proposal] = await proposals.byIds(workspaceId, [id]);
    if (!proposal) throw notFound('The proposal', id, 'input.proposal');
    const row = await proposals.transaction(async (tx) => {
      // Rollouts are locked before their proposals, as whoever watches them does.
      if (proposal.rolloutId !== null) return this.#throughRollout(workspaceId, proposal, { approve, by, reason }, tx);
      const locked = await proposals.lock(workspaceId, id, tx);
      if (locked.status !== 'OPEN') throw decidedBefore(locked);
      const aliasChangeId = approve ? await this.#promote(locked, by, reason, tx) : null;
      const status = approve ? 'APPROVED' : 'REJECTED';
      return (await proposals.end(id, { status, by, reason, aliasChangeId }, tx))!;
    });
    await tests.refresh();
    return row;
  }

  async #throughRollout(
    workspaceId: WorkspaceId,
    { id, rolloutId }: ProposalRow,
    { approve, by, reason }: ProposalRuling,
    tx: Transaction,
  ): Promise<ProposalRow> {
    const { proposals, rollouts, decider } = this.parts;
    const rollout = await rollouts.lock(workspaceId, rolloutId!, tx);
    const open = await proposals.lock(workspaceId, id, tx);
    if (open.status !== 'OPEN') throw decidedBefore(open);
    if (approve && rollout.status === 'PAUSED') throw refusedCommand('The rollout is paused: resume it, then approve.');
    const order = { command: { kind: approve ? ('APPROVE' as const) : ('ABORT' as const) }, by, reason };
    const { row, decisions, refused } = await decider.decide(rollout, { ...NOTHING_NEW, order }, tx);
    if (refused !== null) throw refusedCommand(refused);
    if (approve && row.status !== 'COMPLETED')
      throw refusedCommand(`It can’t be promoted now. ${decisions.at(-1)?.reasons.join(' ') ?? 'A check holds it.'}`);
    return proposals.lock(workspaceId, id, tx);
  }

  async #promote(row: ProposalRow, actor: string, reason: string, tx: Transaction): Promise<string> {
    const { adapters } = this.parts;
    const move = { alias: 'production' as const, toVersionId: row.candidateId, by: actor, reason };
    const evidence = { ...(row.gate as object), proposal: row.id };
    const adapter = { id: row.adapterId, workspaceId: row.workspaceId, name: row.adapter };
    return (await adapters.store.moveAlias(adapter, { ...move, evidence }, row.replacesId, tx)).id;
  }
}

const decidedBefore = ({ status, decidedBy }: ProposalRow): GraftError =>
  new GraftError('CONFLICT', `The proposal was decided before: ${status} by ${decidedBy}.`, {
    field: 'input.proposal',
    hint: 'Make another, or roll production back.',
  });
