import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { DatasetVersion, loadVersion, type Data } from '../../sources/data/index.js';
import {
  loadProposal,
  loadRollout,
  Proposal,
  Rollout,
  type ProposalStore,
  type RolloutStore,
} from '../delivery/index.js';
import { evaluationRuns } from '../../prove/index.js';
import {
  ConnectionArgs,
  cost,
  fieldsOf,
  loadRow,
  loadRun,
  mapPage,
  Needs,
  objectType,
  ofType,
  plainValues,
  queriesOf,
  runGraph,
  runObject,
  SpendsBudget,
  toConnection,
  toMany,
  toOne,
  type ConnectionOf,
  type GraphContext,
} from '../../kit/graphql/index.js';
import { deciderOf } from '../../kernel/caller.js';
import { encodeCursor, pageRequest } from '../../kernel/pagination.js';
import type { RunQueue } from '../../platform/runs/index.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { Adapter, AdapterVersion, toVersion, trainingRuns, loadAdapter } from '../../learn/training/index.js';
import { improve, type ImproveParts } from './improve.js';
import { improvementKind } from './improvement-run.js';
import type { ImprovementService } from './improvement-service.js';
import type { ImprovementStore } from './improvement-store.js';
import {
  Improvement,
  ImprovementConnection,
  PauseRetrainingPolicyInput,
  RetrainingPolicy,
  RetrainingPolicyConnection,
  RetrainingPolicyPayload,
  SetRetrainingPolicyInput,
  StartImprovementInput,
  toImprovement,
  toPolicy,
} from './improvement-types.js';
import type { PolicyRow } from './policy.js';

export const improvementRuns = runGraph(
  improvementKind.handledBy(({ improving }: { improving: ImproveParts }, context) => improve(improving, context)),
);
const ImprovementRun = improvementRuns.Run;

const StartImprovementPayload = objectType('StartImprovementPayload', 'The improvement that was begun, and its run.', {
  improvement: ofType(() => Improvement, 'Its fields fill as it goes on.'),
  run: ofType(() => ImprovementRun, 'It goes on by itself; watch it with `improvementProgress`.'),
});
type StartImprovementPayload = InstanceType<typeof StartImprovementPayload>;

interface ImprovementParts {
  improvementService: ImprovementService;
  improvements: ImprovementStore;
  adapters: AdapterRegistry;
  data: Data;
  runs: Pick<RunQueue, 'get'>;
  rollouts: RolloutStore;
  proposals: ProposalStore;
}

/** An improvement by row id, batched over the request. */
export async function loadImprovement(
  context: GraphContext,
  improvements: ImprovementStore,
  id: string | null,
): Promise<Improvement | null> {
  const row = await loadRow(context, 'improvement.byId', id, (ids) => improvements.byIds(context.workspaceId, ids));
  return row && toImprovement(row);
}

/** A policy by row id, batched over the request. */
export async function loadPolicy(
  context: GraphContext,
  improvements: ImprovementStore,
  id: string | null,
): Promise<RetrainingPolicy | null> {
  const row = await loadRow(context, 'improvement.policyById', id, (ids) =>
    improvements.policiesById(context.workspaceId, ids),
  );
  return row && toPolicy(row);
}

/** A deleted run is missing. */
const loadRuns = async (context: GraphContext, runs: Pick<RunQueue, 'get'>, ids: readonly string[]) =>
  (await Promise.all(ids.map((id) => loadRun(context, runs, id)))).flatMap((run) => run ?? []);

@Resolver(() => Improvement)
class StartImprovementResolver {
  constructor(private readonly parts: ImprovementParts) {}

  @Needs('EDIT')
  @SpendsBudget('TRAINING')
  @Mutation(() => StartImprovementPayload, {
    description:
      'Goes through the loop once: what people said of an adapter’s answers becomes a dataset version, a new version of the adapter, proof, rollout and proposal.',
    complexity: cost(20),
  })
  async startImprovement(
    @Arg('input', () => StartImprovementInput, { description: 'Which adapter, and why.' }) input: StartImprovementInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<StartImprovementPayload> {
    const request = { ...input, by: deciderOf(caller, input.by) };
    const row = await this.parts.improvementService.start(workspaceId, request);
    const run = await this.parts.runs.get(workspaceId, row.runId);
    return { improvement: toImprovement(row), run: runObject(run!) };
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What it waits for, in words; null where it waits for nothing, or has ended.',
    complexity: cost(5),
  })
  async waitingFor(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<string | null> {
    if (row.outcome === null) {
      const [run] = await loadRuns(context, this.parts.runs, [row.runId]);
      return run?.message || null;
    }
    const proposal = row.proposalId && (await loadProposal(context, this.parts.proposals, row.proposalId));
    return proposal && proposal.status === 'OPEN' ? 'A person approves or rejects its proposal.' : null;
  }
}

@Resolver(() => RetrainingPolicy)
class RetrainingPolicyResolver {
  constructor(private readonly parts: ImprovementParts) {}

