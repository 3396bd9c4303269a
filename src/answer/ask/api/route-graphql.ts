import { registerEnumType } from 'type-graphql';
import { recordType } from '../../../kit/graphql/index.js';
import { routeDecision } from '../answer.js';
import { STRATEGIES, Strategy } from '../strategies.js';

registerEnumType(Strategy, {
  name: 'Strategy',
  description: 'What an answer is made with.',
  valuesConfig: STRATEGIES,
});

export const RouteDecision = recordType(routeDecision);
export type RouteDecision = InstanceType<typeof RouteDecision>;
