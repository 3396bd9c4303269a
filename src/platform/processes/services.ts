import type { Logger } from '../telemetry/index.js';
import { planChroma, startChroma } from './chroma.js';
import { lockHome } from './home-lock.js';
import { openHome } from './home.js';
import { Keeper } from './keeper-client.js';
import { planPostgres, startPostgres } from './postgres.js';
import type { ServiceHealth, SupervisedProcess } from './supervised-process.js';

interface ServicesOptions {
  /** Folder of the installation; created if need be. */
  home: string;
  /** A PostgreSQL of your own in place of the embedded one. */
  databaseUrl?: string;
  /** A Chroma of your own in place of the embedded one. */
  chromaUrl?: string;
  log: Logger;
}

export interface ServicesHealth {
  postgres: ServiceHealth;
  chroma: ServiceHealth;
}

/** The servers that Graft runs on, started by it or given. */
export interface Services {
  readonly databaseUrl: string;
  /** Without a tenant: the one that every server has. */
  /** Others may use a Chroma that isn’t `own`. */
  readonly chroma: { url: string; tenant?: string | undefined; own: boolean };
  /** What the supervision knows, without asking the servers; an external server's state is always `external`. */
  health(): ServicesHealth;
  /** Ends what was started, in order, and lets go of the home. */
  stop(): Promise<void>;
}

/** @throws what it was rejected with */
function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

const EXTERNAL: ServiceHealth = { state: 'external', pid: null, restarts: 0 };

/**
 * Takes the home and starts what it needs: everything that can be checked is checked before anything starts, and if one part
 * fails, the rest is ended. What runs ends with this process, even when it is killed.
 *
 * @throws GraftError SETUP_FAILED: the home is in use (naming the process) or unusable, or a server can't run here (with ways out).
 */
export async function startServices({ home, databaseUrl, chromaUrl, log }: ServicesOptions): Promise<Services> {
  await openHome(home);
  const running: SupervisedProcess[] = [];
  const lock = await lockHome(home, () => {
    // An orderly stop takes a while and writes to data on which the other's servers work.
    for (const service of running) service.kill();
    log.error({ home }, 'another Graft has taken this home, since this one stood still for long: it ends');
    process.kill(process.pid, 'SIGTERM');
  });
  const keeper = new Keeper(log);
  const stop = async () => {
    await Promise.all(running.map((service) => service.stop()));
    keeper.close();
    lock.release();
  };
  try {
    // Chroma first: looking for it leaves no trace, while PostgreSQL's plan may make a folder and a system user.
    const chromaPlan = chromaUrl === undefined ? await planChroma(home, log) : null;
    const postgresPlan = databaseUrl === undefined ? planPostgres(home, log) : null;
    const servers = [postgresPlan && 'PostgreSQL', chromaPlan && 'Chroma'].filter(Boolean);
    if (servers.length > 0) {
      log.info({ home }, `starting ${servers.join(' and ')}`);
      keeper.start();
    }
    const started = await Promise.allSettled([
      postgresPlan === null ? null : startPostgres(postgresPlan, keeper, log),
      chromaPlan === null ? null : startChroma(chromaPlan, keeper, log),
    ]);
    for (const result of started) if (result.status === 'fulfilled' && result.value) running.push(result.value.process);
    const [postgres, chroma] = [valueOf(started[0]), valueOf(started[1])];
    return {
      databaseUrl: postgres?.url ?? databaseUrl!,
      chroma: chroma ? { url: chroma.url, tenant: chroma.tenant, own: true } : { url: chromaUrl!, own: false },
      health: () => ({
        postgres: postgres?.process.health() ?? EXTERNAL,
        chroma: chroma?.process.health() ?? EXTERNAL,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
