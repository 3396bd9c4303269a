import { registerEnumType } from 'type-graphql';
import { recordType, fieldsOf, toOne } from '../../../kit/graphql/index.js';
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

export const NearestPassageResolver = fieldsOf<NearestPassage, { stores: KnowledgeStores }>(() => NearestPassage, {
  chunk: toOne(
    () => Chunk,
    'The passage; null when it was replaced or deleted since, or whoever looks may not see its document.',
    ({ chunkId }, context, { stores }) => loadChunk(context, stores, chunkId),
  ),
});
