/** How the parts of an installation are, for `/readyz`, `system` and `/metrics`. */
import type { PartReadiness } from './graphql/health.js';
import { diskRoom } from '../platform/disk-room.js';
import type { Platform } from '../platform/platform.js';
import { databaseOutside, type ServiceHealth } from '../platform/processes/index.js';
import { Metrics } from '../platform/telemetry/index.js';
import type { WorkerClient } from '../platform/worker/index.js';

/** How long a part may take to say that it is there. */
const PART_TIMEOUT_MS = 2_000;

/** Asks each part, briefly: `/readyz` and `system` have to answer while one of them hangs. */
export async function readinessOfParts({
  config,
  database,
  vectors,
  worker,
  health,
}: Pick<Platform, 'config' | 'database' | 'vectors' | 'worker' | 'health'>): Promise<
  (PartReadiness & { embedded: boolean })[]
> {
  const probe = async (name: string, service: ServiceHealth, ask: () => Promise<unknown>) => {
    const timeout = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error('no answer')), PART_TIMEOUT_MS).unref();
    });
    const ready = await Promise.race([ask(), timeout]).then(
      () => true,
      () => false,
    );
    return {
      name,
      ready,
      detail: ready ? service.state : `no answer (${service.state})`,
      embedded: service.state !== 'external',
    };
  };
  const { postgres, chroma } = health();
  const home = config.GRAFT_HOME;
  const outside = databaseOutside(home);
  const storage = async () => ({
    name: 'storage',
    ...(await diskRoom([home], outside === null ? [] : [outside])),
    embedded: true,
  });
  const { state } = worker.status;
  return [
    ...(await Promise.all([
      probe('database', postgres, () => database.pool.query('SELECT 1')),
      probe('vectors', chroma, () => vectors.ping()),
      storage(),
    ])),
    { name: 'worker', ready: state === 'ready', detail: state, embedded: true },
  ];
}

interface MeasuredParts {
  parts: () => Promise<PartReadiness[]>;
  worker: WorkerClient;
  queues: () => Promise<{ kind: string; status: string; count: number }[]>;
}

/** What only the whole installation can tell, beside what the gateway measures of itself. */
export function installationMetrics({ parts, worker, queues }: MeasuredParts): Metrics {
  const metrics = new Metrics();
  metrics.addGauge({
    name: 'graft_part_ready',
    help: 'Whether a part answers (1) or not (0).',
    labels: ['part'],
    read: async () => (await parts()).map(({ name, ready }) => ({ labels: { part: name }, value: Number(ready) })),
  });
  metrics.addGauge({
    name: 'graft_runs_unfinished',
    help: 'Runs that wait or run, by kind and status.',
    labels: ['kind', 'status'],
    read: async () => (await queues()).map(({ count, ...labels }) => ({ labels, value: count })),
  });
  metrics.addGauge({
    name: 'graft_worker_calls',
    help: 'Calls that the worker runs (active) or keeps waiting (queued), from its last heartbeat.',
    labels: ['state'],
    read: () => {
      const { active = 0, queued = 0 } = worker.status.load ?? {};
      return Object.entries({ active, queued }).map(([state, value]) => ({ labels: { state }, value }));
    },
  });
  return metrics;
}
