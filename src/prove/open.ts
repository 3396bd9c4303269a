import type { OpenAsking } from '../answer/ask/index.js';
import type { OpenData } from '../sources/data/index.js';
import { defineDomain, offer, type Offer } from '../kit/domain/index.js';
import type { NodeRegistry } from '../kit/graphql/index.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../kernel/ids.js';
import type { OpenFeedback } from '../learn/feedback/index.js';
import type { Knowledge } from '../sources/knowledge/index.js';
import type { Platform } from '../platform/platform.js';
import type { Registry } from '../sources/registry/index.js';
import { installReader } from '../learn/training/index.js';
import { AttestationRunResolver, attestationRuns } from './attestation/attestation-graphql.js';
import { Attestor } from './attestation/attestor.js';
import { HybridFitResolver, hybridFitRuns } from './blend/blend-graphql.js';
import { HybridFitter } from './blend/hybrid-fitter.js';
import { Comparer } from './comparison/comparer.js';
import { StrategyComparisonResolver, strategyComparisonRuns } from './comparison/comparison-graphql.js';
import {
  EvaluatedVersionResolver,
  EvaluationResolver,
  EvaluationRunResolver,
  evaluationRuns,
  registerEvaluationNode,
} from './evaluations/evaluation-graphql.js';
import { evaluationHolder, EvaluationStore } from './evaluations/evaluation-store.js';
import { Evaluator } from './evaluations/evaluator.js';
import { MembershipLearner } from './membership/membership-learner.js';
import { Gate } from './gate/gate.js';
import { GatedChangeResolver, GatedVersionResolver, GateVerdictResolver } from './gate/gate-graphql.js';
import { RouterFitter } from './router/router-fitter.js';
import {
  RoutedPromotionResolver,
  RouterResolver,
  routerFitRuns,
  RouterVersionResolver,
} from './router/router-graphql.js';
import { RoutePreviewResolver } from './router/preview-graphql.js';
import { ROUTER_LOOK_MS, RouterKeeper } from './router/router-keeper.js';
import { WordedModelResolver, WordingComparisonResolver, wordingComparisonRuns } from './wording/wording-graphql.js';
import { WordingComparer } from './wording/wording-comparer.js';
import { ScaleChoiceResolver, scaleChoiceRuns } from './scale/scale-graphql.js';
import { ScaleChooser } from './scale/scale-chooser.js';

export const evaluationDomain = defineDomain({
  classes: [
    AttestationRunResolver,
    EvaluationResolver,
    EvaluationRunResolver,
    EvaluatedVersionResolver,
    GateVerdictResolver,
    GatedVersionResolver,
    GatedChangeResolver,
    ScaleChoiceResolver,
    HybridFitResolver,
    StrategyComparisonResolver,
    RouterResolver,
    RouterVersionResolver,
    RoutedPromotionResolver,
    RoutePreviewResolver,
    WordingComparisonResolver,
    WordedModelResolver,
  ],
  runs: [
    attestationRuns,
    evaluationRuns,
    scaleChoiceRuns,
    hybridFitRuns,
    strategyComparisonRuns,
    routerFitRuns,
    wordingComparisonRuns,
  ],
  registerNodes: (nodes: NodeRegistry, { evaluator }: { evaluator: Evaluator }) =>
    registerEvaluationNode(nodes, evaluator),
});

/** What adapters are worth, and which of the strategies. */
export interface OpenEvaluation {
  readonly attestor: Attestor;
  readonly evaluator: Evaluator;
  readonly evaluations: EvaluationStore;
  readonly gate: Gate;
  readonly scales: ScaleChooser;
  readonly hybridFitter: HybridFitter;
  readonly comparer: Comparer;
  readonly routerFitter: RouterFitter;
  readonly wordings: WordingComparer;
  readonly offer: Offer;
}

export function openEvaluation(
  platform: Platform,
  lower: { registry: Registry; knowledge: Knowledge; data: OpenData; ask: OpenAsking; feedback: OpenFeedback },
): OpenEvaluation {
  const { registry, adapters } = lower.registry;
  const { data } = lower.data;
  const { routers, memberships, asking, askingInBulk } = lower.ask;
  const { config, database, erasure, files, runs, worker, trainWorker, log } = platform;
  const evaluations = new EvaluationStore(database);
  erasure.addHolder(evaluationHolder(evaluations));
  lower.feedback.curator.mover.useHeldOut((workspaceId, pairs) => evaluations.heldOut(workspaceId, pairs));
  const opened = { ...platform, ...lower.knowledge, registry, adapters, data, evaluations, routers, memberships };
  const parts = { ...opened, membershipLearner: new MembershipLearner(opened) };
  const attestor = new Attestor({ ...parts, serve: worker, train: trainWorker, folder: platform.folder('attesting') });
  const evaluator = new Evaluator({ ...parts, store: evaluations });
  const gate = new Gate(parts);
  const routerFitter = new RouterFitter(parts);
  const routerKeeper = new RouterKeeper({ fitter: routerFitter });
  const services = {
    attestor,
    evaluator,
    evaluations,
    gate,
    routerFitter,
    scales: new ScaleChooser(parts),
    hybridFitter: new HybridFitter(parts),
    comparer: new Comparer({ ...parts, asking: askingInBulk }),
    wordings: new WordingComparer({ ...parts, asking: askingInBulk }),
  };

  /** Makes the reader that comes with the default model one of the adapters; it answers as soon as it was shown to act. */
  const startReader = async (): Promise<void> => {
    try {
      const reader = await installReader({ registry, adapters, files }, workspaceId);
      if (reader && reader.version.attestation === null) await attestor.startBuiltIn(workspaceId, reader);
    } catch (err) {
      log.warn({ err }, 'the reader that comes with Graft was not installed');
    }
  };
  const refit = { name: 'fit routers', everyMs: ROUTER_LOOK_MS, work: () => routerKeeper.look() };
  const chores = config.GRAFT_ROUTER_REFIT === 'on' ? [refit] : [];
  return {
    ...services,
    offer: offer(
      evaluationDomain,
      runs,
      { ...services, asking, routers, adapters, registry, data },
      { chores, start: startReader },
    ),
  };
}
