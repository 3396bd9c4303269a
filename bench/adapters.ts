/**
 * Adapters where they are served: that none answers with another's state, and what they cost.
 *
 * Isolation asks interleaved questions of a tiny seeded model under eight adapters and under none, with shared beginnings, while room for three
 * makes them load and unload; each text must be the one that its adapter gives alone. Cost is measured on the default model with adapters of
 * rank 16 on all layers, whose weights are random: what they say means nothing, how long it takes does. Planted faults are adapters that
 * change nothing, are cut short or are another model's.
 *
 * `npm run bench -- adapters [asks] [answers] [faults]`: 10,000 interleaved asks, 40 answers a figure and 100 faults unless said otherwise.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapterLayout, initialAdapter, TARGETS, viewOf } from '../gpu-worker/engines/training/model/adapter-layout.js';
import { toGgufLora, toPairs } from '../gpu-worker/engines/training/model/adapter-files.js';
import { GgufWeights } from '../gpu-worker/engines/training/model/gguf-weights.js';
import { processorFlags } from '../gpu-worker/processor-flags.js';
import { isGraftError } from '../src/kernel/errors.js';
import { sha256 } from '../src/kernel/hashing.js';
import { seededRandom } from '../src/kernel/random.js';
import { quantile } from '../src/kernel/statistics.js';
import type { AdapterFile, ModelFile } from '../src/worker-protocol/index.js';
import { tinyAdapter, writeTinyModel } from '../test/support/tiny-model.js';
import { collect, doneOf, realModel, startWorker, workspaceId, type TestWorker } from '../test/support/worker.js';
import { describeMachine, median, printResult } from './support/report.js';

const [asks = 10_000, answers = 40, faults = 100] = process.argv.slice(2).map(Number);
const MANY = 64;
const AT_ONCE = 8;
const LABELS = 77;

const folder = mkdtempSync(join(tmpdir(), 'graft-bench-adapters-'));
const written = (name: string, bytes: Buffer): AdapterFile => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, sha256: sha256(bytes), scale: 1 };
};
const under = (model: ModelFile, ...adapters: AdapterFile[]): ModelFile => ({ ...model, adapters });

async function told(worker: TestWorker, model: ModelFile, text: string, maxTokens: number) {
  const prompt = [{ text, special: false }];
  const request = { workspaceId, model, prompt, maxTokens, temperature: 0, stop: [] };
  return doneOf(await collect(worker.client.generate(request)));
}

/** @returns how many of the asks gave another text than their adapter gives alone, or said that another had acted */
async function isolation(): Promise<{ wrong: number; loads: number }> {
  const adapters = Array.from({ length: 8 }, (_, i) => written(`tiny-${i}.gguf`, tinyAdapter({ seed: i + 1 })));
  const adapterBytes = 3.5 * readFileSync(adapters[0]!.path).length;
  const worker = await startWorker({ worker: { sequences: 2, adapterBytes, queue: 2 * AT_ONCE } });
  try {
    const base = writeTinyModel(join(folder, 'tiny.gguf'));
    const models = [base, ...adapters.map((adapter) => under(base, adapter))];
    const prompts = ['A shared beginning, then one', 'A shared beginning, then two', 'Something else', 'A shared'];
    const alone = new Map<string, string>();
    for (const [at, model] of models.entries())
      for (const prompt of prompts) alone.set(`${at} ${prompt}`, (await told(worker, model, prompt, 12)).text);
    const random = seededRandom(1);
    let [left, wrong] = [asks, 0];
    const ask = async (): Promise<void> => {
      while (left-- > 0) {
        const at = Math.floor(random() * models.length);
        const prompt = prompts[Math.floor(random() * prompts.length)]!;
        const { text, adapters: acted = [] } = await told(worker, models[at]!, prompt, 12);
        const expected = models[at]!.adapters ?? [];
        const same = acted.length === expected.length && acted.every(({ sha256: is }, i) => is === expected[i]!.sha256);
        if (text !== alone.get(`${at} ${prompt}`) || !same) wrong += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    return { wrong, loads: worker.log.filter(({ message }) => message === 'adapter loaded').length };
  } finally {
    await worker.dispose();
  }
}

/** Adapters for the default model that change it by a little, as a trained one does. */
function realAdapters(model: ModelFile, count: number): AdapterFile[] {
  const { config } = new GgufWeights(model.path, 1);
  const lora = { rank: 16, alpha: 32, targets: [...TARGETS] };
  const random = seededRandom(7);
  const flat = initialAdapter(config, lora, random);
  for (const parameter of adapterLayout(config, lora).parameters)
    if (parameter.factor === 'B') viewOf(flat, parameter).forEach((_, i, b) => (b[i] = (random() - 0.5) / 100));
  const pairs = toPairs(flat, config, lora);
  return Array.from({ length: count }, (_, i) => {
    // One number is enough to make it another adapter.
    flat[0] = i / 1_000;
    const peft = { baseModel: model.sha256, rank: lora.rank, alpha: lora.alpha, pairs };
    return written(`real-${i}.gguf`, toGgufLora(peft, config, 'F16'));
  });
}

const percentile95 = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.95,
  );

async function costs(): Promise<Record<string, string>[]> {
  const model = await realModel();
  const adapters = realAdapters(model, MANY);
  const [first] = adapters as [AdapterFile];
  const worker = await startWorker();
  const random = seededRandom(3);
  const question = (): string =>
    `Message ${Math.floor(random() * 1e6)}: my card has not arrived, and the app says nothing.`;
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const labels = Array.from({ length: LABELS }, (_, i) => 1_000 + 50 * i);
  const text = (file?: AdapterFile) => () => told(worker, file ? under(model, file) : model, question(), 16);
  const label = (file?: AdapterFile) => () =>
    worker.client.scoreNext({
      workspaceId,
      model: file ? under(model, file) : model,
      candidates: labels,
      prompt: [{ text: question(), special: false }],
    });
  const series = async (work: () => () => Promise<unknown>): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < answers; i++) times.push(await timed(work()));
    return times;
  };
  const anyOf = (count: number) => adapters[Math.floor(random() * count)]!;
  try {
    for (const adapter of adapters.slice(0, 8)) await label(adapter)();
    const base = await series(() => text());
    const one = await series(() => text(first));
    const byLabel = await series(() => label(first));
    const eight = await series(() => label(anyOf(8)));
    // What a change of adapters adds to the same short prompt.
    const short = (file: AdapterFile) => () =>
      worker.client.scoreNext({
        workspaceId,
        model: under(model, file),
        candidates: [1],
        prompt: [{ text: 'a', special: false }],
      });
    const rounds = Math.min(answers, 20);
    const switches = async (files: readonly AdapterFile[]): Promise<number> => {
      const added: number[] = [];
      for (const file of files) {
        await short(first)();
        const same = await timed(short(first));
        added.push((await timed(short(file))) - same);
      }
      return median(added);
    };
    const warm = await switches(Array<AdapterFile>(rounds).fill(adapters[1]!));
    const cold = await switches(realAdapters(model, MANY + rounds).slice(MANY));
    for (const adapter of adapters) await label(adapter)();
    const many = await series(() => label(anyOf(MANY)));
    const warmAmongMany = await switches(Array<AdapterFile>(rounds).fill(adapters[1]!));
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    const row = (figure: string, found: string, target: string) => ({ figure, found, target });
    return [
      row('answer of an adapter / of the base model', (median(one) / median(base)).toFixed(2), '≤ 1.45'),
      row('answers/s by label token / generated', (median(one) / median(byLabel)).toFixed(2), '≥ 3'),
      row('8 adapters at random / one, a label', (median(eight) / median(byLabel)).toFixed(2), '≤ 1.3'),
      row('64 adapters, p95 / one, p95, a label', (percentile95(many) / percentile95(byLabel)).toFixed(2), '≤ 3'),
      row('switch to an adapter in memory, of 8', ms(warm), '< 5 ms'),
      row(`switch to an adapter in memory, of ${MANY} and more`, ms(warmAmongMany), '< 5 ms'),
      row('switch to one that is not', ms(cold), '< 100 ms'),
    ];
  } finally {
    await worker.dispose();
  }
}

