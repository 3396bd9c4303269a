import { resolve } from 'node:path';
import { backUp, embedAnew, restore, type BackupManifest } from './backup/index.js';
import { isGraftError, messageWithHint } from '../kernel/errors.js';
import { aloneAtHome, besideGateway, type Installation } from './installation.js';
import { StepLines } from './step-lines.js';

/** `graft backup`: of the installation that the environment names. @returns what is in the backup */
export function backupTo(folder: string, { vectors }: { vectors: boolean }): Promise<BackupManifest> {
  return withInstallation(besideGateway, (installation, { told, signal }) =>
    backUp(resolve(folder), {
      databaseUrl: installation.databaseUrl,
      artifacts: installation.artifacts,
      vectors: vectors ? installation.vectors : null,
      home: installation.config.GRAFT_HOME,
      told,
      signal,
    }),
  );
}

interface RestoreReport {
  manifest: BackupManifest;
  migrated: string[];
  /** Runs that embed what the backup didn't bring. */
  embeddings: number;
  /** Keys that were ended since the backup and stay so: `--replace` knows them from what it replaced. */
  keysKeptEnded: number;
  /** What kept vectors from coming back; null otherwise. */
  vectorsFailed: string | null;
}

/** `graft restore`: into the installation that the environment names, which no gateway uses meanwhile. */
export function restoreFrom(folder: string, { replace }: { replace: boolean }): Promise<RestoreReport> {
  return withInstallation(aloneAtHome, async (installation, { told, signal }) => {
    const { databaseUrl, artifacts, vectors } = installation;
    const result = await restore(resolve(folder), { databaseUrl, artifacts, vectors, replace, told, signal });
    const embeddings = await embedAnew(databaseUrl, result.toEmbed);
    const { manifest, migrated, keysKeptEnded, vectorsFailed: cause } = result;
    const vectorsFailed =
      cause === null ? null : isGraftError(cause) ? messageWithHint(cause) : (cause as Error).message;
    return { manifest, migrated, embeddings, keysKeptEnded, vectorsFailed };
  });
}

/** Ctrl-C lets the work clean up behind itself. */
async function withInstallation<T>(
  open: () => Promise<Installation>,
  work: (installation: Installation, watch: { told: StepLines['show']; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const steps = new StepLines();
  try {
    const installation = await open();
    try {
      return await work(installation, { told: steps.show, signal: interruption.signal });
    } finally {
      steps.finish();
      await installation.stop();
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
