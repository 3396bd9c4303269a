import type { OpenData } from '../../sources/data/index.js';
import type { Delivery } from '../delivery/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { OpenEvaluation } from '../../prove/index.js';
import type { OpenFeedback } from '../../learn/feedback/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Monitoring } from '../../operate/monitoring/index.js';
import type { Platform } from '../../platform/platform.js';
import type { Registry } from '../../sources/registry/index.js';
import type { Training } from '../../learn/training/index.js';
import { improvementResolvers, improvementRuns, loadImprovement, loadPolicy } from './improvement-graphql.js';
import { ImprovementService } from './improvement-service.js';
import { ImprovementStore } from './improvement-store.js';

export const improvementDomain = defineDomain({
  classes: improvementResolvers,
  runs: [improvementRuns],
  registerNodes(nodes: NodeRegistry, { improvements }: { improvements: ImprovementStore }) {
    nodes.register('Improvement', (context, id) => loadImprovement(context, improvements, id));
    nodes.register('RetrainingPolicy', (context, id) => loadPolicy(context, improvements, id));
  },
});

const LOOK_MS = 60_000;

/** How what people say becomes a better version. */
interface OpenImprovement {
  readonly improving: ImprovementService;
  readonly offer: Offer;
}

export function openImprovement(
  platform: Platform,
  lower: {
    registry: Registry;
    data: OpenData;
    feedback: OpenFeedback;
    training: Training;
    evaluation: OpenEvaluation;
    monitoring: Monitoring;
    delivery: Delivery;
  },
): OpenImprovement {
  const { database, runs, clock } = platform;
  const { adapters } = lower.registry;
  const { data } = lower.data;
  const { curator, desk } = lower.feedback;
  const { attestor, evaluator, evaluations, gate } = lower.evaluation;
  const { training } = lower.training;
  const { delivery } = lower;
  const improvements = new ImprovementStore(database);
  const loop = { improvements, adapters, runs, curator, data };
  const improvementService = new ImprovementService({
    ...loop,
    alerts: lower.monitoring.alerts,
    proposals: delivery.stores.proposals,
  });
  // Every gateway looks: see `ImprovementService.look`.
  const look = {
    name: 'look at retraining policies',
    everyMs: LOOK_MS,
    work: () => improvementService.look(clock.now()),
  };
  const parts = {
    improvementService,
    improvements,
    adapters,
    data,
    runs,
    rollouts: delivery.stores.rollouts,
    proposals: delivery.stores.proposals,
    improving: { ...loop, desk, training, attestor, evaluator, evaluations, gate, delivery, clock },
  };
  return {
    improving: improvementService,
    offer: offer(improvementDomain, runs, parts, { chores: [look] }),
  };
}
