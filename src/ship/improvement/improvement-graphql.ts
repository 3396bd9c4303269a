import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
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
  fromGlobalId,
  plainValues,
  mapPage,
  Needs,
  SpendsBudget,
  runGraph,
  runObject,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  ofType,
  objectType,
  loadRow,
} from '../../kit/graphql/index.js';
import { callerName } from '../../kernel/caller.js';
import { encodeCursor, pageRequest } from '../../kernel/pagination.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { Adapter, AdapterVersion, loadAdapterVersion, trainingRuns, loadAdapter } from '../../learn/training/index.js';
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
type ImprovementRun = InstanceType<typeof ImprovementRun>;
const TrainingRun = trainingRuns.Run;
type TrainingRun = InstanceType<typeof TrainingRun>;
const EvaluationRun = evaluationRuns.Run;
type EvaluationRun = InstanceType<typeof EvaluationRun>;

const StartImprovementPayload = objectType('StartImprovementPayload', 'The improvement that was begun, and its run.', {
  improvement: ofType(() => Improvement, 'Its fields fill as it goes on.'),
  run: ofType(() => ImprovementRun, 'It goes on by itself; watch it with `improvementProgress`.'),
});
type StartImprovementPayload = InstanceType<typeof StartImprovementPayload>;

interface ImprovementResolverParts {
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
  id: string,
): Promise<Improvement | null> {
  const row = await loadRow(context, 'improvement.byId', id, (ids) => improvements.byIds(context.workspaceId, ids));
  return row && toImprovement(row);
}

/** A policy by row id, batched over the request. */
export async function loadPolicy(
  context: GraphContext,
  improvements: ImprovementStore,
  id: string,
): Promise<RetrainingPolicy | null> {
  const row = await loadRow(context, 'improvement.policyById', id, (ids) =>
    improvements.policiesById(context.workspaceId, ids),
  );
  return row && toPolicy(row);
}

/** Runs by id, batched over the request; a deleted one is missing. */
async function loadRuns(context: GraphContext, runs: Pick<RunQueue, 'get'>, ids: readonly string[]): Promise<RunRow[]> {
  const rows = context.loader<string, RunRow>('improvement.runById', (wanted) =>
    Promise.all(wanted.map((id) => runs.get(context.workspaceId, id))),
  );
  return (await Promise.all(ids.map((id) => rows.load(id)))).flatMap((row) => (row ? [row] : []));
}

@Resolver(() => Improvement)
export class ImprovementResolver {
  constructor(private readonly parts: ImprovementResolverParts) {}

