import { Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { cost, Needs, type GraphContext, ofType, objectType } from '../../../kit/graphql/index.js';
import { CatalogueModel, toCatalogueModel } from '../catalogue-graphql.js';
import { Fit } from './recommend.js';
import type { ModelRecommender, Recommended } from './recommender.js';
import { TYPICAL_ANSWER } from './speed.js';
import { boolean, oneOf, float, string } from '../../../kernel/record.js';

const ModelRecommendation = objectType('ModelRecommendation', 'A model of the catalogue on this machine.', {
  model: ofType(() => CatalogueModel).describe('Which.'),
  here: boolean('Whether its file is here; else it is fetched when it is registered or made the default.'),
  fit: oneOf(Fit, 'What it is for this machine.'),
  seconds: float(
    'How long a typical answer takes that it words alone, in seconds. Where it is scaled from another model (`measuredOn`) it is a guess that may be wrong by a factor of two.',
  ),
  readTokensPerSecond: float('How fast it reads the beginning of a prompt, in tokens/s.'),
  writeTokensPerSecond: float('How fast it writes, in tokens/s.'),
  measuredOn: string(
    'The model whose measured speed that follows from; its own name where it was measured here itself.',
  ),
  reader: boolean('Whether a reader comes with it, which finds and judges what documents answer.'),
});
type ModelRecommendation = InstanceType<typeof ModelRecommendation>;

const ModelRecommendations = objectType(
  'ModelRecommendations',
  'The models of the catalogue as this machine would run them.',
  {
    models: z.array(ofType(() => ModelRecommendation)).describe('Smallest file first.'),
    answerSeconds: z.int().describe('How long an answer may take, in seconds (GRAFT_ANSWER_SECONDS).'),
    readTokens: z.int().describe('Tokens that a typical answer reads: passages and the question.'),
    writtenTokens: z.int().describe('Tokens that it writes.'),
    memoryBytes: z.bigint().describe('Memory of this machine, or of its container, in bytes.'),
    quiet: boolean(
      'Whether other programs left the processors alone while it was measured; else models may be faster than is said.',
    ),
  },
);
type ModelRecommendations = InstanceType<typeof ModelRecommendations>;

const toRecommendation = ({ entry, speed, ...recommended }: Recommended): ModelRecommendation => ({
  ...recommended,
  model: toCatalogueModel(entry),
  readTokensPerSecond: speed.read,
  writeTokensPerSecond: speed.write,
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
