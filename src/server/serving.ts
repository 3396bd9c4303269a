/** What the whole installation answers with: its models, its server and what it says of itself. */
import { join } from 'node:path';
import { loadOperationList } from './graphql/operation-list.js';
import { buildGraphSchema } from './graphql/schema.js';
import { startGateway, type Gateway, type GatewayOptions } from './graphql/server.js';
import type { Access } from '../operate/access/index.js';
import type { SystemSources } from './graphql/system-graphql.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../kernel/ids.js';
import { readinessOfParts, installationMetrics } from './parts.js';
import { mapDatabaseError } from '../platform/database/index.js';
import { packageRoot, packageVersion } from '../platform/package-root.js';
import type { Platform } from '../platform/platform.js';
import type { GaugeSource } from '../platform/telemetry/index.js';
import { AUTO, type Registry } from '../sources/registry/index.js';
import { DownloadBars } from '../platform/terminal.js';
import type { ExecutorChoice } from '../learn/training/index.js';
import type { ThreadCalibration } from '../worker-protocol/index.js';

/** Starts the workers; the default models are on this machine, loaded and measured before anybody is answered. */
export async function prepareDefaults(
  { config, log, worker, trainWorker }: Platform,
  { registry, recommender }: Pick<Registry, 'registry' | 'recommender'>,
): Promise<ThreadCalibration> {
  log.info('starting the workers');
  await worker.start();
  await trainWorker.start();
  const bars = new DownloadBars(log);
  log.info({ folder: config.GRAFT_MODELS }, 'verifying the model files, and fetching those that are missing');
  const ensure = async () => {
    if (config.GRAFT_MODEL === AUTO) await recommender.settle(workspaceId, bars.show);
    return registry.ensureDefaults(workspaceId, bars.show);
  };
  const model = await ensure().finally(() => bars.finish());
  const [measurement] = await worker.measured([model.sha256]);
  log.info('loading the model; at first start its speed is measured, which takes some seconds');
  const calibration = await worker.prepareModel({ workspaceId, model });
  if (measurement === null) await recommender.tell(workspaceId);
  return calibration;
}

/** What `system` tells. */
export const systemSources = (
  platform: Platform,
  { threads }: ThreadCalibration,
  executors: ExecutorChoice,
): SystemSources => ({
  version: packageVersion(),
  home: platform.config.GRAFT_HOME,
  parts: () => readinessOfParts(platform),
  worker: platform.worker,
  threads: () => threads,
  executors: () => executors.chosen(),
  queues: (workspace) => platform.runs.unfinished(workspace),
});

/** Answers at the configured address, with these resolvers; `/metrics` shows these gauges, too. */
export function serve(
  platform: Platform,
  { authenticator: callers, hooks, consoleSignIn }: Pick<Access, 'authenticator' | 'hooks' | 'consoleSignIn'>,
  resolvers: readonly object[],
  { addRoutes, gauges }: Pick<GatewayOptions, 'addRoutes'> & { gauges: readonly GaugeSource[] },
): Promise<Gateway> {
  const { config, log, files, runs, worker } = platform;
  const parts = () => readinessOfParts(platform);
  const metrics = installationMetrics({ parts, worker, queues: () => runs.unfinished(null) });
  for (const gauge of gauges) metrics.addGauge(gauge);
  const schema = buildGraphSchema(resolvers, hooks);
  return startGateway({
    schema,
    operations: loadOperationList(config, schema, log.child({ part: 'operations' })),
    host: config.GRAFT_HOST,
    port: config.GRAFT_PORT,
    origins: { allowedHosts: config.GRAFT_ALLOWED_HOSTS, allowedOrigins: config.GRAFT_ALLOWED_ORIGINS },
    trustedProxies: config.GRAFT_TRUSTED_PROXIES,
    callers,
    noted: (call, work) => hooks.noted(call, work),
    log: log.child({ part: 'gateway' }),
    readiness: parts,
    metrics,
    files,
    downloads: files,
    maxUploadBytes: config.GRAFT_MAX_UPLOAD_BYTES,
    mapError: mapDatabaseError,
    addRoutes,
    playgroundFolder: join(packageRoot(), 'dist', 'playground'),
    consoleSignIn,
    consoleFolder: join(packageRoot(), 'dist', 'console'),
  });
}
