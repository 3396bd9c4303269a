import { Ctx, Field, FieldResolver, Float, Int, ObjectType, Resolver, Root } from 'type-graphql';
import { AnswerType as Answer, type Assignment } from '../ask/index.js';
import { cost, make, type GraphContext } from '../graphql-kit/index.js';
import { loadExperiment } from './experiments/experiment-graphql.js';
import type { ExperimentStore } from './experiments/experiment-store.js';
import { Experiment } from './experiments/experiment-types.js';
import { loadRollout } from './rollouts/rollout-graphql.js';
import type { RolloutStore } from './rollouts/rollout-store.js';
import { Rollout } from './rollouts/rollout-types.js';

@ObjectType({ description: 'What a question was drawn into when it was asked.' })
export class ExperimentAssignment {
  @Field(() => String, { description: 'The arm that answered it, e.g. `CANDIDATE` or `CONTROL` of a rollout.' })
  arm!: string;

  @Field(() => Int, {
    description: 'The step of the rollout, or the phase of the experiment, that it was asked in; from 0.',
  })
  stage!: number;

  @Field(() => Float, { description: 'Where its unit falls, 0 to 1; 0 where the arm was asked for.' })
  bucket!: number;

  @Field(() => Float, { description: 'The probability with which the arm was drawn, above 0 to 1.' })
  probability!: number;

  @Field(() => Boolean, { description: 'Whether a tester asked for the arm: then the answer counts for nothing.' })
  forced!: boolean;

  readonly assignment!: Assignment;
}

@Resolver(() => Answer)
export class AssignedAnswerResolver {
  @FieldResolver(() => ExperimentAssignment, {
    nullable: true,
    description: 'The experiment or rollout that the question was part of; null where nothing was tried on it.',
  })
  experiment(@Root() { assignment }: Answer): ExperimentAssignment | null {
    if (assignment === null) return null;
    const { arm, stage, bucket, probability, forced } = assignment;
    return make(ExperimentAssignment, { arm, stage, bucket, probability, forced, assignment });
  }
}

export interface AssignmentResolverParts {
  rollouts: RolloutStore;
  experiments: ExperimentStore;
}

@Resolver(() => ExperimentAssignment)
export class ExperimentAssignmentResolver {
  constructor(private readonly parts: AssignmentResolverParts) {}

  @FieldResolver(() => Rollout, {
    nullable: true,
    description: 'The rollout; null for an experiment.',
    complexity: cost(2),
  })
  async rollout(@Root() { assignment }: ExperimentAssignment, @Ctx() context: GraphContext): Promise<Rollout | null> {
    const { kind, subjectId } = assignment;
    return kind === 'ROLLOUT' ? loadRollout(context, this.parts.rollouts, subjectId) : null;
  }

  @FieldResolver(() => Experiment, {
    nullable: true,
    description: 'The experiment; null for a rollout.',
    complexity: cost(2),
  })
  async experiment(
    @Root() { assignment }: ExperimentAssignment,
    @Ctx() context: GraphContext,
  ): Promise<Experiment | null> {
    const { kind, subjectId } = assignment;
    return kind === 'EXPERIMENT' ? loadExperiment(context, this.parts.experiments, subjectId) : null;
  }
}
