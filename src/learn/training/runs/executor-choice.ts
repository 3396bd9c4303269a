import { record, string, float, boolean } from '../../../kernel/record.js';
import { join } from 'node:path';
import { z } from 'zod';
import { MeasurementStore, type TrainWorker } from '../../../platform/worker/index.js';
import { EXECUTORS, executorName, type ExecutorName, type ModelFile } from '../../../worker-protocol/index.js';

const executorSpeed = record('ExecutorSpeed', 'How fast an engine trains a model here.', {
  executor: executorName.describe('`onnx` (ONNX Runtime) or `tensorflow` (native TensorFlow.js).'),
  device: string('What it computes on here: `cpu` or `gpu`.'),
  tokensPerSecond: float('Tokens/s, forward and backward.'),
});

export const chosenExecutor = record(
  'TrainingExecutor',
  'Which engine trains a model on this machine: the fastest of those installed, measured before the first training.',
  {
    executor: executorName.describe('The engine that trains: `onnx` or `tensorflow`.'),
    modelSha256: string('SHA-256 of the model’s file.'),
    measured: z.array(executorSpeed).describe('What was measured of each.'),
    quiet: boolean('Whether other programs left the processors alone meanwhile.'),
  },
);
export type ChosenExecutor = z.infer<typeof chosenExecutor>;

interface ExecutorChoiceParts {
  worker: Pick<TrainWorker, 'hello' | 'call'>;
  /** GRAFT_HOME: executors.json is kept there. */
  home: string;
}

/**
 * Chooses what computes a training: the fastest of the executors that are installed. None wins on every machine, so where there are
 * several each takes a few steps of the model before its first training; the choice holds for the processor with its flags, its builds
 * and the model.
 */
export class ExecutorChoice {
  private readonly store: MeasurementStore<ChosenExecutor>;

  constructor(private readonly parts: ExecutorChoiceParts) {
    this.store = new MeasurementStore(join(parts.home, 'executors.json'), chosenExecutor);
  }

  /** @throws MODEL_UNAVAILABLE when none works, and what the worker throws */
  async choose(workspaceId: string, model: ModelFile, signal: AbortSignal): Promise<ExecutorName> {
    const { worker, home } = this.parts;
    const hello = await worker.hello({ signal });
    const installed = EXECUTORS.filter((name) => (hello.provider.training ?? 'onnx').split(' ').includes(name));
    if (installed.length < 2) return installed[0] ?? 'onnx';
    const key = `${MeasurementStore.key(hello, 'onnxruntime', model.sha256)}; ${installed.join(' ')}`;
    const measurement = await this.store.get(key);
    if (measurement !== null) return measurement.executor;
    const request = { model, folder: join(home, 'training') };
    const options = { signal, priority: 'bulk', deadlineMs: null } as const;
    const { measured, quiet } = await worker.call('measureExecutors', workspaceId, request, options);
    const { executor } = measured.reduce((best, candidate) =>
      candidate.tokensPerSecond > best.tokensPerSecond ? candidate : best,
    );
    await this.store.set(key, { executor, modelSha256: model.sha256, measured, quiet });
    return executor;
  }

  /** What was chosen on this home’s machines. */
  async chosen(): Promise<ChosenExecutor[]> {
    return Object.values(await this.store.all());
  }
}
