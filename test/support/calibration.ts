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

/** Figures stay between runs of jest; those of another machine, model, build or form have another name. */
async function fileOfFigures({ sha256 }: { sha256: string }): Promise<string> {
  const hash = createHash('sha256').update(`${cpus()[0]?.model} x${availableParallelism()} ${sha256}`);
  for (const file of ['package-lock.json', 'src/worker-protocol/serve-operations.ts'])
    hash.update(await readFile(join(packageRoot(), file)));
  const name = hash.digest('hex').slice(0, 16);
  return join(packageRoot(), 'test', '.tmp', `calibration-${name}.json`);
}

/**
 * Measures how the default model is best run, once a checkout; `temporaryHome` finds the figures by GRAFT_TEST_CALIBRATION. Else every
 * program that a test starts would measure again: beside other tests that takes ten seconds, and a home keeps only what a quiet
 * machine said.
 */
export async function calibrateOnce(): Promise<void> {
  try {
    process.env.GRAFT_TEST_CALIBRATION = await measuredFigures();
  } catch (error) {
    // What is missing or broken is for the tests of it to tell; those of other things go on.
    console.log(
      `The model could not be measured before the tests, so each program that they start does it, ten seconds each: ${String(error)}`,
    );
  }
}

async function measuredFigures(): Promise<string> {
  const model = await realModel();
  const file = await fileOfFigures(model);
  if (existsSync(file)) return file;
  const worker = await startWorker({ gpu: undefined });
  try {
    const measured = await worker.client.prepareModel({ workspaceId, model });
    const key = MeasurementStore.key(worker.client.status.hello!, 'llama', model.sha256);
    // Tests need figures; that these are the best is nothing to them.
    await new MeasurementStore(file, calibration).set(key, { ...measured, quiet: true });
    return file;
  } finally {
    await worker.dispose();
  }
}

/** Makes a home that has the figures, as one that was used before on this machine. */
export async function openCalibratedHome(home: string): Promise<void> {
  const file = process.env.GRAFT_TEST_CALIBRATION;
  if (file === undefined) return;
  await openHome(home);
  await copyFile(file, join(home, 'calibration.json'));
}
