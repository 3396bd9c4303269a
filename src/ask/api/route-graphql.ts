import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RouteSource } from '../answer.js';
import { STRATEGIES, Strategy } from '../strategies.js';
import { RouterMode } from '../route/router/router.js';

registerEnumType(Strategy, {
  name: 'Strategy',
  description: 'What an answer is made with.',
  valuesConfig: STRATEGIES,
});

registerEnumType(RouteSource, {
  name: 'RouteSource',
  description: 'Who chose the strategy.',
  valuesConfig: {
    CALLER: { description: 'The question named it.' },
    ROUTER: { description: 'Graft chose it; the reasons say why.' },
    EXPERIMENT: { description: 'The arm of an experiment that the question was drawn into.' },
    ROLLOUT: { description: 'The rollout of an adapter version that the question was drawn into.' },
  },
});

@ObjectType({ description: 'One thing that spoke for or against the chosen strategy.' })
export class RouteReason {
  @Field(() => String, { description: 'Name of the feature, e.g. `collections.chunks`.' })
  feature!: string;

  @Field(() => Float, { description: 'Its value, in its own unit.' })
  value!: number;

  @Field(() => Float, {
    description:
      'How much it speaks for the chosen strategy: above 0 for, below 0 against, 0 for what is only worth knowing.',
  })
  contribution!: number;

  @Field(() => String, { description: 'The reason in words.' })
  sentence!: string;
}

@ObjectType({ description: 'A strategy that was considered.' })
export class RouteCandidate {
  @Field(() => Strategy, { description: 'The strategy.' })
  strategy!: Strategy;

  @Field(() => String, { nullable: true, description: 'With which adapter, as `name@3`; null without one.' })
  adapter?: string | null;

  @Field(() => Boolean, { description: 'Whether it could have answered.' })
  available!: boolean;

  @Field(() => Float, {
    nullable: true,
    description: 'Probability that the question belongs there, 0 to 1; null as long as no router has learned it.',
  })
  probability!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Median time of this gateway’s last 32 answers with it, in milliseconds; null before the first.',
  })
  expectedMs!: number | null;
}

registerEnumType(RouterMode, {
  name: 'RouterMode',
  description: 'What a router does with its choice.',
  valuesConfig: {
    OBSERVE: { description: 'Answers say what it would have chosen.' },
    APPLY: { description: 'It chooses, where a question says `AUTO` and names no collections.' },
  },
});

@ObjectType({ description: 'The router that was asked.' })
export class RouterAsked {
  @Field(() => Int, { description: 'Number of its version.' })
  version!: number;

  @Field(() => RouterMode, { description: 'Whether it chose, or only observed.' })
  mode!: RouterMode;

  @Field(() => Float, {
    description:
      'Probability of its choice minus the highest of the others, -1 to 1: below 0 where its choice is not the most probable one.',
  })
  margin!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'With which probability it chose this, above 0 to 1: known where a share of questions explores. Null where nothing else could have been chosen.',
  })
  propensity?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether chance chose another place than the router would have; null where it had no part.',
  })
  explored?: boolean | null;
}

@ObjectType({ description: 'The strategy that was chosen, and why.' })
export class RouteDecision {
  @Field(() => Strategy, { description: 'What the answer is made with.' })
  strategy!: Strategy;

  @Field(() => RouteSource, { description: 'Who chose it.' })
  chosenBy!: RouteSource;

  @Field(() => [RouteCandidate], {
    description:
      'The strategies that were looked at, available or not; those that read are not where nothing was looked up.',
  })
  candidates!: RouteCandidate[];

  @Field(() => [RouteReason], { description: 'What spoke for and against it.' })
  reasons!: RouteReason[];

  @Field(() => RouterAsked, { nullable: true, description: 'The router that was asked; null where none was.' })
  router?: RouterAsked | null;
}
