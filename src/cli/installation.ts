import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type Config } from '../platform/config.js';
import { GraftError } from '../kernel/errors.js';
import { artifactStoreAlone, sharedStoreOf, type ArtifactStore } from '../platform/artifacts/index.js';
import { installationId } from '../platform/database/index.js';
import {
  HomeInUse,
  runningChroma,
  runningPostgres,
  startServices,
  type Services,
} from '../platform/processes/index.js';
import { createLogger } from '../platform/telemetry/index.js';
import { ChromaVectorStore, type VectorStore } from '../platform/vectors/index.js';

/** What a command works on that goes past the gateway. */
export interface Installation {
  config: Config;
  databaseUrl: string;
  artifacts: ArtifactStore;
  vectors: VectorStore;
  /** Ends what was started for the command. */
  stop(): Promise<void>;
}

const log = createLogger({ level: 'error' });

/**
 * The installation of the environment, beside the gateway that may run on it: then its servers are used, else they are started.
 * @throws SETUP_FAILED where there is none
 */
export async function besideGateway(): Promise<Installation> {
  const config = loadConfig();
  const { GRAFT_HOME: home, DATABASE_URL, CHROMA_URL } = config;
  checkThere(config);
  try {
    return await alone(config);
  } catch (error) {
    if (!(error instanceof HomeInUse)) throw error;
    // A gateway holds the home: what it started is there to be used, but not from another container.
    const running = <T>(locate: (home: string) => T): T | null => (error.elsewhere ? null : locate(home));
    const postgres = DATABASE_URL ?? running(runningPostgres);
    const chroma = CHROMA_URL ? { url: CHROMA_URL, own: false } : running(runningChroma);
    if (!postgres || !chroma)
      throw new GraftError('SETUP_FAILED', `The gateway on ${home} uses servers of its own that are not known here.`, {
        hint: 'Set DATABASE_URL and CHROMA_URL as they are set for the gateway.',
        cause: error,
      });
    return { ...(await opened(config, postgres, chroma)), stop: () => Promise.resolve() };
  }
}

/** The same, taken for the command alone. @throws SETUP_FAILED while a gateway holds the home */
export const aloneAtHome = (): Promise<Installation> => alone(loadConfig());

/**
 * The database alone: its server is used where a gateway runs on the home, else it is started, on a first start, too.
 * @param there whether it must have been started before
 * @throws SETUP_FAILED where it must and wasn't
 */
export async function databaseHere({ there }: { there: boolean }): Promise<{
  url: string;
  /** Where it is, for people. */
  where: string;
  stop(): Promise<void>;
}> {
  const config = loadConfig();
  if (there) checkThere(config);
  const { GRAFT_HOME: home, DATABASE_URL } = config;
  if (DATABASE_URL) return { url: DATABASE_URL, where: 'the database of DATABASE_URL', stop: () => Promise.resolve() };
  try {
    // No vector is touched, so that no Chroma is needed: one that is given is not started.
    const services = await startServices({ home, chromaUrl: 'http://127.0.0.1', log });
    return { url: services.databaseUrl, where: home, stop: () => services.stop() };
  } catch (error) {
    const url = runningPostgres(home);
    if (url === null) throw error;
    return { url, where: home, stop: () => Promise.resolve() };
  }
}

function checkThere({ GRAFT_HOME: home, DATABASE_URL }: Config): void {
  if (DATABASE_URL || existsSync(join(home, 'postgres.json'))) return;
  throw new GraftError('SETUP_FAILED', `There is no Graft in ${home}.`, {
    hint: 'Set GRAFT_HOME to the folder of the installation, or DATABASE_URL to its database.',
  });
}

async function alone(config: Config): Promise<Installation> {
  const { GRAFT_HOME: home, DATABASE_URL: databaseUrl, CHROMA_URL: chromaUrl } = config;
  const services = await startServices({
    home,
    log,
    ...(databaseUrl && { databaseUrl }),
    ...(chromaUrl && { chromaUrl }),
  });
  try {
    return { ...(await opened(config, services.databaseUrl, services.chroma)), stop: () => services.stop() };
  } catch (error) {
    await services.stop();
    throw error;
  }
}

async function opened(config: Config, databaseUrl: string, chroma: Services['chroma']) {
  const installation = await installationId(databaseUrl);
  return {
    config,
    databaseUrl,
    artifacts: await artifactStoreAlone({ home: config.GRAFT_HOME, installation, shared: sharedStoreOf(config) }),
    vectors: new ChromaVectorStore({ ...chroma, installation: chroma.own ? null : installation }),
  };
}
