import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { AnswerType as Answer, type Assignment } from '../../answer/ask/index.js';
import { cost, recordType, type GraphContext } from '../../kit/graphql/index.js';
import { record, string, int, float, boolean } from '../../kernel/record.js';
import { loadExperiment } from './experiments/experiment-graphql.js';
import type { ExperimentStore } from './experiments/experiment-store.js';
import { Experiment } from './experiments/experiment-types.js';
import { loadRollout } from './rollouts/rollout-graphql.js';
import type { RolloutStore } from './rollouts/rollout-store.js';
import { Rollout } from './rollouts/rollout-types.js';

const ExperimentAssignment = recordType(
  record('ExperimentAssignment', 'What a question was drawn into when it was asked.', {
    arm: string('The arm that answered it, e.g. `CANDIDATE` or `CONTROL` of a rollout.'),
    stage: int('The step of the rollout, or the phase of the experiment, that it was asked in; from 0.'),
    bucket: float('Where its unit falls, 0 to 1; 0 where the arm was asked for.'),
    probability: float('The probability with which the arm was drawn, above 0 to 1.'),
    forced: boolean('Whether a tester asked for the arm: then the answer counts for nothing.'),
    kind: z.custom<Assignment['kind']>(),
    subjectId: z.string(),
  }),
);
type ExperimentAssignment = InstanceType<typeof ExperimentAssignment>;

@Resolver(() => Answer)
export class AssignedAnswerResolver {
  @FieldResolver(() => ExperimentAssignment, {
    nullable: true,
    description: 'The experiment or rollout that the question was part of; null where nothing was tried on it.',
  })
  experiment(@Root() { assignment }: Answer): ExperimentAssignment | null {
    return assignment;
  }
}

interface AssignmentResolverParts {
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
  async rollout(
    @Root() { kind, subjectId }: ExperimentAssignment,
    @Ctx() context: GraphContext,
  ): Promise<Rollout | null> {
    return kind === 'ROLLOUT' ? loadRollout(context, this.parts.rollouts, subjectId) : null;
  }

  @FieldResolver(() => Experiment, {
    nullable: true,
    description: 'The experiment; null for a rollout.',
    complexity: cost(2),
  })
  async experiment(
    @Root() { kind, subjectId }: ExperimentAssignment,
    @Ctx() context: GraphContext,
  ): Promise<Experiment | null> {
    return kind === 'EXPERIMENT' ? loadExperiment(context, this.parts.experiments, subjectId) : null;
  }
}
