import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import {
  AnswerConnection,
  AnswerFilterInput,
  answersPage,
  toFilter,
  type AnswerType,
  type AskService,
} from '../../../answer/ask/index.js';
import { ConnectionArgs, cost, Needs, type ConnectionOf, type GraphContext } from '../../../kit/graphql/index.js';
import { Adapter, AdapterVersion } from '../../../learn/training/index.js';
import type { RolloutRow } from './rollout.js';
import { allAsOfNow } from './rollout-now.js';
import { RolloutArm } from './rollout-arm.js';
import { MOST_SHOWN, type RolloutStore } from './rollout-store.js';
import { Rollout } from './rollout-types.js';
import { toRollout } from './rollout-view.js';

interface RolloutEdgesParts {
  rollouts: RolloutStore;
  asking: AskService;
}

/** The newest rollouts of each adapter or version as they stand now; one of an adapter is live at most. */
async function newestNow(
  rollouts: RolloutStore,
  { workspaceId }: GraphContext,
  field: 'adapterId' | 'candidateId',
  ids: readonly string[],
): Promise<RolloutRow[][]> {
  const groups = await rollouts.newestOf(workspaceId, field, ids);
  return Promise.all(groups.map((rows) => allAsOfNow(rollouts, rows)));
}

/** From an adapter to how its versions reached users. */
@Resolver(() => Adapter)
export class AdapterRolloutsResolver {
  constructor(private readonly parts: Pick<RolloutEdgesParts, 'rollouts'>) {}

  @FieldResolver(() => [Rollout], {
    description: `Its rollouts, newest first, at most ${MOST_SHOWN}; \`rollouts\` has all.`,
    complexity: cost(5),
  })
  async rollouts(@Root() { row }: Adapter, @Ctx() context: GraphContext): Promise<Rollout[]> {
    const loader = context.loader<string, RolloutRow[]>('delivery.rolloutsOfAdapter', (ids) =>
      newestNow(this.parts.rollouts, context, 'adapterId', ids),
    );
    return ((await loader.load(row.id)) ?? []).map(toRollout);
  }
}

/** From a version to how it was tried on users. */
@Resolver(() => AdapterVersion)
export class VersionRolloutsResolver {
  constructor(private readonly parts: Pick<RolloutEdgesParts, 'rollouts'>) {}

  @FieldResolver(() => [Rollout], {
    description: `Rollouts of this version, newest first, at most ${MOST_SHOWN}.`,
    complexity: cost(5),
  })
  async rollouts(@Root() { row }: AdapterVersion, @Ctx() context: GraphContext): Promise<Rollout[]> {
    const loader = context.loader<string, RolloutRow[]>('delivery.rolloutsOfCandidate', (ids) =>
      newestNow(this.parts.rollouts, context, 'candidateId', ids),
    );
    return ((await loader.load(row.id)) ?? []).map(toRollout);
  }
}

/** From a rollout to what its arms answered. */
@Resolver(() => Rollout)
export class RolloutAnswersResolver {
  constructor(private readonly parts: RolloutEdgesParts) {}

  @Needs('EDIT')
  @FieldResolver(() => AnswerConnection, {
    description: 'Answers that were drawn into it, those that testers asked for among them, newest first.',
    complexity: cost(10),
  })
  answers(
    @Root() { row }: Rollout,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('arm', () => RolloutArm, { nullable: true, description: 'Only those of this arm.' }) arm?: RolloutArm | null,
    @Arg('filter', () => AnswerFilterInput, { nullable: true, description: 'Only those.' })
    filter?: AnswerFilterInput | null,
  ): Promise<ConnectionOf<AnswerType>> {
    const assignment = { subjectId: row.id, arm: arm ?? null };
    return answersPage(context, this.parts.asking, { ...toFilter(filter), drawn: assignment }, args.request());
  }
}
