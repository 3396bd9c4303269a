import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import { MOST_EXPLORED } from '../../ask/index.js';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  inOrder,
  make,
  mapPage,
  Needs,
  NodeType,
  runGraph,
  runObject,
  SpendsBudget,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  recordType,
} from '../../graphql-kit/index.js';
import { callerName } from '../../kernel/caller.js';
import { encodeCursor } from '../../kernel/pagination.js';
import type { RouterLearner } from './router-learner.js';
import { routerLearning, RouterProposalStatus, comparison } from './router-learning.js';
import type { RouterProposalRecord, RouterProposalStore } from './router-proposal-store.js';
import { RouterVersion, toRouter } from './router-graphql.js';

export const routerLearningRuns = runGraph(
  routerLearning.handledBy(({ routerLearner }: { routerLearner: RouterLearner }, context) =>
    routerLearner.learn(context),
  ),
);
const RouterLearningRun = routerLearningRuns.Run;
type RouterLearningRun = InstanceType<typeof RouterLearningRun>;

registerEnumType(RouterProposalStatus, {
  name: 'RouterProposalStatus',
  description: 'How far a proposal of the router is.',
  valuesConfig: {
    OPEN: { description: 'It waits for a person.' },
    APPROVED: { description: 'A version of the router routes so.' },
    REJECTED: { description: 'A person said no.' },
    WITHDRAWN: { description: 'A later one took its place, or the router was fitted anew before it was decided.' },
  },
});

const RouterComparison = recordType(comparison);
type RouterComparison = InstanceType<typeof RouterComparison>;

@ObjectType({
  description: 'What is added to the score of a place, because people call its answers right more often, or less.',
})
export class RouterOffset {
  @Field(() => String, { description: '`documents`, `base`, or the adapter as `name@3`.' })
  place!: string;

  @Field(() => Float, { description: 'In log-odds.' })
  offset!: number;
}

@ObjectType({
  implements: NodeType,
  description: 'What the router learned from what people said, for a person to decide.',
})
export class RouterProposal extends NodeType {
  @Field(() => RouterProposalStatus, { description: 'How far it is.' })
  status!: RouterProposalStatus;

  @Field(() => Int, { description: 'Number of the version of the router that it would follow.' })
  routerVersion!: number;

  @Field(() => [RouterOffset], { description: 'What would be added to which place.' })
  offsets!: RouterOffset[];

  @Field(() => Int, { description: 'Questions that it was learned from.' })
  learnedFrom!: number;

  @Field(() => RouterComparison, { description: 'What it would be worth.' })
  comparison!: RouterComparison;

  @Field(() => String, { nullable: true, description: 'Who decided; null until then.' })
  decidedBy!: string | null;

  @Field(() => String, { nullable: true, description: 'Why; null until then.' })
  reason!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was decided; null until then.' })
  decidedAt!: Date | null;

  readonly record!: RouterProposalRecord;
}

const offsetsOf = (offsets: Readonly<Record<string, number>>) =>
  Object.entries(offsets).map(([place, offset]) => make(RouterOffset, { place, offset }));

const toProposal = (record: RouterProposalRecord): RouterProposal => {
  const { status, routerVersion, decidedBy, reason, createdAt, decidedAt, evidence } = record;
  return make(RouterProposal, {
    id: toGlobalId('RouterProposal', record.id),
    record,
    status,
    routerVersion,
    decidedBy,
    reason,
    createdAt,
    decidedAt,
    learnedFrom: evidence.learnedFrom,
    offsets: offsetsOf(evidence.offsets),
    comparison: evidence.comparison,
  });
};

/** A proposal by row id, batched over the request. */
export async function loadRouterProposal(
  context: GraphContext,
  proposals: RouterProposalStore,
  id: string,
): Promise<RouterProposal | null> {
  const rows = context.loader<string, RouterProposalRecord>('evaluation.routerProposalsById', async (ids) =>
    inOrder(ids, await proposals.byIds(context.workspaceId, ids)),
  );
  const row = await rows.load(id);
  return row ? toProposal(row) : null;
}

const { Connection: RouterProposalConnection } = connectionTypes(RouterProposal);

@InputType({ description: 'How much the router explores.' })
export class SetRouterExplorationInput {
  @Field(() => Float, {
    description: `Share of the questions, 0 to ${MOST_EXPLORED}, that a place may answer which is likely enough and not the choice; 0 switches it off, as it is by default.`,
  })
  share!: number;
}

@InputType({ description: 'Asks the router to learn.' })
export class LearnRouterInput {
  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@InputType({ description: 'A decision on what the router learned.' })
export class DecideRouterProposalInput {
  @Field(() => ID, { description: 'The proposal.' })
  proposal!: string;

