/**
 * Composition root: the order in which an installation comes up. `startGraft` opens the platform, then the domains, and
 * serves; what it returns stops all of it. `main` does so for the environment's configuration; src/start.ts runs it.
 */
import { loadConfig, type Config } from '../platform/config.js';
import { offer } from '../kit/domain/index.js';
import { openDomains } from './domains.js';
import { addAuditAddress } from './graphql/audit-address.js';
import { checkAddress } from './graphql/listening.js';
import { gatewayDomain, RUN_KINDS } from './graphql/resolvers.js';
import { NodeRegistry } from '../kit/graphql/index.js';
import { isGraftError } from '../kernel/errors.js';
import { addMcp } from './mcp/index.js';
import { addOpenAi } from './openai/index.js';
import { openPlatform } from '../platform/platform.js';
import { asSystem, inScope, warnWithoutWall } from '../platform/database/index.js';
import { Teardown } from '../platform/teardown.js';
import { createLogger, type Logger } from '../platform/telemetry/index.js';
import { Housekeeper } from '../platform/chores.js';
import { platformChores, verifyModels } from '../platform/upkeep.js';
import { prepareDefaults, serve, systemSources } from './serving.js';
import { say, sayAddresses } from '../platform/terminal.js';

interface Graft {
  /** `http://127.0.0.1:4000`, with the port that was really taken. */
  readonly url: string;
  /** The first key, where this start made it; it can't be found out again. */
  readonly firstKey: string | null;
  /** Drains, stops everything that was started, and lets go of the home. */
  stop(): Promise<void>;
}

/**
 * What starts here, and goes on by itself from then on, works on the rows of all workspaces: each request and each run works on its own's.
 * @throws GraftError SETUP_FAILED, MODEL_UNAVAILABLE and others; whatever had started is stopped then
 */
export const startGraft = (config: Config, log: Logger): Promise<Graft> =>
  asSystem(async () => {
    const teardown = new Teardown();
    try {
      return await start(config, log, teardown);
    } catch (error) {
      await teardown.run(log);
      throw error;
    }
  });

/** What is added to `teardown` last comes first: nothing new is taken from the moment of the signal, then runs let go, then domains. */
async function start(config: Config, log: Logger, teardown: Teardown): Promise<Graft> {
  await checkAddress(config.GRAFT_HOST, config.GRAFT_PORT);
  const { platform, domains, offers, calibration } = await openInstallation(config, log, teardown);
  const { runs } = platform;

  const nodes = new NodeRegistry();
  domains.access.hooks.lookBy(nodes);
  const system = systemSources(platform, calibration, domains.training.executors);
  const gatewayOffer = offer(gatewayDomain, runs, { nodes, runs, system });
  for (const domainOffer of offers) domainOffer.handleRuns();
  teardown.add(() => runs.stop());
  const chores = [...platformChores(platform), ...offers.flatMap((domainOffer) => domainOffer.chores)];
  const housekeeper = new Housekeeper({ chores, log: log.child({ part: 'chores' }) });
  teardown.add(() => housekeeper.stop());
  const resolvers = [gatewayOffer, ...offers].flatMap((domainOffer) => domainOffer.resolvers(nodes));
  const serving = () =>
    serve(platform, domains.access, resolvers, {
      addRoutes: (server, kit) => {
        addOpenAi(server, domains.openAi.parts, kit);
        addAuditAddress(server, domains.access.auditLines, kit);
        addMcp(server, system.version, kit);
      },
      gauges: [...domains.access.gauges, ...domains.monitoring.gauges],
    });
  // What comes in is nobody's before it is known who sends it.
  const gateway = await inScope('nobody', serving);
  teardown.add(() => gateway.close(config.GRAFT_DRAIN_SECONDS * 1000));
  runs.start();
  for (const domainOffer of offers) await domainOffer.start();
  housekeeper.start();
  log.info({ url: gateway.url }, 'ready');
  const firstKey = await domains.access.makeFirstKey();
  return { url: gateway.url, firstKey, stop: () => asSystem(() => teardown.run(log)) };
}

/** All that answers and does runs, opened and not started yet, but for the workers with the default models. */
export async function openInstallation(config: Config, log: Logger, teardown: Teardown) {
  const platform = await openPlatform(config, log, teardown, RUN_KINDS);
  await warnWithoutWall(platform.database, log);
  const domains = await openDomains(platform);
  const offers = Object.values(domains).map((domain) => domain.offer);
  for (const domainOffer of offers) teardown.add(() => domainOffer.stop());
  const calibration = await prepareDefaults(platform, domains.registry);
  domains.access.admission.calibrated(calibration);
  verifyModels(platform, teardown);
  return { platform, domains, offers, calibration };
}

/** Runs until SIGTERM or SIGINT; the second signal ends at once. */
export async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ level: config.LOG_LEVEL });
  const graft = await startGraft(config, log);
  if (graft.firstKey !== null) say(`Key         ${graft.firstKey}  (role ADMIN, shown this once: keep it)`);
  sayAddresses(graft.url);
  stopOnSignal(graft);
}

/** Exit code 0 after a clean stop. */
export function stopOnSignal(graft: Pick<Graft, 'stop'>): void {
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
  const isKnown = isGraftError(error);
  process.stderr.write(isKnown ? `${error.code}: ${error.message}\n` : `${String((error as Error)?.stack ?? error)}\n`);
  if (isKnown && error.hint) process.stderr.write(`${error.hint}\n`);
  process.exit(1);
}