  @Needs('ASK')
  @Query(() => ImprovementConnection, { description: 'Improvements, newest first.', complexity: cost(5) })
  async improvements(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('adapter', () => String, { nullable: true, description: 'Only those of the adapter of this name.' })
    adapter?: string | null,
  ): Promise<ConnectionOf<Improvement>> {
    const page = args.request();
    const named = adapter ? await this.parts.adapters.require(workspaceId, adapter, 'adapter') : null;
    const found = await this.parts.improvements.list(workspaceId, named ? { adapterId: named.id } : {}, page);
    return toConnection(mapPage(found, toImprovement), ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('ASK')
  @Query(() => Improvement, {
    nullable: true,
    description: 'One improvement; null when there is none of this id.',
    complexity: cost(2),
  })
  improvement(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() context: GraphContext,
  ): Promise<Improvement | null> {
    return loadImprovement(context, this.parts.improvements, fromGlobalId(id, 'Improvement', 'id'));
  }

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
    const wish = { ...input, by: input.by ?? callerName(caller) };
    const row = await this.parts.improvementService.start(workspaceId, wish);
    const run = await this.parts.runs.get(workspaceId, row.runId);
    return { improvement: toImprovement(row), run: runObject(run!) };
  }

  @FieldResolver(() => Adapter, { nullable: true, description: 'What is improved.', complexity: cost(2) })
  adapter(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<Adapter | null> {
    return loadAdapter(context, this.parts.adapters, row.adapterId);
  }

  @FieldResolver(() => RetrainingPolicy, {
    nullable: true,
    description: 'The policy that began it, as it stands now; null where a person did.',
    complexity: cost(2),
  })
  async policy(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<RetrainingPolicy | null> {
    return row.policyId === null ? null : loadPolicy(context, this.parts.improvements, row.policyId);
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description:
      'What people said, with the rows before it; its `lessons` lead to the answers and their feedback. Null before it is made.',
    complexity: cost(2),
  })
  async datasetVersion(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return row.datasetVersionId === null ? null : loadVersion(context, this.parts.data, row.datasetVersionId);
  }

  @FieldResolver(() => [TrainingRun], {
    description: 'The trainings, in their order; two where both beginnings were tried.',
    complexity: cost(5),
  })
  async trainingRuns(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<TrainingRun[]> {
    return (await loadRuns(context, this.parts.runs, row.trainingRunIds)).map(runObject);
  }

  @FieldResolver(() => [EvaluationRun], {
    description: 'The evaluations beside production, one a trained version.',
    complexity: cost(5),
  })
  async evaluationRuns(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<EvaluationRun[]> {
    return (await loadRuns(context, this.parts.runs, row.evaluationRunIds)).map(runObject);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version that went to the gate; null before.',
    complexity: cost(2),
  })
  async adapterVersion(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return row.adapterVersionId === null
      ? null
      : loadAdapterVersion(context, this.parts.adapters, row.adapterVersionId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'What production named when it began; null: nothing.',
    complexity: cost(2),
  })
  async production(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    return row.productionId === null ? null : loadAdapterVersion(context, this.parts.adapters, row.productionId);
  }

  @FieldResolver(() => Rollout, {
    nullable: true,
    description: 'Its rollout; null before, and where the policy wants none.',
    complexity: cost(2),
  })
  async rollout(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<Rollout | null> {
    return row.rolloutId === null ? null : loadRollout(context, this.parts.rollouts, row.rolloutId);
  }

  @FieldResolver(() => Proposal, { nullable: true, description: 'Its proposal; null before.', complexity: cost(2) })
  async proposal(@Root() { row }: Improvement, @Ctx() context: GraphContext): Promise<Proposal | null> {
    return row.proposalId === null ? null : loadProposal(context, this.parts.proposals, row.proposalId);
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
export class RetrainingPolicyResolver {
  constructor(private readonly parts: ImprovementResolverParts) {}

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
    const found = await this.parts.improvements.policies(workspaceId, page);
    return toConnection(mapPage(found, toPolicy), ({ row }) => encodeCursor([row.id]), page.after);
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
    const { adapter, by, ...wish } = input;
    change.before = plainValues((await this.parts.improvementService.settingsOf(workspaceId, adapter)) ?? {});
    const row = await this.parts.improvementService.setPolicy(workspaceId, adapter, wish, by ?? callerName(caller));
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

  @FieldResolver(() => Adapter, { nullable: true, description: 'What it trains.', complexity: cost(2) })
  adapter(@Root() { row }: RetrainingPolicy, @Ctx() context: GraphContext): Promise<Adapter | null> {
    return loadAdapter(context, this.parts.adapters, row.adapterId);
  }
}

/** From an adapter to its policy and its improvements. */
@Resolver(() => Adapter)
export class ImprovedAdapterResolver {
  constructor(private readonly parts: ImprovementResolverParts) {}

  @FieldResolver(() => RetrainingPolicy, {
    nullable: true,
    description: 'When it is trained anew; null without a policy.',
    complexity: cost(2),
  })
  async retrainingPolicy(@Root() { row }: Adapter, @Ctx() context: GraphContext): Promise<RetrainingPolicy | null> {
    const { improvements } = this.parts;
    const policies = context.loader<string, PolicyRow>('improvement.policyOfAdapter', (ids) =>
      improvements.policiesOf(context.workspaceId, ids),
    );
    const found = await policies.load(row.id);
    return found && toPolicy(found);
  }
}

/** From rows to what they were gathered for. */
@Resolver(() => DatasetVersion)
export class ImprovingVersionResolver {
  constructor(private readonly parts: ImprovementResolverParts) {}

  @FieldResolver(() => [Improvement], {
    description: 'Improvements that made it, newest first, at most 20.',
    complexity: cost(5),
  })
  async improvements(@Root() { record }: DatasetVersion, @Ctx() { workspaceId }: GraphContext): Promise<Improvement[]> {
    const found = await this.parts.improvements.list(workspaceId, { datasetVersionId: record.id }, pageRequest());
    return found.items.map(toImprovement);
  }
}

/** From a version to how it came about. */
@Resolver(() => AdapterVersion)
export class ImprovedVersionResolver {
  constructor(private readonly parts: ImprovementResolverParts) {}

  @FieldResolver(() => [Improvement], {
    description: 'Improvements that brought it to the gate, newest first, at most 20.',
    complexity: cost(5),
  })
  async improvements(@Root() { row }: AdapterVersion, @Ctx() { workspaceId }: GraphContext): Promise<Improvement[]> {
    const found = await this.parts.improvements.list(workspaceId, { adapterVersionId: row.id }, pageRequest());
    return found.items.map(toImprovement);
  }
}
