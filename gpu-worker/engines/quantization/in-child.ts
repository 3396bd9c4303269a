import { availableParallelism } from 'node:os';
import { rm } from 'node:fs/promises';
import { GraftError } from '../../../src/kernel/errors.js';
import type {
  AgreeInput,
  AgreeOutput,
  CompareInput,
  CompareOutput,
  QuantizeInput,
  QuantizeOutput,
} from '../../../src/worker-protocol/index.js';
import { workInChild, type QuantizeJob } from '../../in-child.js';
import type { Call } from '../../server.js';
import type { TaskProcessFault } from '../../../src/task-process/index.js';
import { requireDigest } from '../training/model/require-digest.js';

type ChildCall = Pick<Call, 'signal' | 'progress'>;

/**
 * Quantizes a file; nothing is left of one that failed.
 * @throws MODEL_DIGEST_MISMATCH, MODEL_FILE_INVALID (also when the quantizer dies of the file), WORKER_CRASHED (as where memory runs out), and what `quantizeFile` throws
 */
export async function quantizeInChild(
  input: QuantizeInput & Pick<QuantizeJob, 'mayGrow'>,
  { signal, progress }: ChildCall,
): Promise<QuantizeOutput> {
  await requireDigest(input.model);
  const threads = input.threads ?? availableParallelism();
  try {
    return await workInChild(
      'quantize',
      { ...input, threads },
      {
        signal,
        onNote: async (fraction) => progress(fraction, `Quantizing to ${input.type}.`),
        died: quantizerDied,
      },
    );
  } catch (error) {
    await rm(input.target, { force: true });
    throw error;
  }
}

/** Of memory that ran out, and of a SIGKILL, which the system sends then, the file needn't be the reason. */
export const quantizerDied = (ending: string, reason: TaskProcessFault['reason']): GraftError =>
  reason === 'out of memory' || ending === 'SIGKILL'
    ? new GraftError('WORKER_CRASHED', `The quantizer was ended (${ending}), as where memory runs out.`, {
        hint: 'Start it again when more memory is free.',
      })
    : new GraftError('MODEL_FILE_INVALID', `Quantizing the file ended the quantizer (${ending}).`);

/** @throws MODEL_DIGEST_MISMATCH, WORKER_CRASHED (there may be too little memory for both), and what `compareModels` throws */
export async function compareInChild(input: CompareInput, { signal, progress }: ChildCall): Promise<CompareOutput> {
  for (const file of [input.reference, input.model]) await requireDigest(file);
  return workInChild('compare', input, {
    signal,
    onNote: async (fraction) => progress(fraction, 'Comparing it with the model that it was made from.'),
    died: (ending) => new GraftError('WORKER_CRASHED', `Comparing the models ended with ${ending}.`),
  });
}

/** @throws as `compareInChild`, and what `agreeModels` throws */
export async function agreeInChild(input: AgreeInput, { signal, progress }: ChildCall): Promise<AgreeOutput> {
  for (const file of [input.reference, input.model]) await requireDigest(file);
  return workInChild('agree', input, {
    signal,
    onNote: async (fraction) => progress(fraction, 'Holding the one model against the other.'),
    died: (ending) => new GraftError('WORKER_CRASHED', `Comparing the models ended with ${ending}.`),
  });
}
