/** The only file that knows every domain's services. */
import { openAccess } from '../operate/access/index.js';
import { openAsking } from '../answer/ask/index.js';
import { openData } from '../sources/data/index.js';
import { openDelivery } from '../ship/delivery/index.js';
import type { Offer } from '../kit/domain/index.js';
import { openErasure } from '../kit/erasure/index.js';
import { openEvaluation } from '../prove/index.js';
import { openFeedback } from '../learn/feedback/index.js';
import { openFleet } from '../ship/fleet/index.js';
import type { DOMAINS } from './graphql/resolvers.js';
import { openImprovement } from '../ship/improvement/index.js';
import { openKnowledge } from '../sources/knowledge/index.js';
import { openOpenAi } from './openai/index.js';
import { openMonitoring } from '../operate/monitoring/index.js';
import type { Platform } from '../platform/platform.js';
import { openRegistry } from '../sources/registry/index.js';
import { openSync } from '../sources/sync/index.js';
import { openTraining } from '../learn/training/index.js';
import { openTuning } from '../ship/tuning/index.js';

type Opened = Record<Exclude<keyof typeof DOMAINS, 'gateway'>, { readonly offer: Offer }>;

/** Every domain, over those that it uses. */
export async function openDomains(platform: Platform) {
  const registry = openRegistry(platform);
  const access = await openAccess(platform, (workspace) => registry.registry.ensureDefaults(workspace));
  const knowledge = openKnowledge(platform, registry);
  const sync = openSync(platform, { knowledge });
  const data = await openData(platform, { registry, knowledge });
  // Opened before who asks, whose worker it is; what it measures with needs nothing that is open.
  const fleet = openFleet(platform, registry);
  const ask = openAsking({ ...platform, worker: fleet.worker }, { registry, knowledge, data });
  const training = openTraining(platform, { registry, data, ask });
  const feedback = openFeedback(platform, { registry, knowledge, data, ask });
  const evaluation = openEvaluation(platform, { registry, knowledge, data, ask, feedback });
  const delivery = openDelivery(platform, { registry, ask, evaluation });
  const monitoring = openMonitoring(platform, { registry, sync, data, ask });
  const learning = { training, feedback, evaluation, delivery, monitoring };
  const improvement = openImprovement(platform, { registry, data, ...learning });
  const tuning = openTuning(platform, { registry, data, training, evaluation });
  const openAi = openOpenAi(platform, { access, registry, knowledge, ask, tuning });
  const erasure = openErasure(platform);
  return {
    access,
    registry,
    knowledge,
    sync,
    data,
    fleet,
    ask,
    ...learning,
    improvement,
    tuning,
    openAi,
    erasure,
  } satisfies Opened;
}

export type Domains = Awaited<ReturnType<typeof openDomains>>;
