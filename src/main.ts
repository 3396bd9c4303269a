/**
 * Composition root: the order in which an installation comes up. `startGraft` opens the platform, then each domain over those
 * below it, and serves; what it returns stops all of it. Run as a program it does so for the environment's configuration.
 */
import { pathToFileURL } from 'node:url';
import { openAccess } from './access/index.js';
import { openAsking } from './ask/index.js';
import { loadConfig, type Config } from './config.js';
import { openData } from './data/index.js';
import { offer, type Offer } from './domain-kit/index.js';
import { openDelivery } from './delivery/index.js';
import { openErasure } from './erasure/index.js';
import { openEvaluation } from './evaluation/index.js';
import { checkAddress } from './graphql/listening.js';
import { gatewayDomain, RUN_KINDS, type DOMAINS } from './graphql/resolvers.js';
import { NodeRegistry } from './graphql-kit/index.js';
import { isGraftError } from './kernel/errors.js';
import { openFeedback } from './feedback/index.js';
import { addOpenAi, openAiParts } from './openai/index.js';
import { openKnowledge } from './knowledge/index.js';
import { openMonitoring } from './monitoring/index.js';
import { openPlatform, type Platform } from './platform/platform.js';
import { Teardown } from './platform/teardown.js';
import { createLogger, type Logger } from './platform/telemetry/index.js';
import { startUpkeep } from './platform/upkeep.js';
import { openRegistry } from './registry/index.js';
import { prepareDefaults, serve, systemSources } from './serving.js';
import { sayAddresses } from './terminal.js';
import { openTraining } from './training/index.js';

export interface Graft {
  /** `http://127.0.0.1:4000`, with the port that was really taken. */
  readonly url: string;
  /** Drains, stops everything that was started, and lets go of the home. */
  stop(): Promise<void>;
}

/** @throws GraftError SETUP_FAILED, MODEL_UNAVAILABLE and others; whatever had started is stopped then */
export async function startGraft(config: Config, log: Logger): Promise<Graft> {
  const teardown = new Teardown();
  try {
    return await start(config, log, teardown);
  } catch (error) {
    await teardown.run(log);
    throw error;
  }
}

/** Every domain over those that it uses, floor by floor. */
async function openDomains(platform: Platform) {
  const registry = openRegistry(platform);
  const access = await openAccess(platform, (workspace) => registry.registry.ensureDefaults(workspace));
  const knowledge = openKnowledge(platform, registry);
  const data = await openData(platform, { registry, knowledge });
  const ask = openAsking(platform, { registry, knowledge, data });
  const training = openTraining(platform, { registry, data, ask });
  const feedback = openFeedback(platform, { knowledge, data, ask });
  const evaluation = openEvaluation(platform, { registry, knowledge, data, ask });
  const delivery = openDelivery(platform, { registry, ask, evaluation });
  const monitoring = openMonitoring(platform, { registry, data, ask });
  const erasure = openErasure(platform);
  const learning = { training, feedback, evaluation, delivery, monitoring };
  return { access, registry, knowledge, data, ask, ...learning, erasure } satisfies Opened;
}

type Opened = Record<Exclude<keyof typeof DOMAINS, 'gateway'>, { readonly offer: Offer }>;

/** What is added to `teardown` last comes first: nothing new is taken from the moment of the signal, then runs let go, then domains. */
async function start(config: Config, log: Logger, teardown: Teardown): Promise<Graft> {
  await checkAddress(config.GRAFT_HOST, config.GRAFT_PORT);
  const platform = await openPlatform(config, log, teardown, RUN_KINDS);
  const { runs } = platform;
  const domains = await openDomains(platform);
  const offers = Object.values(domains).map((domain) => domain.offer);
  for (const each of offers) teardown.add(() => each.stop());
  const calibration = await prepareDefaults(platform, domains.registry.registry);
  startUpkeep(platform, teardown);

  const nodes = new NodeRegistry();
  const system = systemSources(platform, calibration, domains.training.executors);
  const own = offer(gatewayDomain, runs, { nodes, runs, system });
  for (const each of offers) each.handleRuns();
  teardown.add(() => runs.stop());
  const resolvers = [own, ...offers].flatMap((each) => each.resolvers(nodes));
  const gateway = await serve(platform, domains.access.authenticator, resolvers, {
    addRoutes: (server, kit) => addOpenAi(server, openAiParts(platform, domains), kit),
    gauges: domains.monitoring.gauges,
  });
  teardown.add(() => gateway.close(config.GRAFT_DRAIN_SECONDS * 1000));
  runs.start();
  for (const each of offers) await each.start();
  log.info({ url: gateway.url }, 'ready');
  return { url: gateway.url, stop: () => teardown.run(log) };
}

/** Runs until SIGTERM or SIGINT; the second signal ends at once. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ level: config.LOG_LEVEL });
  const graft = await startGraft(config, log);
  sayAddresses(graft.url);
  stopOnSignal(graft);
}

/** Exit code 0 after a clean stop. */
export function stopOnSignal(graft: Graft): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void graft.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Prints an error as a person can use it; a stack only for what nobody foresaw. */
export function failToStart(error: unknown): never {
  const known = isGraftError(error);
  process.stderr.write(known ? `${error.code}: ${error.message}\n` : `${String((error as Error)?.stack ?? error)}\n`);
  if (known && error.hint) process.stderr.write(`${error.hint}\n`);
  process.exit(1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main().catch(failToStart);
