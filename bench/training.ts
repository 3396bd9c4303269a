/**
 * Training an adapter on this machine, with the default model's real weights.
 *
 * Published: tokens a second and peak memory (ours counts pages that are mapped twice once) beside PyTorch, transformers and peft on the same batches (`speed`); accuracy on
 * BANKING77's whole test set after one epoch, answering by one token a label (`labels`), the same without a term that keeps the base
 * model's ways (`plain`), or by the label's text (`text`), each with a 95 % interval; perplexity of text that was not replayed, with
 * the adapter always on, against the base model's. The whole takes more than an hour on two quiet cores.
 * `GRAFT_BENCH_PARTS=speed,labels` chooses parts, `GRAFT_BENCH_ROWS` takes fewer rows of each split for a try, and
 * `GRAFT_BENCH_PYTHON` names a Python that has the peer's packages.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxExecutor } from '../gpu-worker/engines/training/executors/onnx-executor.js';
import { fromPairs } from '../gpu-worker/engines/training/model/adapter-files.js';
import { adapterLayout } from '../gpu-worker/engines/training/model/adapter-layout.js';
import { GgufWeights } from '../gpu-worker/engines/training/model/gguf-weights.js';
import { lossGraph } from '../gpu-worker/engines/training/model/programs.js';
import { plannedBatches } from '../gpu-worker/engines/training/trainer/batches.js';
import { indices, packSequences } from '../gpu-worker/engines/training/trainer/pack.js';
import { adapterFeeds, teacherTensor } from '../gpu-worker/engines/training/trainer/step.js';
import { readPeftAdapter } from '../gpu-worker/formats/peft/peft-adapter.js';
import { ServeWorker, TrainWorker } from '../src/platform/worker/index.js';
import { chooseLabelTokens, presetOf } from '../src/learn/training/index.js';
import type {
  ModelFile,
  TrainEvent,
  TrainingExample,
  TrainOutput,
  TrainingRecipe,
} from '../src/worker-protocol/index.js';
import { realModel, workspaceId } from '../test/support/worker.js';
import { banking77, wikitext, type LabelledQuestion } from './support/banking77.js';
import { describeMachine, median, printResult } from './support/report.js';

const PARTS = (process.env['GRAFT_BENCH_PARTS'] ?? 'speed,labels,plain,text').split(',');
const ROWS = Number(process.env['GRAFT_BENCH_ROWS'] ?? Infinity);
const SPEED_STEPS = Math.min(12, ROWS);
const WARM_UP = 2;
const WINDOW = 64;
const PERPLEXITY_WINDOW = 256;
const PERPLEXITY_WINDOWS = Math.min(40, ROWS);
const PEER_PACKAGES = ['torch==2.13.0', 'transformers==5.24.0', 'peft==0.21.2', 'numpy'];
/** How many times as long as in f32 the peer may take in bf16. */
const MOST_OF_F32 = 5;
const THREADS = availableParallelism();

const silent = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };
const preset = presetOf('CLASSIFICATION');
const { rank, alpha, targets, learningRate, warmupSteps, clip, batchExamples } = preset;
const RECIPE: TrainingRecipe = {
  lora: { rank, alpha, targets },
  learningRate,
  warmupSteps,
  finalLearningRate: preset.finalRateShare,
  weightDecay: 0,
  clipNorm: clip,
  epochs: 1,
  batchExamples,
  batchTokens: 2_048,
  microBatchTokens: Number(process.env['GRAFT_BENCH_MICRO_BATCH'] ?? 448),
  seed: 1,
  validateEvery: 1_000_000,
  patience: null,
  checkpointEvery: 1_000_000,
  replayWeight: 1,
};

