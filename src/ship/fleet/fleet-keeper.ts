import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.js';
import type { Logger } from '../../platform/telemetry/index.js';
import type { AdapterShelf } from './adapters/adapter-shelf.js';
import type { Fleet } from './fleet.js';
import type { Replica } from './replicas/replica.js';
import { MINUTE_MS } from '../../kernel/duration.js';

interface FleetKeeperParts {
  fleet: Fleet;
  shelf: Pick<AdapterShelf, 'production' | 'sweep'>;
  /** The addresses that there are now. */
  addresses: () => Promise<string[]>;
  replicaAt: (url: string) => Replica;
  /** SHA-256 of the model's file whose weights the engines serve. */
  baseSha256: () => Promise<string>;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
  everyMs?: number;
  /** How long an adapter that production doesn't name stays loaded without being asked, in ms. */
  idleMs?: number;
}

const EVERY_MS = 5_000;
const IDLE_MS = 10 * 60_000;
/** An engine that hangs holds up no other: each is looked at by itself. */

/** Holds engines to what they should be: who is there, who serves the base, and that production's adapters are loaded on each. */
export class FleetKeeper {
  readonly #stopping = new AbortController();
  #swept = -Infinity;
  #kept: Promise<void> = Promise.resolve();
  readonly #looking = new Map<string, Promise<void>>();

  constructor(private readonly parts: FleetKeeperParts) {}

  start(): void {
    this.#kept = this.#keep();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.parts.fleet.stop();
    await this.#kept;
    await Promise.all(this.#looking.values());
  }

  /** One round: everything is as it should be once it ends, as far as engines let it. */
  async round(): Promise<void> {
    const { fleet, addresses, replicaAt } = this.parts;
    const replicasByUrl = new Map(fleet.replicas.map((replica) => [replica.url, replica]));
    const urls = await addresses();
    fleet.replicas = urls.map((url) => replicasByUrl.get(url) ?? replicaAt(url));
    await Promise.all(fleet.replicas.map((replica) => this.#look(replica)));
    await this.#adapters();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const round = this.round().catch((err: unknown) => {
        if (!signal.aborted) this.parts.log.warn({ err }, 'engines could not be looked at');
      });
      const stopped = sleep(MINUTE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      await Promise.race([round, stopped]);
      await sleep(this.parts.everyMs ?? EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #look(replica: Replica): Promise<void> {
    const underWay = this.#looking.get(replica.url);
    if (underWay) return underWay;
    const look = replica.look(this.#stopping.signal).finally(() => this.#looking.delete(replica.url));
    this.#looking.set(replica.url, look);
    return look;
  }

  async #adapters(): Promise<void> {
    const { fleet, shelf, baseSha256, clock, idleMs = IDLE_MS } = this.parts;
    const { signal } = this.#stopping;
    const now = clock.monotonic();
    const staleNames = now - this.#swept > MINUTE_MS ? await shelf.sweep() : [];
    if (now - this.#swept > MINUTE_MS) this.#swept = now;
    const production = await shelf.production(await baseSha256());
    const stays = new Set(production.map(({ name }) => name));
    for (const replica of fleet.replicas)
      for (const { adapter, lastUsed } of replica.residents)
        if (staleNames.includes(adapter.name) || (!stays.has(adapter.name) && now - lastUsed > idleMs))
          await replica.drop(adapter.name, signal);
    const holds = production.flatMap((adapter) =>
      fleet.replicas.filter((replica) => replica.wants(adapter)).map((replica) => replica.hold(adapter, signal)),
    );
    await Promise.allSettled(holds);
  }
}
