import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { z } from 'zod';
import { GateVerdict, gateVerdictOf } from '../../../prove/index.js';
import {
  connectionTypes,
  cost,
  fieldsOf,
  fromGlobalId,
  loadRow,
  make,
  Needs,
  NodeType,
  objectType,
  ofType,
  queriesOf,
  recordInput,
  recordType,
  toGlobalId,
  toOne,
  type GraphContext,
} from '../../../kit/graphql/index.js';
import { deciderOf } from '../../../kernel/caller.js';
import { record, boolean, date, id, int, oneOf, string } from '../../../kernel/record.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { toVersion } from '../../../learn/training/index.js';
import { loadRollout } from '../rollouts/rollout-graphql.js';
import type { RolloutStore } from '../rollouts/rollout-store.js';
import { Rollout } from '../rollouts/rollout-types.js';
import type { ProposalService } from './proposal-service.js';
import { requestedBy } from '../request.js';
import { ProposalStatus, type ProposalRow, type ProposalStore } from './proposal-store.js';

const proposal = record('Proposal', 'A version that shall answer as production, with everything that speaks for it.', {
  adapter: string('Name of the adapter.').meta({ name: 'adapterName' }),
  candidateVersion: int('Number of the version that shall answer.'),
  replacesVersion: int('Number of the version that it would replace; null where production named none.').nullable(),
  status: oneOf(ProposalStatus, 'How far it is.'),
  proposedBy: string('Who proposed it.'),
  rationale: string('Why.'),
  decidedBy: string('Who decided; null while it is open.').nullable(),
  reason: string('The reason that they gave; null while it is open.').nullable(),
  decidedAt: date('When; null while it is open.').nullable(),
  createdAt: date('When it was made.'),
  row: z.custom<ProposalRow>(),
});
export const Proposal = recordType(proposal, NodeType);
export type Proposal = InstanceType<typeof Proposal>;
const { Connection: ProposalConnection } = connectionTypes(Proposal);

const ProposePromotionInput = recordInput(
  record('ProposePromotionInput', 'Which version shall answer, and why.', {
    adapter: string('Name of the adapter.'),
    candidate: int('Number of the version; by default the one that `CANDIDATE` names.').nullish(),
    rationale: string('What speaks for it, in words; 1 to 1,000 characters.'),
    experiment: id(
      'The ended experiment that speaks for it, of which the version was an arm that didn’t lose; by default none.',
    ).nullish(),
    by: requestedBy.by,
  }),
);
type ProposePromotionInput = InstanceType<typeof ProposePromotionInput>;

const DecideProposalInput = recordInput(
  record('DecideProposalInput', 'What a person decides of a proposal.', {
    proposal: id('Id of the proposal.'),
    approve: boolean('Whether the candidate becomes production (true) or not (false).'),
    ...requestedBy,
  }),
);
type DecideProposalInput = InstanceType<typeof DecideProposalInput>;

const ProposePromotionPayload = objectType('ProposePromotionPayload', 'The proposal that was made.', {
  proposal: ofType(() => Proposal, 'It is open; `decideProposal` decides it.'),
});
type ProposePromotionPayload = InstanceType<typeof ProposePromotionPayload>;

const DecideProposalPayload = objectType('DecideProposalPayload', 'The proposal as it was decided.', {
  proposal: ofType(() => Proposal, 'Approved, production names its candidate; `rollbackAdapter` takes that back.'),
});
type DecideProposalPayload = InstanceType<typeof DecideProposalPayload>;

const toProposal = (row: ProposalRow): Proposal =>
  make(Proposal, { ...row, id: toGlobalId('Proposal', row.id), status: row.status as ProposalStatus, row });

/** A proposal by row id, batched over the request. */
export async function loadProposal(
  context: GraphContext,
  proposals: ProposalStore,
  id: string | null,
): Promise<Proposal | null> {
  const row = await loadRow(context, 'delivery.proposalsById', id, (ids) => proposals.byIds(context.workspaceId, ids));
  return row && toProposal(row);
}

