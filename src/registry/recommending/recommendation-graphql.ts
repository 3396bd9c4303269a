import { Ctx, Field, Float, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { BigIntScalar, cost, Needs, type GraphContext } from '../../graphql-kit/index.js';
import { CatalogueModel, toCatalogueModel } from '../catalogue-graphql.js';
import { Fit } from './recommend.js';
import type { ModelRecommender, Recommended } from './recommender.js';
import { TYPICAL_ANSWER } from './speed.js';

registerEnumType(Fit, {
  name: 'ModelFit',
  description: 'What a model of the catalogue is for this machine.',
  valuesConfig: {
    RECOMMENDED: {
      description:
        'Of the models that take at most half of the memory and have a reader or at least a billion weights, the largest that answers in time; where none of these does, the fastest of them. Others only where there are none of these. GRAFT_MODEL=auto takes it at first start.',
    },
    FAST_ENOUGH: { description: 'It answers in time, too.' },
    QUOTES_ONLY: {
      description:
        'It answers in time, but models below a billion weights answer with quotes, which the default model’s reader chooses better.',
    },
    TOO_SLOW: { description: 'A typical answer takes longer than `answerSeconds`.' },
    TOO_LARGE: { description: 'It takes more than half of the memory.' },
  },
});

@ObjectType({ description: 'A model of the catalogue on this machine.' })
export class ModelRecommendation {
  @Field(() => CatalogueModel, { description: 'Which.' })
  model!: CatalogueModel;

  @Field(() => Boolean, {
    description: 'Whether its file is here; else it is fetched when it is registered or made the default.',
  })
  here!: boolean;

  @Field(() => Fit, { description: 'What it is for this machine.' })
  fit!: Fit;

  @Field(() => Float, {
    description:
      'How long a typical answer takes that it words alone, in seconds. Where it is scaled from another model (`measuredOn`) it is a guess that may be wrong by a factor of two.',
  })
  seconds!: number;

  @Field(() => Float, { description: 'How fast it reads the beginning of a prompt, in tokens/s.' })
  readTokensPerSecond!: number;

  @Field(() => Float, { description: 'How fast it writes, in tokens/s.' })
  writeTokensPerSecond!: number;

  @Field(() => String, {
    description: 'The model whose measured speed that follows from; its own name where it was measured here itself.',
  })
  measuredOn!: string;

  @Field(() => Boolean, {
    description: 'Whether a reader comes with it, which finds and judges what documents answer.',
  })
  reader!: boolean;
}

@ObjectType({ description: 'The models of the catalogue as this machine would run them.' })
export class ModelRecommendations {
  @Field(() => [ModelRecommendation], { description: 'Smallest file first.' })
  models!: ModelRecommendation[];

  @Field(() => Int, { description: 'How long an answer may take, in seconds (GRAFT_ANSWER_SECONDS).' })
  answerSeconds!: number;

  @Field(() => Int, { description: 'Tokens that a typical answer reads: passages and the question.' })
  readTokens!: number;

  @Field(() => Int, { description: 'Tokens that it writes.' })
  writtenTokens!: number;

  @Field(() => BigIntScalar, { description: 'Memory of this machine, or of its container, in bytes.' })
  memoryBytes!: bigint;

  @Field(() => Boolean, {
    description:
      'Whether other programs left the processors alone while it was measured; else models may be faster than is said.',
  })
  quiet!: boolean;
}

const toRecommendation = ({ entry, speed, ...one }: Recommended): ModelRecommendation => ({
  model: toCatalogueModel(entry),
  here: one.here,
  fit: one.fit,
  seconds: one.seconds,
  readTokensPerSecond: speed.read,
  writeTokensPerSecond: speed.write,
  measuredOn: one.measuredOn,
  reader: entry.reader,
});

@Resolver(() => ModelRecommendations)
export class RecommendationResolver {
  constructor(private readonly parts: { recommender: ModelRecommender }) {}

  @Needs('ASK')
  @Query(() => ModelRecommendations, {
    description:
      'Which models of the catalogue answer in time on this machine, by the speed that was measured at start, scaled by their size. What they answer is not looked at: `compareWordings` measures that.',
    complexity: cost(10),
  })
  async modelRecommendations(@Ctx() { workspaceId }: GraphContext): Promise<ModelRecommendations> {
    const { models, quiet, bounds } = await this.parts.recommender.recommendations(workspaceId);
    return {
      models: models.map(toRecommendation),
      answerSeconds: bounds.seconds,
      readTokens: TYPICAL_ANSWER.read,
      writtenTokens: TYPICAL_ANSWER.written,
      memoryBytes: BigInt(bounds.memoryBytes),
      quiet,
    };
  }
}