interface Trained {
  output: TrainOutput;
  steps: Extract<TrainEvent, { type: 'step' }>[];
  validations: Extract<TrainEvent, { type: 'validation' }>[];
  seconds: number;
  peakBytes: number;
}

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'graft-bench-training-'));
  private runs = 0;

  constructor(
    readonly model: ModelFile,
    readonly worker: TrainWorker,
  ) {}

  async tokens(texts: readonly string[]): Promise<{ tokens: Int32Array[]; endToken: number }> {
    return this.worker.call('tokenize', workspaceId, { model: this.model, texts: [...texts] }, { deadlineMs: null });
  }

  /** Examples whose answer is what `answerOf` gives for the label. */
  async examples(
    questions: readonly LabelledQuestion[],
    answerOf: (label: string) => number[],
  ): Promise<TrainingExample[]> {
    const { tokens } = await this.tokens(questions.map(({ prompt }) => prompt));
    return questions.map(({ label }, row) => {
      const prompt = [...tokens[row]!];
      return { ids: Int32Array.from([...prompt, ...answerOf(label)]), answerFrom: prompt.length };
    });
  }

  async windows(text: string, length: number, most = Infinity): Promise<Int32Array[]> {
    const [all] = (await this.tokens([text])).tokens as [Int32Array];
    const count = Math.min(most, Math.floor(all.length / length));
    return Array.from({ length: count }, (_, index) => all.slice(index * length, (index + 1) * length));
  }

  async train(
    recipe: Partial<TrainingRecipe>,
    data: {
      examples: TrainingExample[];
      validation?: TrainingExample[];
      replay?: Int32Array[];
      labelTokens?: number[];
    },
  ): Promise<Trained> {
    const steps: Trained['steps'] = [];
    const validations: Trained['validations'] = [];
    const began = performance.now();
    const request = {
      model: this.model,
      recipe: { ...RECIPE, ...recipe },
      examples: data.examples,
      validation: data.validation ?? [],
      replay: data.replay ?? [],
      labelTokens: data.labelTokens ?? null,
      folder: join(this.folder, `run-${this.runs++}`),
      resume: null,
    };
    let peakBytes = 0;
    for await (const event of this.worker.stream('train', workspaceId, request, { deadlineMs: null })) {
      if (event.type === 'done')
        return { output: event.output, steps, validations, seconds: (performance.now() - began) / 1000, peakBytes };
      if (event.type !== 'chunk') continue;
      if (event.chunk.type === 'validation') validations.push(event.chunk);
      if (event.chunk.type !== 'step') continue;
      steps.push(event.chunk);
      peakBytes = Math.max(peakBytes, event.chunk.memoryBytes);
      if (steps.length % 50 === 0) console.log(`step ${steps.length}: ${event.chunk.smoothedLoss.toFixed(3)} nats`);
    }
    throw new Error('The run ended without a result.');
  }
}

/** Wilson’s 95 % interval of a share (1927). */
function interval(share: number, count: number): string {
  const z = 1.96;
  const middle = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half = (z / (1 + z ** 2 / count)) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return `${(100 * share).toFixed(1)} % (${Math.max(0, 100 * (middle - half)).toFixed(1)} to ${(100 * (middle + half)).toFixed(1)})`;
}

const mib = (bytes: number): number => Math.round(bytes / 1024 ** 2);

/** The same batches through Graft and through PyTorch, one after the other. */
async function speed(bench: Bench): Promise<Record<string, string | number>[]> {
  const { tokens, endToken } = await bench.tokens([...new Set(banking77('train').map(({ label }) => ` ${label}`))]);
  const labels = [...new Set(banking77('train').map(({ label }) => label))];
  const answer = new Map(labels.map((label, index) => [label, [...tokens[index]!, endToken]]));
  const questions = banking77('train').filter((_, row) => row % 50 === 0);
  const examples = await bench.examples(questions.slice(0, batchExamples * SPEED_STEPS), (label) => answer.get(label)!);
  const { steps, peakBytes } = await bench.train({ replayWeight: 0 }, { examples });
  const timed = steps.slice(WARM_UP);
  const total = (of: 'tokens' | 'milliseconds'): number => timed.reduce((sum, step) => sum + step[of], 0);
  const size = { examples: RECIPE.batchExamples, tokens: RECIPE.batchTokens };
  const plan = plannedBatches(
    examples.map(({ ids }) => ({ length: ids.length - 1, examples: 1 })),
    size,
    RECIPE.seed,
    1,
  );
  writePeerInput(
    bench,
    plan.map(({ batch }) => batch.map((row) => examples[row]!)),
  );
  const ours = {
    engine: `Graft, f32, ${THREADS} threads`,
    'tokens/s': Math.round((1000 * total('tokens')) / total('milliseconds')),
    'peak MiB': mib(peakBytes),
    'first loss': steps[0]!.loss.toFixed(4),
    'median step ms': Math.round(median(timed.map(({ milliseconds }) => milliseconds))),
  };
  console.log(ours);
  const python = peerPython(bench.folder);
  const began = performance.now();
  const f32 = peer(python, bench.folder, 'f32');
  const most = Math.round(MOST_OF_F32 * (performance.now() - began));
  return [ours, f32, peer(python, bench.folder, 'bf16', most)];
}

