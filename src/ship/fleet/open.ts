import { join } from 'node:path';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import { GraftError } from '../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../kernel/ids.js';
import { inWorkspace } from '../../platform/database/index.js';
import type { Platform } from '../../platform/platform.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { Registry } from '../../sources/registry/index.js';
import { AdapterShelf } from './adapters/adapter-shelf.js';
import { PeftFolders } from './adapters/peft-folders.js';
import { EngineHttp } from './engine-http.js';
import { Fleet } from './fleet.js';
import { EngineResolver } from './fleet-graphql.js';
import { FleetKeeper } from './fleet-keeper.js';
import { withFleet } from './fleet-worker.js';
import { WorkerReferences } from './proof/reference.js';
import { resolveEngines } from './replicas/addresses.js';
import { Replica } from './replicas/replica.js';

export const fleetDomain = defineDomain({ classes: [EngineResolver], runs: [] });

/** Engines elsewhere. */
interface OpenFleet {
  readonly fleet: Fleet;
  /** What whoever asks takes for the worker: engines first, where there are some. */
  readonly worker: WorkerClient;
  readonly keeper: FleetKeeper;
  readonly offer: Offer;
}

/** What of the fleet can be set where it isn't as in production. */
interface FleetSettings {
  quietMs?: number;
  checkEvery?: number;
  everyMs?: number;
  idleMs?: number;
}

export function openFleet(
  platform: Platform,
  { registry, adapters }: Registry,
  settings: FleetSettings = {},
): OpenFleet {
  const { config, worker, clock, files, runs, log } = platform;
  const folders = new PeftFolders(config.GRAFT_ENGINES_ADAPTERS ?? join(config.GRAFT_HOME, 'engine-adapters'));
  const shelf = new AdapterShelf({ adapters, files, folders });
  const references = new WorkerReferences({ worker, registry });
  // Engines serve the installation's model, whichever workspace asks.
  const baseSha256 = async () =>
    (await inWorkspace(DEFAULT_WORKSPACE_ID, () => registry.defaultVariant(DEFAULT_WORKSPACE_ID))).sha256;
  const fleet = new Fleet({ shelf, tokenizer: worker, baseSha256, ...settings });
  const key = config.GRAFT_ENGINES_API_KEY ?? null;
  const keeper = new FleetKeeper({
    fleet,
    shelf,
    baseSha256,
    clock,
    log,
    ...settings,
    addresses: () => resolveEngines(config.GRAFT_ENGINES),
    replicaAt: (url) => new Replica({ http: new EngineHttp(url, key), references, clock, log }),
  });
  const used = config.GRAFT_ENGINES.length > 0;
  if (used)
    adapters.servedBy(async (target) => {
      const { workspaceId, variantId } = target.version;
      const variant = await registry.variant(workspaceId as WorkspaceId, variantId);
      if (variant.sha256 !== (await baseSha256())) return;
      const { adapter, refusal } = await shelf.ofVersion(target);
      if (adapter) return fleet.require(adapter);
      throw new GraftError(
        'CONFLICT',
        `The engines can’t serve ${target.adapter.name}@${target.version.version}: ${refusal}.`,
        {
          field: 'input.version',
          hint: 'Train it on the linear layers only, or take the engines away (GRAFT_ENGINES).',
        },
      );
    });
  return {
    fleet,
    keeper,
    worker: used ? withFleet(worker, fleet) : worker,
    offer: offer(
      fleetDomain,
      runs,
      { fleet },
      {
        start: () => (used ? keeper.start() : undefined),
        stop: () => keeper.stop(),
      },
    ),
  };
}
