import type { Platform } from './platform.js';
import type { Teardown } from './teardown.js';

/** How often artifacts that no row names are collected. */
const COLLECT_MS = 60 * 60 * 1000;

/** Begins what keeps a home in order: model files are verified once, artifacts that no row names are collected. */
export function startUpkeep({ modelsOnDisk, files, log }: Platform, teardown: Teardown): void {
  const verifying = new AbortController();
  teardown.add(() => verifying.abort());
  modelsOnDisk.verifyAll(verifying.signal).catch((error: unknown) => log.error({ err: error }, 'models not verified'));

  const collector = setInterval(() => {
    void files.collectOrphans().catch((err: unknown) => log.debug({ err }, 'collecting artifacts was put off'));
  }, COLLECT_MS).unref();
  teardown.add(() => clearInterval(collector));
}
