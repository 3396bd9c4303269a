import { HOUR_MS } from '../kernel/duration.js';
import type { Chore } from './chores.js';
import type { Platform } from './platform.js';
import type { Teardown } from './teardown.js';

/** Verifies once that model files are what they were when they were fetched. */
export function verifyModels({ modelsOnDisk, log }: Platform, teardown: Teardown): void {
  const verifying = new AbortController();
  teardown.add(() => verifying.abort());
  modelsOnDisk.verifyAll(verifying.signal).catch((error: unknown) => log.error({ err: error }, 'models not verified'));
}

export const platformChores = ({ files }: Platform): Chore[] => [
  { name: 'artifacts without a row', everyMs: HOUR_MS, work: () => files.collectOrphans() },
];