/** The base weights under the graph’s names, and the batches, for the peer to read. */
function writePeerInput({ folder, model }: Bench, batches: TrainingExample[][]): void {
  const weights = new GgufWeights(model.path, 1);
  const { layers } = weights.config;
  const parts = ['attention_norm', 'feed_forward_norm', 'query_key_value', 'attention_output', 'gate_up', 'down'];
  const names = [
    'embedding',
    'output_norm',
    ...Array.from({ length: layers }, (_, layer) => parts.map((part) => `layers.${layer}.${part}`)).flat(),
  ];
  const places: Record<string, { offset: number; length: number }> = {};
  const file = openSync(join(folder, 'weights.bin'), 'w');
  let offset = 0;
  for (const name of names) {
    const values = weights.read(name);
    writeSync(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    places[name] = { offset, length: values.length };
    offset += values.length;
  }
  closeSync(file);
  writeFileSync(join(folder, 'weights.json'), JSON.stringify({ config: weights.config, places, recipe: RECIPE.lora }));
  const plain = batches.map((batch) => batch.map(({ ids, answerFrom }) => ({ ids: [...ids], answerFrom })));
  writeFileSync(join(folder, 'batches.json'), JSON.stringify(plain));
}

/** A Python that has the peer’s packages: the one that is named, or one in a virtual environment of the benchmark’s own. */
function peerPython(folder: string): string {
  const named = process.env['GRAFT_BENCH_PYTHON'];
  if (named !== undefined) return named;
  execFileSync('python3', ['-m', 'venv', join(folder, 'venv')]);
  const python = join(folder, 'venv', 'bin', 'python');
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...PEER_PACKAGES], { stdio: 'inherit' });
  return python;
}

/** @param timeoutMs after which it is given up: without instructions for bf16 PyTorch takes hours */
function peer(python: string, folder: string, mode: string, timeoutMs?: number): Record<string, string | number> {
  const engine = `PyTorch, transformers, peft, ${mode}, ${THREADS} threads`;
  const script = ['bench/support/training-peer.py', folder, mode, String(THREADS)];
  const { error, status, stdout } = spawnSync(python, script, { encoding: 'utf8', timeout: timeoutMs });
  if (error && 'code' in error && error.code === 'ETIMEDOUT')
    return { engine, 'tokens/s': `given up after ${Math.round(timeoutMs! / 1000)} s, ${MOST_OF_F32} times f32's` };
  if (status !== 0) throw new Error(`The peer failed with ${status}.`, { cause: error });
  const report = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    tokensPerSecond: number;
    peakBytes: number;
    firstLoss: number;
  };
  const row = {
    engine,
    'tokens/s': Math.round(report.tokensPerSecond),
    'peak MiB': mib(report.peakBytes),
    'first loss': report.firstLoss.toFixed(4),
    'median step ms': '',
  };
  console.log(row);
  return row;
}

/** Perplexity of held-out text with an adapter always on, or with none. */
async function perplexity(bench: Bench, peftFolder: string | null): Promise<number> {
  const windows = await bench.windows(wikitext().heldOut, PERPLEXITY_WINDOW, PERPLEXITY_WINDOWS);
  const weights = new GgufWeights(bench.model.path, PERPLEXITY_WINDOW);
  const adapter = peftFolder === null ? null : fromPairs(await readPeftAdapter(peftFolder), weights.config);
  const folder = mkdtempSync(join(bench.folder, 'perplexity-'));
  const executor = new OnnxExecutor(weights, { folder, threads: THREADS });
  try {
    const program = await executor.compile(lossGraph(weights.config, adapter?.lora ?? null, PERPLEXITY_WINDOW));
    const trained = adapter && adapterFeeds(adapterLayout(weights.config, adapter.lora).parameters, adapter.flat);
    let [nats, tokens] = [0, 0];
    for (const window of windows) {
      const { losses } = await program.run({
        ...packSequences([window.subarray(0, -1)], weights.config).feeds,
        ...trained,
        places: indices(Array.from({ length: window.length - 1 }, (_, place) => place)),
        labels: indices(window.subarray(1)),
        teacher: teacherTensor(null, weights.config.hidden),
      });
      nats += losses!.reduce((sum, loss) => sum + loss, 0);
      tokens += losses!.length;
    }
    return Math.exp(nats / tokens);
  } finally {
    await executor.dispose();
    rmSync(folder, { recursive: true });
  }
}

