import type { ResolverList } from '../graphql-kit/index.js';
import { AttestationRunResolver, type AttestationResolverParts } from './attestation/attestation-graphql.js';
import {
  EvaluatedVersionResolver,
  EvaluationResolver,
  EvaluationRunResolver,
  type EvaluationResolverParts,
} from './evaluations/evaluation-graphql.js';
import {
  GatedChangeResolver,
  GatedVersionResolver,
  GateVerdictResolver,
  type GateResolverParts,
} from './gate/gate-graphql.js';
import { HybridFitResolver, type HybridFitResolverParts } from './blend/blend-graphql.js';
import { StrategyComparisonResolver, type ComparisonResolverParts } from './comparison/comparison-graphql.js';
import { RouterResolver, RouterVersionResolver, type RouterResolverParts } from './router/router-graphql.js';
import { ScaleChoiceResolver, type ScaleResolverParts } from './scale/scale-graphql.js';
import { toEvaluation } from './evaluations/evaluation-types.js';

/** The resolvers of this domain. */
export const evaluationResolvers: ResolverList<
  AttestationResolverParts &
    EvaluationResolverParts &
    GateResolverParts &
    ScaleResolverParts &
    HybridFitResolverParts &
    ComparisonResolverParts &
    RouterResolverParts
> = {
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
  ],
  registerNodes(nodes, { evaluator }) {
    nodes.register('Evaluation', async ({ workspaceId }, id) => {
      const [row] = await evaluator.store.byIds(workspaceId, [id]);
      return row && row.figures !== null ? toEvaluation(row) : null;
    });
  },
};
