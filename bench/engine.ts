/**
 * How a real vLLM gives labels the probabilities that the worker beside the gateway gives them: the same weights, in the worker's quantised
 * file and in 32-bit floats dequantised from it, with the reader that ships and without. The labels are 150 words, each one token, of customers'
 * questions (BANKING77), asked after questions of its test part.
 *
 *   node scripts/vllm/run.mjs npm run bench -- engine
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../src/kernel/hashing.js';
import { packageRoot } from '../src/platform/package-root.js';
import type { AdapterFile, PromptSegment } from '../src/worker-protocol/index.js';
import { likeness, likenessOfChange, TOLERATED, vllmWith, WAYS } from '../test/support/engine/beside-worker.js';
import { realModel, startWorker, workspaceId } from '../test/support/worker.js';
import { banking77 } from './support/banking77.js';
import { numberOption } from './support/options.js';
import { every } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';

const QUESTIONS = numberOption('questions', 20);
const LABELS = 150;

const url = process.env.GRAFT_TEST_VLLM_URL;
if (url === undefined)
  throw new Error('It needs a vLLM: node scripts/vllm/run.mjs npm run bench -- engine, or GRAFT_TEST_VLLM_URL.');
const signal = AbortSignal.timeout(15 * 60_000);

const { client, dispose } = await startWorker();
const model = { ...(await realModel()), contextLength: 1_024 };
const peft = join(packageRoot(), 'readers', 'smollm2-135m-instruct');
const gguf = join(peft, 'adapter.gguf');
const reader: AdapterFile = { path: gguf, sha256: sha256(readFileSync(gguf)), scale: 1 };
const name = `reader@${sha256(readFileSync(join(peft, 'adapter_model.safetensors'))).slice(0, 12)}`;

const tokensOf = async (prompts: PromptSegment[][]): Promise<number[][]> =>
  (await client.tokenize({ workspaceId, model, prompts })).tokens.map((ids) => Array.from(ids));

/** Words that are one token with the space before them, the most frequent first. */
async function labels(): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const { prompt } of banking77('train'))
    for (const word of prompt.toLowerCase().match(/[a-z]{3,}/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).map(([word]) => word);
  const tokens = await tokensOf(words.slice(0, 4 * LABELS).map((word) => [{ text: ` ${word}`, special: false }]));
  return [...new Set(tokens.filter((ids) => ids.length === 1).map(([id]) => id!))].slice(0, LABELS);
}

const chat = (question: string): PromptSegment[] => [
  { text: '<|im_start|>', special: true },
  { text: `user\n${question}`, special: false },
  { text: '<|im_end|>', special: true },
  { text: '\n', special: false },
  { text: '<|im_start|>', special: true },
  { text: 'assistant\nIn one word, it is about', special: false },
];

const candidates = await labels();
const questions = every(banking77('test'), QUESTIONS);
const prompts = questions.map(({ prompt }) => chat(prompt.split('\n')[0]!.replace('Customer: ', '')));
const tokens = await tokensOf(prompts);

async function beside(adapters: AdapterFile[]): Promise<number[][]> {
  const all: number[][] = [];
  for (const prompt of prompts)
    all.push(
      (await client.scoreNext({ workspaceId, model: { ...model, adapters }, prompt, candidates })).logProbabilities,
    );
  return all;
}

const shown = (ours: number[][], theirs: number[][]) => {
  const { largest, totalVariation, meanDifference, correlation, sameBest } = likeness(ours, theirs);
  return {
    'questions x labels': `${ours.length} x ${candidates.length}`,
    'largest difference of a probability': largest.toFixed(4),
    'mean total variation': totalVariation.toFixed(4),
    'mean difference, nats': meanDifference.toFixed(3),
    correlation: correlation.toFixed(4),
    'same best label': `${sameBest} of ${ours.length}`,
  };
};

const engine = await vllmWith(url, { name, path: peft }, signal);
try {
  const ours = { off: await beside([]), on: await beside([reader]) };
  const rows: Record<string, string | number>[] = [];
  for (const way of WAYS) {
    const theirs = {
      off: await engine.scores(false, way, tokens, candidates),
      on: await engine.scores(true, way, tokens, candidates),
    };
    const { cosine, normRatio } = likenessOfChange(ours, theirs);
    rows.push({
      way,
      weights: 'base',
      ...shown(ours.off, theirs.off),
      'cosine of the change': '',
      'norm of the change': '',
    });
    rows.push({
      way,
      weights: 'with the reader',
      ...shown(ours.on, theirs.on),
      'cosine of the change': cosine.toFixed(4),
      'norm of the change': normRatio.toFixed(3),
    });
  }
  const result = { machine: describeMachine(), rows, vllm: engine.version, tolerance: TOLERATED };
  printResult('engine', result, ['way', 'weights']);
} finally {
  await engine.unload();
  await dispose();
}