/** Share of questions whose generated answer is the label, word for word, in the serving worker. */
async function generated(
  bench: Bench,
  gguf: { path: string; sha256: string },
  questions: LabelledQuestion[],
): Promise<number> {
  const home = mkdtempSync(join(bench.folder, 'serve-'));
  const worker = new ServeWorker({ home, log: silent, gpu: false });
  await worker.start();
  const model = { ...bench.model, adapters: [{ ...gguf, scale: 1 }] };
  let right = 0;
  try {
    for (const { prompt, label } of questions) {
      const segments = [{ text: prompt, special: false }];
      const request = { workspaceId, model, prompt: segments, maxTokens: 24, temperature: 0, stop: ['\n'] };
      for await (const event of worker.generate(request))
        if (event.type === 'done') right += Number(event.text.trim() === label);
    }
  } finally {
    await worker.stop();
  }
  return right / questions.length;
}

/** What is learned, and how: each a part of its own. */
const FORMS = {
  labels: { answers: 'one token a label', byToken: true, retention: true },
  plain: { answers: 'one token a label, nothing against forgetting', byToken: true, retention: false },
  text: { answers: 'generated label', byToken: false, retention: true },
};

async function quality(bench: Bench, form: keyof typeof FORMS): Promise<Record<string, string | number>> {
  const { answers: named, byToken, retention } = FORMS[form];
  const [train, test] = (['train', 'test'] as const).map((split) => banking77(split).slice(0, ROWS)) as [
    LabelledQuestion[],
    LabelledQuestion[],
  ];
  const labels = [...new Set(banking77('train').map(({ label }) => label))];
  const { tokens, endToken } = await bench.tokens(labels.map((label) => ` ${label}`));
  const chosen = chooseLabelTokens(labels.map((label, index) => ({ label, tokens: [...new Set(tokens[index])] })));
  const answers = new Map(
    labels.map((label, index) => [label, byToken ? [chosen[index]!.token] : [...tokens[index]!, endToken]]),
  );
  const answerOf = (label: string): number[] => answers.get(label)!;
  const run = await bench.train(
    { replayWeight: retention ? RECIPE.replayWeight : 0 },
    {
      examples: await bench.examples(train, answerOf),
      // One look, after the last step: nothing is chosen by it.
      validation: byToken ? await bench.examples(test, answerOf) : [],
      labelTokens: byToken ? chosen.map(({ token }) => token) : undefined,
      replay: retention ? await bench.windows(wikitext().replayed, WINDOW) : [],
    },
  );
  const files = run.output.adapter!;
  const accuracy = byToken ? run.validations.at(-1)!.accuracy! : await generated(bench, files.gguf, test);
  const base = await perplexity(bench, null);
  const adapted = await perplexity(bench, join(files.config.path, '..'));
  return {
    answers: named,
    'test rows': test.length,
    accuracy: interval(accuracy, test.length),
    minutes: (run.seconds / 60).toFixed(1),
    'peak MiB': mib(run.peakBytes),
    'perplexity, base': base.toFixed(2),
    'perplexity, adapter always on': adapted.toFixed(2),
    ratio: (adapted / base).toFixed(3),
  };
}

const worker = new TrainWorker({ log: silent });
await worker.start();
const bench = new Bench(await realModel(), worker);
try {
  const rows = PARTS.includes('speed') ? await speed(bench) : [];
  const learned: Record<string, string | number>[] = [];
  for (const form of Object.keys(FORMS) as (keyof typeof FORMS)[])
    if (PARTS.includes(form)) learned.push(await quality(bench, form));
  for (const row of learned) console.log(row);
  if (rows.length > 0) printResult('training', { machine: describeMachine(), rows, recipe: RECIPE });
  if (learned.length > 0) printResult('learned', { machine: describeMachine(), rows: learned, recipe: RECIPE });
} finally {
  await worker.stop();
  rmSync(bench.folder, { recursive: true, force: true });
}
