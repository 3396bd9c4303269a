import { statfs, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { badInput, GraftError } from '../../../src/kernel/errors.js';
import type { QuantizationType, QuantizeOutput } from '../../../src/worker-protocol/index.js';
import type { QuantizeJob } from '../../in-child.js';
import { log } from '../../log.js';
import { openNativeQuantizer, type NativeQuantizer, type QuantizerJob } from './native-quantizer.js';

/** llama.cpp's numbers of the types (`llama_ftype`). */
const FILE_TYPES: Record<QuantizationType, number> = { Q4_0: 2, Q8_0: 7, Q4_K_M: 15, Q5_K_M: 17 };

/** `[  12/ 272] blk.0.ffn_up.weight …` */
const TENSOR = /^\[\s*(\d+)\/\s*(\d+)\]/;
/** `llama_model_quantize_impl: quant size  =    98.87 MiB (6.17 BPW)` */
const RESULT = /quant size\s*=\s*([\d.]+) MiB/;
/** The header, and what rounding in the message hides. */
const HEADER_BYTES = 16 * 1024 ** 2;
const LAST_LINES = 5;

/**
 * Writes a model in another type, after asking the quantizer how large it will be. Run it in a throw-away process.
 * @param onFraction 0..1
 * @throws BAD_USER_INPUT when the result would not be smaller and must be, STORAGE_FAILED when the disk has no room for it, MODEL_FILE_INVALID when the
 * quantizer refuses the file, SETUP_FAILED
 */
export async function quantizeFile(
  { model, type, target, threads, mayGrow = false }: QuantizeJob,
  onFraction: (fraction: number) => void,
): Promise<QuantizeOutput> {
  const quantizer = await openNativeQuantizer();
  const job: QuantizerJob = { source: model.path, target, fileType: FILE_TYPES[type], threads, dryRun: false };
  const sourceBytes = (await stat(model.path)).size;
  const expected = await expectedBytes(quantizer, job);
  if (!mayGrow && expected >= sourceBytes)
    throw badInput(
      'input.type',
      `As ${type} the model would take ${megabytes(expected)} instead of ${megabytes(sourceBytes)}.`,
      'Rows whose width is no multiple of 256 are kept in larger types. Choose Q4_0, or a source of higher precision.',
    );
  await requireSpace(dirname(target), expected);
  const { succeeded, said } = await attempt(quantizer, job, (line) => {
    const [, tensor, tensors] = TENSOR.exec(line) ?? [];
    if (tensor !== undefined) onFraction(Number(tensor) / Number(tensors));
  });
  if (!succeeded) {
    const writtenBytes = await stat(target).then(
      ({ size }) => size,
      () => 0,
    );
    await requireSpace(dirname(target), expected - writtenBytes);
    throw refused(said);
  }
  return { bytes: (await stat(target)).size };
}

async function expectedBytes(quantizer: NativeQuantizer, job: QuantizerJob): Promise<number> {
  let mebibytes: number | undefined;
  const { succeeded, said } = await attempt(quantizer, { ...job, dryRun: true }, (line) => {
    const size = RESULT.exec(line)?.[1];
    if (size !== undefined) mebibytes = Number(size);
  });
  if (!succeeded || mebibytes === undefined) throw refused(said);
  return mebibytes * 1024 ** 2;
}

/** @throws STORAGE_FAILED when a file of that size has no room */
async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + Math.min(HEADER_BYTES, bytes)) return;
  throw new GraftError(
    'STORAGE_FAILED',
    `The disk is full: the file needs ${megabytes(bytes)}, and ${megabytes(bavail * bsize)} are free.`,
    { hint: 'Free space where GRAFT_HOME lies and start it again; nothing was kept.' },
  );
}

async function attempt(
  quantizer: NativeQuantizer,
  job: QuantizerJob,
  onLine: (line: string) => void,
): Promise<{ succeeded: boolean; said: string[] }> {
  const lines: string[] = [];
  const succeeded = await quantizer.quantize(job, (line) => {
    lines.splice(0, Math.max(0, lines.length + 1 - LAST_LINES));
    lines.push(line);
    onLine(line);
  });
  return { succeeded, said: lines };
}

function refused(lines: readonly string[]): GraftError {
  log('warn', 'llama.cpp did not quantize the file', { said: lines });
  return new GraftError('MODEL_FILE_INVALID', 'llama.cpp’s quantizer refused the file.');
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
