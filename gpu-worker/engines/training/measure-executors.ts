import { availableParallelism } from 'node:os';
import { GraftError } from '../../../src/kernel/errors.js';
import { seededRandom } from '../../../src/kernel/random.js';
import type { MeasuredExecutors, MeasureExecutorsInput } from '../../../src/worker-protocol/index.js';
import { watchOthers } from '../../cores.js';
import { errorFields, log } from '../../log.js';
import type { Call } from '../../server.js';
import type { Executor } from './executors/executor.js';
import { installedExecutors } from './executors/open-executor.js';
import { withExecutor } from './executors/with-executor.js';
import { adapterLayout, initialAdapter } from './model/adapter-layout.js';
import { GgufWeights } from './model/gguf-weights.js';
import { trainingGraph } from './model/programs.js';
import { requireDigest } from './model/require-digest.js';
import type { Example } from './trainer/job.js';
import { StepProgram } from './trainer/step.js';

/** A batch of a usual shape: as many tokens as a micro-batch takes, in messages of a usual length. */
const ROWS = 4;
const TOKENS = 64;
const ANSWER_TOKENS = 4;
/** Steps that are timed, after one that reads weights and fills caches; the fastest counts, as it was disturbed least. */
const STEPS = 3;
const LORA = {
  rank: 16,
  alpha: 32,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
} as const;
/** Other programs' share of the processors above which the figures are not worth keeping. */
const QUIET = 0.15;

/**
 * Times a training step of the model on each executor that is installed here. One that fails is left out, and the log says why.
 * @throws MODEL_DIGEST_MISMATCH, MODEL_UNSUPPORTED, MODEL_UNAVAILABLE when none works, the signal's reason
 */
export async function measureExecutors(
  { model, folder, threads = availableParallelism() }: MeasureExecutorsInput,
  { signal, turn }: Pick<Call, 'signal' | 'turn'>,
): Promise<MeasuredExecutors> {
  await requireDigest(model);
  const weights = new GgufWeights(model.path, TOKENS);
  const otherLoad = watchOthers();
  const measurements: MeasuredExecutors['measured'] = [];
  for (const executor of installedExecutors()) {
    try {
      const timed = await withExecutor(executor, weights, { folder, threads }, async (opened) => ({
        milliseconds: await fastestStep(opened, weights, turn),
        device: opened.identity['device'] === 'gpu' ? ('gpu' as const) : ('cpu' as const),
      }));
      const tokensPerSecond = (1_000 * ROWS * TOKENS) / timed.milliseconds;
      measurements.push({ executor, device: timed.device, tokensPerSecond });
    } catch (error) {
      signal.throwIfAborted();
      log('warn', `the executor ${executor} does not train this model`, errorFields(error));
    }
  }
  if (measurements.length === 0) throw new GraftError('MODEL_UNAVAILABLE', 'No executor can train this model here.');
  return { measured: measurements, quiet: otherLoad() < QUIET };
}

async function fastestStep(
  executor: Executor,
  { config }: Pick<GgufWeights, 'config'>,
  turn: () => Promise<void>,
): Promise<number> {
  const random = seededRandom(1);
  const lora = { ...LORA, targets: [...LORA.targets] };
  const program = new StepProgram(await executor.compile(trainingGraph(config, lora, TOKENS)), config, lora);
  const adapter = initialAdapter(config, lora, random);
  const gradient = new Float32Array(adapterLayout(config, lora).length);
  const examples: Example[] = Array.from({ length: ROWS }, () => ({
    ids: Int32Array.from({ length: TOKENS + 1 }, () => Math.floor(random() * config.vocabulary)),
    answerFrom: TOKENS + 1 - ANSWER_TOKENS,
  }));
  let fastest = Infinity;
  for (let step = 0; step <= STEPS; step += 1) {
    await turn();
    const began = performance.now();
    await program.learn({ members: examples, shared: 0 }, 1, adapter, gradient);
    if (step > 0) fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest;
}
