/**
 * How a real vLLM gives labels the probabilities that the worker beside the gateway gives them: the same weights, in the worker's quantised
 * file and in 32-bit floats dequantised from it, with the reader that ships and without. The labels are 150 words, each one token, of customers'
 * questions (BANKING77), asked after questions of its test part.
 *
 *   node scripts/vllm/run.mjs npm run bench -- engine
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vllm } from '../src/fleet/dialects/vllm.js';
import { LabelScoring } from '../src/fleet/engine.js';
import { EngineHttp } from '../src/fleet/engine-http.js';
import { centred, compareBases, SAME_BASE } from '../src/fleet/proof/compare-bases.js';
import { compareChanges, TOLERANCE } from '../src/evaluation/index.js';
import { sha256 } from '../src/kernel/hashing.js';
import { softmax } from '../src/kernel/softmax.js';
import { packageRoot } from '../src/platform/package-root.js';
import type { AdapterFile, PromptSegment } from '../src/worker-protocol/index.js';
import { realModel, startWorker, workspaceId } from '../test/support/worker.js';
import { banking77 } from './support/banking77.js';
import { numberOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';

const QUESTIONS = numberOption('questions', 20);
const LABELS = 150;
const WAYS = [LabelScoring.LOGPROB_TOKEN_IDS, LabelScoring.ALLOWED_TOKEN_IDS];

const url = process.env.GRAFT_TEST_VLLM_URL;
if (url === undefined)
  throw new Error('It needs a vLLM: node scripts/vllm/run.mjs npm run bench -- engine, or GRAFT_TEST_VLLM_URL.');
const http = new EngineHttp(url);
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
const rows = banking77('test');
const questions = Array.from({ length: QUESTIONS }, (_, i) => rows[Math.floor((i * rows.length) / QUESTIONS)]!);
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

async function there(base: string, adapter: string | null, way: LabelScoring): Promise<number[][]> {
  const all: number[][] = [];
  for (const ids of tokens) all.push(await vllm.score(http, { base, adapter, tokens: ids, candidates }, way, signal));
  return all;
}

const flat = (all: readonly number[][]): number[] => all.flatMap(centred);
const best = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));

function compared(ours: readonly number[][], theirs: readonly number[][]) {
  const differences = ours.map((row, i) => {
    const other = softmax(theirs[i]!);
    return softmax(row).map((share, j) => Math.abs(share - other[j]!));
  });
  const distance = differences.map((row) => row.reduce((sum, each) => sum + each, 0) / 2);
  const { correlation, meanDifference } = compareBases(theirs, ours);
  return {
    'questions x labels': `${ours.length} x ${candidates.length}`,
    'largest difference of a probability': Math.max(...differences.flat()).toFixed(4),
    'mean total variation': (distance.reduce((sum, each) => sum + each, 0) / distance.length).toFixed(4),
    'mean difference, nats': meanDifference.toFixed(3),
    correlation: correlation.toFixed(4),
    'same best label': `${ours.filter((row, i) => best(row) === best(theirs[i]!)).length} of ${ours.length}`,
  };
}

try {
  const { base, version } = (await vllm.probe(http, signal))!;
  await vllm.load(http, { name, path: peft }, signal);
  const [off, on] = [await beside([]), await beside([reader])];
  const found: Record<string, string | number>[] = [];
  for (const way of WAYS) {
    const [theirOff, theirOn] = [await there(base, null, way), await there(base, name, way)];
    const change = compareChanges({ off: flat(theirOff), on: flat(theirOn) }, { off: flat(off), on: flat(on) });
    found.push({ way, weights: 'base', ...compared(off, theirOff), 'cosine of the change': '', 'its norm': '' });
    found.push({
      ...{ way, weights: 'with the reader', ...compared(on, theirOn) },
      ...{ 'cosine of the change': change.cosine.toFixed(4), 'its norm': change.normRatio.toFixed(3) },
    });
  }
  const tolerance = {
    cosine: `at least ${TOLERANCE.cosine}`,
    norm: `${TOLERANCE.normRatio.map((each) => each.toFixed(2)).join(' to ')}`,
    base: `correlation at least ${SAME_BASE.correlation}, mean difference at most ${SAME_BASE.meanDifference} nats`,
  };
  printResult('engine', { machine: describeMachine(), rows: found, vllm: version, tolerance }, ['way', 'weights']);
} finally {
  await vllm.unload(http, name, signal).catch(() => undefined);
  await dispose();
}
