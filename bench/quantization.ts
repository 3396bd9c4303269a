/**
 * Each type that a model can be quantized to, from full precision (F32) of the default model, by llama.cpp's quantizer as Graft runs it: how
 * many times smaller, what it says otherwise than F32, and how fast both read and write here.
 *
 * The default model comes as Q4_1, so its F32 form has the weights that Q4_1 could keep: sizes and speeds are those of any F32 file of
 * its shape, while divergences say what a second quantization adds. `GRAFT_BENCH_GGUF` names a file of full precision instead.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNativeQuantizer } from '../gpu-worker/engines/quantization/native-quantizer.js';
import { processorFlags } from '../gpu-worker/processor-flags.js';
import { sha256 } from '../src/kernel/hashing.js';
import { ModelsOnDisk } from '../src/platform/models-on-disk/index.js';
import { silentLogger } from '../src/platform/telemetry/index.js';
import { TrainWorker } from '../src/platform/worker/index.js';
import { QUANTIZATION_TYPES, type CompareOutput, type ModelFile } from '../src/worker-protocol/index.js';
import { describeMachine, printResult } from './support/report.js';

const WORKSPACE = '00000000-0000-7000-8000-000000000001';
/** llama.cpp's number of F32. */
const F32 = 0;
const WINDOW_TOKENS = 128;

const folder = mkdtempSync(join(tmpdir(), 'graft-bench-quantization-'));
const worker = new TrainWorker({ log: silentLogger(), drainMs: 0 });
await worker.start();

/** An operation of the worker, to its end. */
async function done<O>(events: AsyncIterable<{ type: string } | { type: 'done'; output: O }>): Promise<O> {
  for await (const event of events) if ('output' in event) return event.output;
  throw new Error('The worker ended without a result.');
}

async function fullPrecision(): Promise<string> {
  const given = process.env['GRAFT_BENCH_GGUF'];
  if (given !== undefined) return given;
  const [file] = await new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log: silentLogger() }).files(
    'smollm2-135m-instruct',
  );
  const target = join(folder, 'F32.gguf');
  const job = { source: file!.path, target, fileType: F32, threads: availableParallelism(), dryRun: false };
  if (!(await (await openNativeQuantizer()).quantize(job, () => undefined))) throw new Error('F32 could not be made.');
  return target;
}

const fileOf = (path: string): ModelFile => ({
  path,
  sha256: sha256(readFileSync(path)),
  contextLength: 2_048,
});
const load = loadavg()[0]!;
const reference = fileOf(await fullPrecision());
const texts = ['everyday', 'narrative', 'reference'].map((name) =>
  readFileSync(`examples/general-text/retention-${name}.txt`, 'utf8'),
);
const options = { deadlineMs: null, priority: 'bulk' } as const;
const rows: Record<string, string | number>[] = [];
let quiet = true;
try {
  for (const type of QUANTIZATION_TYPES) {
    const target = join(folder, `${type}.gguf`);
    await done(worker.stream('quantize', WORKSPACE, { model: reference, type, target }, options));
    const model = fileOf(target);
    const request = { reference, model, texts, windowTokens: WINDOW_TOKENS };
    const found: CompareOutput = await done(worker.stream('compare', WORKSPACE, request, options));
    const { speed } = found;
    quiet &&= speed.model.quiet && speed.reference.quiet;
    rows.push({
      'from F32 to': type,
      'times smaller': (statSync(reference.path).size / statSync(target).size).toFixed(2),
      'mean KL, nats': `${found.meanKl.toFixed(4)} ± ${found.klStandardError.toFixed(4)}`,
      'same top token': `${(100 * found.topAgreement).toFixed(1)} %`,
      'perplexity (F32)': `${found.perplexity.toFixed(1)} (${found.referencePerplexity.toFixed(1)})`,
      'read tokens/s (F32)': `${Math.round(speed.model.prefill)} (${Math.round(speed.reference.prefill)})`,
      'written tokens/s (F32)': `${Math.round(speed.model.decode)} (${Math.round(speed.reference.decode)})`,
    });
    rmSync(target);
  }
} finally {
  await worker.stop();
  rmSync(folder, { recursive: true });
}
printResult('quantization', {
  machine: `${describeMachine()}, ${processorFlags().join(' ')}`,
  rows,
  model: process.env['GRAFT_BENCH_GGUF'] ?? 'smollm2-135m-instruct',
  quiet,
  loadAverage: { atStart: load, atEnd: loadavg()[0] },
});