interface ProposalParts {
  proposalService: ProposalService;
  proposals: ProposalStore;
  rollouts: RolloutStore;
  adapters: AdapterRegistry;
}

@Resolver(() => Proposal)
class ProposalResolver {
  constructor(private readonly parts: ProposalParts) {}

  @Needs('OPERATE')
  @Mutation(() => ProposePromotionPayload, {
    description:
      'Proposes that a version that passed the gate answers as production, without a rollout. GATE_REFUSED says what it hasn’t passed; CONFLICT that the adapter has an open proposal, or a rollout, which makes its own.',
    complexity: cost(10),
  })
  async proposePromotion(
    @Arg('input', () => ProposePromotionInput, { description: 'Which version, and why.' }) input: ProposePromotionInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<ProposePromotionPayload> {
    const { adapter, candidate = null, rationale } = input;
    const experimentId = input.experiment ? fromGlobalId(input.experiment, 'Experiment', 'input.experiment') : null;
    const request = { adapter, candidate, rationale, by: deciderOf(caller, input.by), experimentId };
    return { proposal: toProposal(await this.parts.proposalService.propose(workspaceId, request)) };
  }

  @Needs('OPERATE')
  @Mutation(() => DecideProposalPayload, {
    description:
      'Approves or rejects a proposal. Approved, production names the candidate, in one transaction; answers under way end on what they began with. Rejected, its rollout ends. CONFLICT when somebody was quicker, or production was moved meanwhile.',
    complexity: cost(10),
  })
  async decideProposal(
    @Arg('input', () => DecideProposalInput, { description: 'Which, and what.' }) input: DecideProposalInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<DecideProposalPayload> {
    const id = fromGlobalId(input.proposal, 'Proposal', 'input.proposal');
    const { approve, reason } = input;
    const verdict = { approve, reason, by: deciderOf(caller, input.by) };
    return { proposal: toProposal(await this.parts.proposalService.decide(workspaceId, id, verdict)) };
  }
}

export const proposalResolvers = [
  ProposalResolver,
  queriesOf({
    type: Proposal,
    Connection: ProposalConnection,
    descriptions: { list: 'Proposals, newest first.', one: 'The proposal of this id; null when there is none.' },
    filters: {
      status: [ProposalStatus, 'Only those that are so far.'],
      adapter: [String, 'Only those of this adapter.'],
    },
    list: ({ proposals }: ProposalParts, { workspaceId }, filter, page) => proposals.list(workspaceId, filter, page),
    toNode: toProposal,
    load: ({ proposals }, context, id) => loadProposal(context, proposals, id),
  }),
  fieldsOf<Proposal, ProposalParts>(() => Proposal, {
    gate: toOne(
      () => GateVerdict,
      'What the gate said of it, with the evaluation that it rests on.',
      ({ row }) => gateVerdictOf(row.gate),
      { cost: 1 },
    ),
    candidate: toVersion(
      'The version, with its attestation and evaluations; null when it was deleted.',
      ({ row }) => row.candidateId,
    ),
    replaces: toVersion('The version that it would replace; null where there is none.', ({ row }) => row.replacesId),
    rollout: toOne(
      () => Rollout,
      'The rollout that led to it; null without one.',
      ({ row }, context, { rollouts }) => loadRollout(context, rollouts, row.rolloutId),
    ),
  }),
  fieldsOf<Rollout, ProposalParts>(() => Rollout, {
    proposal: toOne(
      () => Proposal,
      'The proposal that it led to; null while it hasn’t.',
      async ({ row }, context, { proposals }) => {
        const rows = context.loader<string, ProposalRow>('delivery.proposalsOfRollouts', async (ids) => {
          const newest = await proposals.ofRollouts(context.workspaceId, ids);
          return ids.map((id) => newest.find(({ rolloutId }) => rolloutId === id) ?? null);
        });
        const proposal = await rows.load(row.id);
        return proposal && toProposal(proposal);
      },
    ),
  }),
] as const;