  @Needs('ASK')
  @Query(() => RetrainingPolicyConnection, {
    description: 'The policies of the workspace, oldest first.',
    complexity: cost(5),
  })
  async retrainingPolicies(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<RetrainingPolicy>> {
    const page = args.request();
    const results = await this.parts.improvements.policies(workspaceId, page);
    return toConnection(mapPage(results, toPolicy), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => RetrainingPolicyPayload, {
    description:
      'Says when an adapter is trained anew from what people say, and how far that goes by itself. A policy that paused itself works again.',
    complexity: cost(20),
  })
  async setRetrainingPolicy(
    @Arg('input', () => SetRetrainingPolicyInput, { description: 'Of which adapter, and how.' })
    input: SetRetrainingPolicyInput,
    @Ctx() { workspaceId, caller, change }: GraphContext,
  ): Promise<RetrainingPolicyPayload> {
    const { adapter, by, ...request } = input;
    change.before = plainValues((await this.parts.improvementService.settingsOf(workspaceId, adapter)) ?? {});
    const row = await this.parts.improvementService.setPolicy(workspaceId, adapter, request, deciderOf(caller, by));
    return { policy: toPolicy(row) };
  }

  @Needs('OPERATE')
  @Mutation(() => RetrainingPolicyPayload, {
    description:
      'Lets a policy begin nothing more by itself; what is under way goes on. `setRetrainingPolicy` lets it work again.',
    complexity: cost(20),
  })
  async pauseRetrainingPolicy(
    @Arg('input', () => PauseRetrainingPolicyInput, { description: 'Of which adapter, and why.' })
    input: PauseRetrainingPolicyInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<RetrainingPolicyPayload> {
    change.before = plainValues((await this.parts.improvementService.settingsOf(workspaceId, input.adapter)) ?? {});
    return {
      policy: toPolicy(await this.parts.improvementService.pausePolicy(workspaceId, input.adapter, input.reason)),
    };
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'What drift says should be improved, for a person to begin with `startImprovement`; null where it says nothing. Once an improvement that began under an alert of drift went to production, drift begins one itself.',
    complexity: cost(10),
  })
  proposes(@Root() { row }: RetrainingPolicy): Promise<string | null> {
    return this.parts.improvementService.proposal(row);
  }
}

export const improvementResolvers = [
  StartImprovementResolver,
  RetrainingPolicyResolver,
  queriesOf({
    type: Improvement,
    Connection: ImprovementConnection,
    descriptions: { list: 'Improvements, newest first.', one: 'One improvement; null when there is none of this id.' },
    filters: { adapter: [String, 'Only those of the adapter of this name.'] },
    list: async ({ improvements, adapters }: ImprovementParts, { workspaceId }, { adapter }, page) => {
      const adapterRow = adapter ? await adapters.require(workspaceId, adapter, 'adapter') : null;
      return improvements.list(workspaceId, adapterRow ? { adapterId: adapterRow.id } : {}, page);
    },
    toNode: toImprovement,
    load: ({ improvements }, context, id) => loadImprovement(context, improvements, id),
  }),
  fieldsOf<Improvement, ImprovementParts>(() => Improvement, {
    adapter: toOne(
      () => Adapter,
      'What is improved.',
      ({ row }, context, { adapters }) => loadAdapter(context, adapters, row.adapterId),
    ),
    policy: toOne(
      () => RetrainingPolicy,
      'The policy that began it, as it stands now; null where a person did.',
      ({ row }, context, { improvements }) => loadPolicy(context, improvements, row.policyId),
    ),
    datasetVersion: toOne(
      () => DatasetVersion,
      'What people said, with the rows before it; its `lessons` lead to the answers and their feedback. Null before it is made.',
      ({ row }, context, { data }) => loadVersion(context, data, row.datasetVersionId),
    ),
    trainingRuns: toMany(
      () => trainingRuns.Run,
      'The trainings, in their order; two where both beginnings were tried.',
      ({ row }, context, { runs }) => loadRuns(context, runs, row.trainingRunIds),
    ),
    evaluationRuns: toMany(
      () => evaluationRuns.Run,
      'The evaluations beside production, one a trained version.',
      ({ row }, context, { runs }) => loadRuns(context, runs, row.evaluationRunIds),
    ),
    adapterVersion: toVersion('The version that went to the gate; null before.', ({ row }) => row.adapterVersionId),
    production: toVersion('What production named when it began; null: nothing.', ({ row }) => row.productionId),
    rollout: toOne(
      () => Rollout,
      'Its rollout; null before, and where the policy wants none.',
      ({ row }, context, { rollouts }) => loadRollout(context, rollouts, row.rolloutId),
    ),
    proposal: toOne(
      () => Proposal,
      'Its proposal; null before.',
      ({ row }, context, { proposals }) => loadProposal(context, proposals, row.proposalId),
    ),
  }),
  fieldsOf<RetrainingPolicy, ImprovementParts>(() => RetrainingPolicy, {
    adapter: toOne(
      () => Adapter,
      'What it trains.',
      ({ row }, context, { adapters }) => loadAdapter(context, adapters, row.adapterId),
    ),
  }),
  fieldsOf<Adapter, ImprovementParts>(() => Adapter, {
    retrainingPolicy: toOne(
      () => RetrainingPolicy,
      'When it is trained anew; null without a policy.',
      async ({ row }, context, { improvements }) => {
        const policies = context.loader<string, PolicyRow>('improvement.policyOfAdapter', (ids) =>
          improvements.policiesOf(context.workspaceId, ids),
        );
        const policy = await policies.load(row.id);
        return policy && toPolicy(policy);
      },
    ),
  }),
  fieldsOf<DatasetVersion, ImprovementParts>(() => DatasetVersion, {
    improvements: toMany(
      () => Improvement,
      'Improvements that made it, newest first, at most 20.',
      ({ record }, context, { improvements }) => newest(context, improvements, { datasetVersionId: record.id }),
    ),
  }),
  fieldsOf<AdapterVersion, ImprovementParts>(() => AdapterVersion, {
    improvements: toMany(
      () => Improvement,
      'Improvements that brought it to the gate, newest first, at most 20.',
      ({ row }, context, { improvements }) => newest(context, improvements, { adapterVersionId: row.id }),
    ),
  }),
] as const;

const newest = async (
  { workspaceId }: GraphContext,
  improvements: ImprovementStore,
  filter: Parameters<ImprovementStore['list']>[1],
): Promise<Improvement[]> => (await improvements.list(workspaceId, filter, pageRequest())).items.map(toImprovement);
