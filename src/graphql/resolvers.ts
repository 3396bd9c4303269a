import { accessDomain } from '../access/index.js';
import { askDomain } from '../ask/index.js';
import { dataDomain } from '../data/index.js';
import { defineDomain, runsOf, type AnyDomain } from '../domain-kit/index.js';
import { deliveryDomain } from '../delivery/index.js';
import { erasureDomain } from '../erasure/index.js';
import { evaluationDomain } from '../evaluation/index.js';
import { fleetDomain } from '../fleet/index.js';
import { feedbackDomain } from '../feedback/index.js';
import { improvementDomain } from '../improvement/index.js';
import { knowledgeDomain } from '../knowledge/index.js';
import { monitoringDomain } from '../monitoring/index.js';
import { registryDomain } from '../registry/index.js';
import { trainingDomain } from '../training/index.js';
import { NodeResolver, RunResolver, RunSubjectResolver } from './runs-graphql.js';
import { SystemResolver } from './system-graphql.js';

/** What belongs to no domain. */
export const gatewayDomain = defineDomain({
  classes: [NodeResolver, RunResolver, RunSubjectResolver, SystemResolver],
  runs: [],
});

/** Every domain, a line each; `domains.ts` doesn't compile until it opens one that is added here. */
export const DOMAINS = {
  gateway: gatewayDomain,
  access: accessDomain,
  registry: registryDomain,
  knowledge: knowledgeDomain,
  data: dataDomain,
  ask: askDomain,
  training: trainingDomain,
  feedback: feedbackDomain,
  evaluation: evaluationDomain,
  delivery: deliveryDomain,
  fleet: fleetDomain,
  monitoring: monitoringDomain,
  improvement: improvementDomain,
  erasure: erasureDomain,
};

const domains: readonly AnyDomain[] = Object.values(DOMAINS);

/** Every kind of run: the queue takes these and no others. */
export const RUN_KINDS = runsOf(domains);

/** Every resolver class of the product: the schema is printed from it. */
export const RESOLVER_CLASSES = [
  ...domains.flatMap(({ classes }) => classes),
  ...RUN_KINDS.map(({ Progress }) => Progress),
];
