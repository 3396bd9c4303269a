import { open, readFile, rename } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { GraftError } from '../../../../src/kernel/errors.js';
import { canonicalJson, digestOf, sha256 } from '../../../../src/kernel/hashing.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../../../src/kernel/safetensors.js';
import type { AdamMoments } from './adamw.js';
import type { TrainingJob } from './job.js';

/**
 * What must be the same for a resumed run to end with the same bits as one that never stopped. All else follows from it: the
 * order of the data, the replayed windows and the learning rate are functions of the recipe, its seed and the step.
 */
export type Contract = Readonly<Record<string, string | number>>;

/** Everything that a run carries from one step to the next. */
export interface RunState {
  /** Steps that are done. */
  step: number;
  adapter: Float32Array;
  moments: AdamMoments;
  /** Smoothed training loss, in nats; null before the first step. */
  smoothedLoss: number | null;
  /** Training loss of the first step, in nats, which tells a run that diverges; null before it. */
  firstLoss: number | null;
  best: { step: number; loss: number; adapter: Float32Array } | null;
  /** Looks at the validation examples since the best one. */
  looksWithoutImprovement: number;
  /** The last looks, the oldest first; empty where no average is wanted. */
  looks: readonly Look[];
}

/** What the weights were worth at a look at the validation examples, in nats a token. */
export interface Look {
  loss: number;
  adapter: Float32Array;
}

/**
 * The contract of a run on this machine: format, model, data and recipe by digest; executor with version, threads and session
 * options; Node, whose compiler does the optimizer’s arithmetic; the processor, for which libraries choose their kernels.
 */
export function contractOf(job: TrainingJob, executor: Contract): Contract {
  const { recipe, model } = job;
  const tokens = (sequences: readonly Int32Array[]): number[][] => sequences.map((ids) => [...ids]);
  return {
    format: 2,
    model: model.sha256,
    recipe: digestOf(recipe),
    ...(job.start && { start: job.start.sha256 }),
    data: digestOf({
      examples: [...job.examples, ...job.validation].map(({ ids, answerFrom, group }) => [
        answerFrom,
        ...ids,
        ...(group === undefined ? [] : [`group ${group}`]),
      ]),
      training: job.examples.length,
      replay: tokens(job.replay),
    }),
    ...executor,
    node: process.version,
    processor: `${process.arch} ${cpus()[0]?.model ?? 'unknown'}`,
  };
}

const FILE = (step: number): string => `checkpoint-${step}.safetensors`;

/**
 * Writes a checkpoint: to another name, to the disk, then renamed, so that a crash leaves the earlier one.
 * @throws STORAGE_FAILED when the disk is full
 */
export async function writeCheckpoint(
  folder: string,
  contract: Contract,
  state: RunState,
): Promise<{ path: string; sha256: string }> {
  const { step, smoothedLoss, firstLoss, looksWithoutImprovement, best, looks } = state;
  const tensors = new Map<string, NamedTensor>();
  const add = (name: string, data: Float32Array): unknown => tensors.set(name, { shape: [data.length], data });
  add('adapter', state.adapter);
  add('moments.first', state.moments.first);
  add('moments.second', state.moments.second);
  if (best !== null) add('best.adapter', best.adapter);
  looks.forEach(({ adapter }, index) => add(`looks.${index}.adapter`, adapter));
  const rest = {
    step,
    smoothedLoss,
    firstLoss,
    looksWithoutImprovement,
    best: best && { step: best.step, loss: best.loss },
    ...(looks.length > 0 && { looks: looks.map(({ loss }) => loss) }),
  };
  const bytes = encodeSafetensors({
    metadata: { contract: canonicalJson(contract), state: JSON.stringify(rest) },
    tensors,
  });
  const path = join(folder, FILE(step));
  try {
    const file = await open(`${path}.part`, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    const parent = await open(dirname(path), 'r');
    await parent.sync().finally(() => parent.close());
  } catch (error) {
    throw new GraftError('STORAGE_FAILED', `The checkpoint of step ${step} could not be written.`, {
      hint: 'Make room on the disk, then resume the run: it goes on from its last checkpoint.',
      cause: error,
    });
  }
  return { path, sha256: sha256(bytes) };
}

/**
 * @throws CHECKPOINT_INVALID when the file is not the one that was written, CONFLICT naming what differs when the run could not
 * go on to the same bits
 */
export async function readCheckpoint(file: CheckpointFile, contract: Contract): Promise<RunState> {
  const bytes = await readFile(file.path).catch((error: unknown) => {
    throw invalid('can’t be read', error);
  });
  if (sha256(bytes) !== file.sha256) throw invalid('has changed since it was written');
  const { metadata, tensors } = decodeSafetensors(bytes);
  const storedContract = JSON.parse(metadata.contract ?? '{}') as Contract;
  const differing = Object.keys({ ...contract, ...storedContract }).filter(
    (key) => storedContract[key] !== contract[key],
  );
  if (differing.length > 0)
    throw new GraftError(
      'CONFLICT',
      `The run can’t go on to the same result: ${differing.map(described).join('; ')}.`,
      {
        hint: 'Resume it where it began, or start a new run.',
      },
    );
  function described(key: string): string {
    return `${key} was ${JSON.stringify(storedContract[key])}, is ${JSON.stringify(contract[key])}`;
  }
  const numbers = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw invalid(`lacks ${name}`);
    return tensor.data;
  };
  const {
    best,
    looks = [],
    ...state
  } = JSON.parse(metadata.state ?? '{}') as Pick<
    RunState,
    'step' | 'smoothedLoss' | 'firstLoss' | 'looksWithoutImprovement'
  > & {
    best: { step: number; loss: number } | null;
    looks?: number[];
  };
  return {
    ...state,
    adapter: numbers('adapter'),
    moments: { first: numbers('moments.first'), second: numbers('moments.second') },
    best: best && { ...best, adapter: numbers('best.adapter') },
    looks: looks.map((loss, index) => ({ loss, adapter: numbers(`looks.${index}.adapter`) })),
  };
}

interface CheckpointFile {
  path: string;
  sha256: string;
}

const invalid = (fault: string, cause?: unknown): GraftError =>
  new GraftError('CHECKPOINT_INVALID', `The checkpoint ${fault}.`, { cause });
