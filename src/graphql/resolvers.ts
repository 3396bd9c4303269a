import { askResolvers } from '../ask/index.js';
import { dataResolvers, dataRuns } from '../data/index.js';
import { erasureResolvers, erasureRuns } from '../erasure/index.js';
import {
  attestationRuns,
  evaluationResolvers,
  evaluationRuns,
  hybridFitRuns,
  routerFitRuns,
  scaleChoiceRuns,
  strategyComparisonRuns,
} from '../evaluation/index.js';
import {
  makeResolvers,
  runResolvers,
  type AnyResolverList,
  type NodeRegistry,
  type ResolverList,
  type RunSource,
} from '../graphql-kit/index.js';
import { knowledgeResolvers, knowledgeRuns, retrievalTuningRuns } from '../knowledge/index.js';
import { downloadRuns, quantizationRuns, registryResolvers } from '../registry/index.js';
import {
  adapterExportRuns,
  adapterImportRuns,
  adapterMergeRuns,
  learningRateSearchRuns,
  trainingResolvers,
  trainingRuns,
} from '../training/index.js';
import { NodeResolver, RunResolver, type Runs } from './runs-graphql.js';
import { SystemResolver, type SystemSources } from './system-graphql.js';

/** What belongs to no domain. */
const gatewayResolvers: ResolverList<{ nodes: NodeRegistry; runs: Runs & RunSource; system: SystemSources }> = {
  classes: [NodeResolver, RunResolver, SystemResolver],
};

/** Every kind of run: the queue takes these and no others. */
export const RUN_KINDS = [
  downloadRuns,
  quantizationRuns,
  ...knowledgeRuns,
  retrievalTuningRuns,
  ...dataRuns,
  trainingRuns,
  learningRateSearchRuns,
  adapterImportRuns,
  adapterExportRuns,
  adapterMergeRuns,
  attestationRuns,
  evaluationRuns,
  scaleChoiceRuns,
  hybridFitRuns,
  strategyComparisonRuns,
  erasureRuns,
  routerFitRuns,
] as const;

/** Every domain's list. A new domain is a line here; `main.ts` doesn't compile until it passes that domain's parts. */
const LISTS = {
  gateway: gatewayResolvers,
  registry: registryResolvers,
  knowledge: knowledgeResolvers,
  ask: askResolvers,
  data: dataResolvers,
  training: trainingResolvers,
  evaluation: evaluationResolvers,
  erasure: erasureResolvers,
};

/** The parts of every domain, by its name. */
export type ResolverParts = {
  [Name in keyof typeof LISTS]: (typeof LISTS)[Name] extends ResolverList<infer Parts> ? Parts : never;
};

/** Every resolver class of the product: the schema is printed from it. */
export const RESOLVER_CLASSES = [
  ...Object.values<AnyResolverList>(LISTS).flatMap(({ classes }) => classes),
  ...RUN_KINDS.map(({ Progress }) => Progress),
];

/** An instance of each, as `buildGraphSchema` takes them; all node types are registered with `nodes`. */
export const productResolvers = (parts: ResolverParts, nodes: NodeRegistry): object[] => [
  ...Object.entries<AnyResolverList>(LISTS).flatMap(([name, list]) =>
    makeResolvers(list, parts[name as keyof ResolverParts] as never, nodes),
  ),
  ...runResolvers(RUN_KINDS, parts.gateway.runs, nodes),
];
