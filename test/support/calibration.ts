import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { openHome } from '../../src/platform/processes/home.js';
import { MeasurementStore } from '../../src/platform/worker/index.js';
import { calibration } from '../../src/worker-protocol/index.js';
import { realModel, startWorker, workspaceId } from './worker.js';

/** Figures stay between runs of jest; another machine's, or another build's, have another name. */
async function fileOfMachine(): Promise<string> {
  const lock = await readFile(join(packageRoot(), 'package-lock.json'));
  const machine = `${cpus()[0]?.model} x${availableParallelism()}`;
  const name = createHash('sha256').update(machine).update(lock).digest('hex').slice(0, 16);
  return join(packageRoot(), 'test', '.tmp', `calibration-${name}.json`);
}

/**
 * Measures how the default model is best run, once a checkout; `temporaryHome` finds the figures by GRAFT_TEST_CALIBRATION. Else every
 * program that a test starts would measure again: beside other tests that takes ten seconds, and a home keeps only what a quiet
 * machine said.
 */
export async function calibrateOnce(): Promise<void> {
  const file = await fileOfMachine();
  if (!existsSync(file)) {
    const model = await realModel().catch(() => null);
    // Each program says itself what is missing.
    if (model === null) return;
    const worker = await startWorker({ gpu: undefined });
    try {
      const measured = await worker.client.prepareModel({ workspaceId, model });
      const key = MeasurementStore.key(worker.client.status.hello!, 'llama', model.sha256);
      // Tests need figures; that these are the best is nothing to them.
      await new MeasurementStore(file, calibration).set(key, { ...measured, quiet: true });
    } finally {
      await worker.dispose();
    }
  }
  process.env.GRAFT_TEST_CALIBRATION = file;
}

/** Makes a home that has the figures, as one that was used before on this machine. */
export async function openCalibratedHome(home: string): Promise<void> {
  const file = process.env.GRAFT_TEST_CALIBRATION;
  if (file === undefined) return;
  await openHome(home);
  await copyFile(file, join(home, 'calibration.json'));
}
