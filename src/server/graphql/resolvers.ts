import { accessDomain } from '../../operate/access/index.js';
import { askDomain } from '../../answer/ask/index.js';
import { dataDomain } from '../../sources/data/index.js';
import { defineDomain, runsOf, type AnyDomain } from '../../kit/domain/index.js';
import { deliveryDomain } from '../../ship/delivery/index.js';
import { erasureDomain } from '../../kit/erasure/index.js';
import { evaluationDomain } from '../../prove/index.js';
import { fleetDomain } from '../../ship/fleet/index.js';
import { feedbackDomain } from '../../learn/feedback/index.js';
import { improvementDomain } from '../../ship/improvement/index.js';
import { knowledgeDomain } from '../../sources/knowledge/index.js';
import { monitoringDomain } from '../../operate/monitoring/index.js';
import { registryDomain } from '../../sources/registry/index.js';
import { syncDomain } from '../../sources/sync/index.js';
import { trainingDomain } from '../../learn/training/index.js';
import { tuningDomain } from '../../ship/tuning/index.js';
import { openAiDomain } from '../openai/index.js';
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
  sync: syncDomain,
  data: dataDomain,
  ask: askDomain,
  training: trainingDomain,
  feedback: feedbackDomain,
  evaluation: evaluationDomain,
  delivery: deliveryDomain,
  fleet: fleetDomain,
  monitoring: monitoringDomain,
  improvement: improvementDomain,
  tuning: tuningDomain,
  openAi: openAiDomain,
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
