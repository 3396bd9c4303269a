import { registerEnumType } from 'type-graphql';
import { recordType } from '../../graphql-kit/index.js';
import { RouteSource, routeDecision } from '../answer.js';
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

registerEnumType(RouterMode, {
  name: 'RouterMode',
  description: 'What a router does with its choice.',
  valuesConfig: {
    OBSERVE: { description: 'Answers say what it would have chosen.' },
    APPLY: { description: 'It chooses, where a question says `AUTO`.' },
  },
});

export const RouteDecision = recordType(routeDecision);
export type RouteDecision = InstanceType<typeof RouteDecision>;