/** @returns how many planted faults were refused by code before they could answer, or shown to change nothing */
async function caught(): Promise<number> {
  const worker = await startWorker();
  try {
    const base = writeTinyModel(join(folder, 'faulty.gguf'));
    const score = async (model: ModelFile): Promise<number[]> => {
      const prompt = [{ text: 'The lamp is lit', special: false }];
      return (await worker.client.scoreNext({ workspaceId, model, prompt, candidates: [10, 20, 30], fresh: true }))
        .logits;
    };
    const alone = await score(base);
    let found = 0;
    for (let i = 0; i < faults; i++) {
      const seed = 100 + i;
      const bytes = [
        () => tinyAdapter({ seed, strength: 0 }),
        () => tinyAdapter({ seed }).subarray(0, -4 * (i + 1)),
        () => tinyAdapter({ seed, architecture: 'qwen2' }),
        () => tinyAdapter({ seed, edit: ([one, ...rest]) => [{ ...one!, target: 'blk.7.attn_q.weight' }, ...rest] }),
      ][i % 4]!();
      const logits = await score(under(base, written(`fault-${i}.gguf`, bytes))).catch((error: unknown) => {
        if (isGraftError(error)) return null;
        throw error;
      });
      // One that changes nothing loads: that it changes no logit is what attestation refuses it for.
      if (logits === null || logits.every((logit, at) => Object.is(logit, alone[at]))) found += 1;
    }
    return found;
  } finally {
    await worker.dispose();
  }
}

try {
  const load = loadavg()[0]!;
  const { wrong, loads } = await isolation();
  const rows = [
    { figure: `texts of ${asks} interleaved asks that are another’s`, found: String(wrong), target: '0' },
    ...(await costs()),
    { figure: `planted faults caught of ${faults}`, found: String(await caught()), target: String(faults) },
  ];
  printResult('adapters', {
    machine: describeMachine(),
    rows,
    asks,
    answers,
    loads,
    flags: processorFlags().join(' '),
    load: load.toFixed(1),
  });
  if (wrong > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
