import { Arg, Args, Ctx, Field, FieldResolver, ID, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { GateVerdict, gateVerdictOf } from '../../../prove/index.js';
import {
  ConnectionArgs,
  connectionTypes,
  cost,
  fromGlobalId,
  make,
  mapPage,
  Needs,
  NodeType,
  recordInput,
  recordType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  loadRow,
} from '../../../kit/graphql/index.js';
import { callerName } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { record, boolean, date, id, int, oneOf, string } from '../../../kernel/record.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { AdapterVersion, loadAdapterVersion } from '../../../learn/training/index.js';
import { loadRollout } from '../rollouts/rollout-graphql.js';
import type { RolloutStore } from '../rollouts/rollout-store.js';
import { Rollout } from '../rollouts/rollout-types.js';
import type { ProposalService } from './proposal-service.js';
import { saidBy } from '../wish.js';
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
    by: saidBy.by,
  }),
);
type ProposePromotionInput = InstanceType<typeof ProposePromotionInput>;

const DecideProposalInput = recordInput(
  record('DecideProposalInput', 'What a person decides of a proposal.', {
    proposal: id('Id of the proposal.'),
    approve: boolean('Whether the candidate becomes production (true) or not (false).'),
    ...saidBy,
  }),
);
type DecideProposalInput = InstanceType<typeof DecideProposalInput>;

@ObjectType({ description: 'The proposal that was made.' })
class ProposePromotionPayload {
  @Field(() => Proposal, { description: 'It is open; `decideProposal` decides it.' })
  proposal!: Proposal;
}

@ObjectType({ description: 'The proposal as it was decided.' })
class DecideProposalPayload {
  @Field(() => Proposal, {
    description: 'Approved, production names its candidate; `rollbackAdapter` takes that back.',
  })
  proposal!: Proposal;
}

const toProposal = (row: ProposalRow): Proposal =>
  make(Proposal, { ...row, id: toGlobalId('Proposal', row.id), status: row.status as ProposalStatus, row });

/** A proposal by row id, batched over the request. */
export async function loadProposal(
  context: GraphContext,
  proposals: ProposalStore,
  id: string,
): Promise<Proposal | null> {
  const row = await loadRow(context, 'delivery.proposalsById', id, (ids) => proposals.byIds(context.workspaceId, ids));
  return row && toProposal(row);
}

interface ProposalResolverParts {
  proposalService: ProposalService;
  proposals: ProposalStore;
  rollouts: RolloutStore;
  adapters: AdapterRegistry;
}

@Resolver(() => Proposal)
export class ProposalResolver {
  constructor(private readonly parts: ProposalResolverParts) {}

  @Needs('ASK')
  @Query(() => ProposalConnection, { description: 'Proposals, newest first.', complexity: cost(5) })
  async proposals(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('status', () => ProposalStatus, { nullable: true, description: 'Only those that are so far.' })
    status?: ProposalStatus | null,
    @Arg('adapter', () => String, { nullable: true, description: 'Only those of this adapter.' })
    adapter?: string | null,
  ): Promise<ConnectionOf<Proposal>> {
    const page = args.request();
    const filter = { status: status ?? null, adapter: adapter ?? null };
    const rows = await this.parts.proposals.list(workspaceId, filter, page);
    return toConnection(mapPage(rows, toProposal), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('ASK')
  @Query(() => Proposal, {
    nullable: true,
    description: 'The proposal of this id; null when there is none.',
    complexity: cost(2),
  })
  proposal(
    @Ctx() context: GraphContext,
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
  ): Promise<Proposal | null> {
    return loadProposal(context, this.parts.proposals, fromGlobalId(id, 'Proposal', 'id'));
  }

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
    const wish = { adapter, candidate, rationale, by: input.by ?? callerName(caller), experimentId };
    return { proposal: toProposal(await this.parts.proposalService.propose(workspaceId, wish)) };
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
    const verdict = { approve, reason, by: input.by ?? callerName(caller) };
    return { proposal: toProposal(await this.parts.proposalService.decide(workspaceId, id, verdict)) };
  }

  @FieldResolver(() => GateVerdict, {
    nullable: true,
    description: 'What the gate said of it, with the evaluation that it rests on.',
  })
  gate(@Root() { row }: Proposal): GateVerdict | null {
    return gateVerdictOf(row.gate);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version, with its attestation and evaluations; null when it was deleted.',
    complexity: cost(2),
  })
  candidate(@Root() { row }: Proposal, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return loadAdapterVersion(context, this.parts.adapters, row.candidateId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that it would replace; null where there is none.',
    complexity: cost(2),
  })
  async replaces(@Root() { row }: Proposal, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return row.replacesId === null ? null : loadAdapterVersion(context, this.parts.adapters, row.replacesId);
  }

  @FieldResolver(() => Rollout, {
    nullable: true,
    description: 'The rollout that led to it; null without one.',
    complexity: cost(2),
  })
  async rollout(@Root() { row }: Proposal, @Ctx() context: GraphContext): Promise<Rollout | null> {
    return row.rolloutId === null ? null : loadRollout(context, this.parts.rollouts, row.rolloutId);
  }
}

/** The way from a rollout to its proposal. */
@Resolver(() => Rollout)
export class RolloutProposalResolver {
  constructor(private readonly parts: ProposalResolverParts) {}

  @FieldResolver(() => Proposal, {
    nullable: true,
    description: 'The proposal that it led to; null while it hasn’t.',
    complexity: cost(2),
  })
  async proposal(@Root() { row }: Rollout, @Ctx() context: GraphContext): Promise<Proposal | null> {
    const rows = context.loader<string, ProposalRow>('delivery.proposalsOfRollouts', async (ids) => {
      const found = await this.parts.proposals.ofRollouts(context.workspaceId, ids);
      return ids.map((id) => found.find(({ rolloutId }) => rolloutId === id) ?? null);
    });
    const found = await rows.load(row.id);
    return found && toProposal(found);
  }
}