  @Field(() => Boolean, { description: 'Whether the router routes so from now on.' })
  approve!: boolean;

  @Field(() => String, { description: 'Why, 1 to 1,000 characters.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Who decides, 1 to 200 characters; the caller by default.' })
  by?: string | null;
}

@ObjectType({ description: 'The router as it explores now.' })
export class SetRouterExplorationPayload {
  @Field(() => RouterVersion, { description: 'Its newest version.' })
  router!: RouterVersion;
}

@ObjectType({ description: 'The proposal as it was decided.' })
export class DecideRouterProposalPayload {
  @Field(() => RouterProposal, { description: 'The proposal.' })
  proposal!: RouterProposal;
}

const LearnRouterPayload = routerLearningRuns.payload('LearnRouterPayload', 'The run that learns.');
type LearnRouterPayload = InstanceType<typeof LearnRouterPayload>;

export interface RouterLearningResolverParts {
  routerLearner: RouterLearner;
  routerProposals: RouterProposalStore;
}

@Resolver(() => RouterLearningRun)
export class RouterLearningResolver {
  constructor(private readonly parts: RouterLearningResolverParts) {}

  @Needs('ASK')
  @Query(() => RouterProposalConnection, {
    description: 'What the router learned from what people said, newest first.',
    complexity: cost(5),
  })
  async routerProposals(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<RouterProposal>> {
    const page = args.request();
    const found = await this.parts.routerProposals.list(workspaceId, page);
    return toConnection(mapPage(found, toProposal), ({ record }) => encodeCursor([record.id]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => SetRouterExplorationPayload, {
    description:
      'Lets a router that decides give a small share of questions to another place, so that it can learn what people say of that. Questions with an error rate to keep, and what nobody records, are left alone.',
    complexity: cost(2),
  })
  async setRouterExploration(
    @Arg('input', () => SetRouterExplorationInput, { description: 'How much.' }) { share }: SetRouterExplorationInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<SetRouterExplorationPayload> {
    change.before = { exploration: await this.parts.routerLearner.exploration(workspaceId) };
    return { router: toRouter(await this.parts.routerLearner.explore(workspaceId, share)) };
  }

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => LearnRouterPayload, {
    description:
      'Lets the router learn from what people said of answers that chance had a part in, as a run. What it learned is proposed only where it is shown to be better on other questions.',
    complexity: cost(20),
  })
  async learnRouter(
    @Arg('input', () => LearnRouterInput, { description: 'Under which key.' }) { idempotencyKey }: LearnRouterInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<LearnRouterPayload> {
    return { run: runObject(await this.parts.routerLearner.start(workspaceId, idempotencyKey)) };
  }

  @Needs('OPERATE')
  @Mutation(() => DecideRouterProposalPayload, {
    description: 'Approves or rejects what the router learned; approved, its next version routes so.',
    complexity: cost(5),
  })
  async decideRouterProposal(
    @Arg('input', () => DecideRouterProposalInput, { description: 'Which, and why.' }) input: DecideRouterProposalInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<DecideRouterProposalPayload> {
    const id = fromGlobalId(input.proposal, 'RouterProposal', 'input.proposal');
    const decision = { approve: input.approve, reason: input.reason, by: input.by ?? callerName(caller) };
    return { proposal: toProposal(await this.parts.routerLearner.decide(workspaceId, id, decision)) };
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What came of it, or why nothing is proposed; null until it succeeded.',
  })
  result(@Root() { row }: RouterLearningRun): string | null {
    return routerLearning.outputOf(row)?.message ?? null;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Questions with feedback that chance had a part in; null until it succeeded.',
  })
  questions(@Root() { row }: RouterLearningRun): number | null {
    return routerLearning.outputOf(row)?.questions ?? null;
  }

  @FieldResolver(() => RouterComparison, {
    nullable: true,
    description: 'How what it learned was judged; null where there was nothing to judge by.',
  })
  comparison(@Root() { row }: RouterLearningRun): RouterComparison | null {
    return routerLearning.outputOf(row)?.comparison ?? null;
  }
}

/** What a version learned from words, and how much it explores. */
@Resolver(() => RouterVersion)
export class LearnedVersionResolver {
  @FieldResolver(() => Float, {
    description: 'Share of the questions, 0 to 0.1, that another place may answer than its choice; 0: none.',
  })
  exploration(@Root() { record }: RouterVersion): number {
    return record.exploration;
  }

  @FieldResolver(() => [RouterOffset], { description: 'What people’s words taught it; empty where they didn’t yet.' })
  offsets(@Root() { record }: RouterVersion): RouterOffset[] {
    return offsetsOf(record.learned.offsets ?? {});
  }
}
