import { Ctx, FieldResolver, registerEnumType, Resolver, Root } from 'type-graphql';
import { cost, recordType, type GraphContext } from '../../../kit/graphql/index.js';
import { Chunk, loadChunk, type KnowledgeStores } from '../../../sources/knowledge/index.js';
import { nearestPassage, routeDecision } from '../answer.js';
import { STRATEGIES, Strategy } from '../strategies.js';

registerEnumType(Strategy, {
  name: 'Strategy',
  description: 'What an answer is made with.',
  valuesConfig: STRATEGIES,
});

export const RouteDecision = recordType(routeDecision);
export type RouteDecision = InstanceType<typeof RouteDecision>;

const NearestPassage = recordType(nearestPassage);
type NearestPassage = InstanceType<typeof NearestPassage>;

@Resolver(() => NearestPassage)
export class NearestPassageResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Chunk, {
    nullable: true,
    description: 'The passage; null when it was replaced or deleted since, or whoever looks may not see its document.',
    complexity: cost(2),
  })
  chunk(@Root() { chunkId }: NearestPassage, @Ctx() context: GraphContext): Promise<Chunk | null> {
    return loadChunk(context, this.parts.stores, chunkId);
  }
}
