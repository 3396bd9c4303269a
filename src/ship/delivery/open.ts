import type { AnswerStore, OpenAsking, AskService } from '../../answer/ask/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { OpenEvaluation, Gate } from '../../prove/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../platform/database/index.js';
import type { EventLog } from '../../platform/events/index.js';
import type { Platform } from '../../platform/platform.js';
import type { RunQueue } from '../../platform/runs/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import type { AdapterRegistry, ModelRegistry, Registry } from '../../sources/registry/index.js';
import { assignmentResolvers } from './assignment-graphql.js';
import { ExperimentDecider } from './experiments/experiment-decider.js';
import { experimentResolvers, experimentRuns, loadExperiment } from './experiments/experiment-graphql.js';
import { ExperimentService } from './experiments/experiment-service.js';
import { ExperimentStore } from './experiments/experiment-store.js';
import { ExperimentTests } from './experiments/experiment-tests.js';
import { SamplePlanner } from './experiments/sample-planner.js';
import { UnitStore } from './experiments/unit-store.js';
import { LateFeedback } from './late-feedback.js';
import { LiveTests, type TestSource } from './live-tests.js';
import { loadProposal, proposalResolvers } from './proposals/proposal-graphql.js';
import { ProposalService } from './proposals/proposal-service.js';
import { ProposalStore } from './proposals/proposal-store.js';
import {
  AdapterRolloutsResolver,
  RolloutAnswersResolver,
  VersionRolloutsResolver,
} from './rollouts/rollout-edges-graphql.js';
import { RolloutDecider } from './rollouts/rollout-decider.js';
import { loadRollout, rolloutResolvers, rolloutRuns } from './rollouts/rollout-graphql.js';
import { RolloutService } from './rollouts/rollout-service.js';
import { RolloutStore } from './rollouts/rollout-store.js';
import { RolloutTests } from './rollouts/rollout-tests.js';
import { PairStore } from './shadow/pair-store.js';
import { loadShadow, shadowResolvers, shadowRuns } from './shadow/shadow-graphql.js';
import { ShadowService } from './shadow/shadow-service.js';
import { ShadowStore } from './shadow/shadow-store.js';

export const deliveryDomain = defineDomain({
  classes: [
    ...assignmentResolvers,
    ...rolloutResolvers,
    AdapterRolloutsResolver,
    VersionRolloutsResolver,
    RolloutAnswersResolver,
    ...proposalResolvers,
    ...experimentResolvers,
    ...shadowResolvers,
  ],
  runs: [rolloutRuns, experimentRuns, shadowRuns],
  registerNodes: (
    nodes: NodeRegistry,
    {
      rollouts,
      proposals,
      experiments,
      shadows,
    }: { rollouts: RolloutStore; proposals: ProposalStore; experiments: ExperimentStore; shadows: ShadowStore },
  ) => {
    nodes.register('Shadow', (context, id) => loadShadow(context, shadows, id));
    nodes.register('Rollout', (context, id) => loadRollout(context, rollouts, id));
    nodes.register('Proposal', (context, id) => loadProposal(context, proposals, id));
    nodes.register('Experiment', (context, id) => loadExperiment(context, experiments, id));
  },
});

/** How often shadows are looked for that nobody works on. */
const ABANDONED_MS = 5_000;

/** How versions reach users. */
export interface Delivery {
  readonly rollouts: RolloutService;
  readonly proposals: ProposalService;
  readonly experiments: ExperimentService;
  readonly shadows: ShadowService;
  readonly stores: {
    readonly rollouts: RolloutStore;
    readonly proposals: ProposalStore;
    readonly experiments: ExperimentStore;
    readonly shadows: ShadowStore;
  };
  /** Draws questions; it has entered itself with `ask`. */
  readonly tests: LiveTests;
  readonly offer: Offer;
}

/** What delivery stands on. */
interface DeliveryParts {
  database: Database;
  events: EventLog;
  runs: RunQueue;
  clock: Clock;
  log: Logger;
  adapters: AdapterRegistry;
  models: Pick<ModelRegistry, 'resolve'>;
  gate: Gate;
  answers: AnswerStore;
  asking: AskService;
  /** Asks behind users. */
  askingInBulk: Pick<AskService, 'tryOut'>;
  worker: Pick<Platform['worker'], 'interactive'>;
}

/** The services, of which nothing goes on by itself yet. */
export function deliveryServices(parts: DeliveryParts) {
  const { database, events, clock } = parts;
  const rollouts = new RolloutStore(database, events);
  const proposals = new ProposalStore(database);
  const decider = new RolloutDecider({ ...parts, rollouts, proposals });
  const experiments = new ExperimentStore(database, events);
  const units = new UnitStore(database);
  const experimentDecider = new ExperimentDecider({ experiments, units });
  const sources: TestSource[] = [
    new RolloutTests({ database, rollouts, decider }),
    new ExperimentTests({ experiments, experimentDecider }),
  ];
  const tests = new LiveTests({ ...parts, sources });
  const pairs = new PairStore(database);
  const shadows = new ShadowStore(database, events, pairs);
  const testing = { experiments, units, experimentDecider };
  const dependencies = { ...parts, rollouts, proposals, decider, tests, ...testing, shadows, pairs };
  const shadowService = new ShadowService(dependencies);
  return {
    ...dependencies,
    rolloutService: new RolloutService(dependencies),
    proposalService: new ProposalService(dependencies),
    experimentService: new ExperimentService(dependencies),
    planner: new SamplePlanner(dependencies),
    testing: { ...dependencies, lateFeedback: new LateFeedback(database) },
    watching: { rollouts, decider, clock },
    shadowService,
    shadowing: {
      shadows,
      pairs,
      clock,
      answers: parts.answers,
      asking: parts.askingInBulk,
      interactive: parts.worker.interactive,
    },
  };
}

export function openDelivery(
  platform: Platform,
  lower: {
    registry: Pick<Registry, 'adapters' | 'registry'>;
    ask: Pick<OpenAsking, 'asking' | 'askingInBulk' | 'answers'>;
    evaluation: Pick<OpenEvaluation, 'gate'>;
  },
): Delivery {
  const { adapters, registry: models } = lower.registry;
  const { asking, askingInBulk, answers } = lower.ask;
  const askParts = { asking, askingInBulk, answers };
  const services = deliveryServices({ ...platform, adapters, models, ...lower.evaluation, ...askParts });
  const { rolloutService, proposalService, experimentService, shadowService, tests, pairs } = services;
  const { rollouts, proposals, experiments, shadows } = services;
  asking.assignBy(tests);
  answers.onErasure((tx, erased) => pairs.erase(tx, erased));
  const hooks = {
    chores: [{ name: 'end abandoned shadows', everyMs: ABANDONED_MS, work: () => shadowService.endAbandoned() }],
    start: () => tests.start(),
    stop: () => tests.stop(),
  };
  return {
    rollouts: rolloutService,
    proposals: proposalService,
    experiments: experimentService,
    tests,
    shadows: shadowService,
    stores: { rollouts, proposals, experiments, shadows },
    offer: offer(deliveryDomain, platform.runs, services, hooks),
  };
}
