/**
 * A short prompt after a pause, read with as many threads as there are cores: as the kernel places llama.cpp's threads, and spread by
 * Graft. Both contexts hold the same model in this process, take turns, and trim what they read before, as an answer does.
 *
 * Published: milliseconds from the prompt to its first token, median and 90th percentile, and the ratio of the medians.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseThreads } from '../gpu-worker/engines/inference/native-context.js';
import { servedForm } from '../gpu-worker/engines/inference/served-form.js';
import { openLlama } from '../gpu-worker/engines/inference/llama.js';
import { openThreadSpreader, type SpreadThreads } from '../gpu-worker/engines/inference/spread-threads.js';
import { quantile } from '../src/kernel/statistics.js';
import { ModelsOnDisk } from '../src/platform/models-on-disk/index.js';
import { silentLogger } from '../src/platform/telemetry/index.js';
import { describeMachine, median, printResult } from './support/report.js';

const MODEL = process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct';
const ROUNDS = 20;
/** Tokens that are kept from before, and tokens to read. */
const KEPT = 30;
const READ = 9;
const PAUSE_MS = 1_000;
const TEXT =
  'A lighthouse keeper wrote down the weather every hour, and the ships that passed, and what they carried. '.repeat(5);

const cores = availableParallelism();
const [file] = await new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log: silentLogger() }).files(MODEL);
const llama = await openLlama(false);
const model = await llama.loadModel({ modelPath: await servedForm({ ...file!, contextLength: 8_192 }) });
const tokens = model.tokenize(TEXT, false);

async function reader(spread: SpreadThreads): Promise<() => Promise<number>> {
  const context = await model.createContext({ contextSize: 512, threads: cores });
  chooseThreads(context, { prefill: cores, decode: 1 }, { free: () => cores, spread });
  const sequence = context.getSequence();
  await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, KEPT + READ));
  return async () => {
    await sleep(PAUSE_MS);
    await sequence.adaptStateToTokens(tokens.slice(0, KEPT), false);
    const began = performance.now();
    for await (const _ of sequence.evaluate(tokens.slice(KEPT, KEPT + READ), { temperature: 0 })) break;
    return performance.now() - began;
  };
}

const readers = {
  'as the kernel places them': await reader((_, start) => start()),
  'spread by Graft': await reader(await openThreadSpreader()),
};
const times = Object.fromEntries(Object.keys(readers).map((name): [string, number[]] => [name, []]));
for (let round = -1; round < ROUNDS; round += 1)
  for (const [name, read] of round % 2 === 0 ? Object.entries(readers) : Object.entries(readers).reverse()) {
    const ms = await read();
    // The first round is there to warm up.
    if (round >= 0) times[name]!.push(ms);
  }
await llama.dispose();

const [kernel, graft] = Object.values(times).map(median);
const percentile90 = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.9,
  );
printResult('prefill', {
  machine: describeMachine(),
  rows: [
    ...Object.entries(times).map(([name, values]) => ({
      [`threads, ${READ} tokens, ${cores} of them`]: name,
      median: `${median(values).toFixed(1)} ms`,
      '90th percentile': `${percentile90(values).toFixed(1)} ms`,
    })),
    {
      [`threads, ${READ} tokens, ${cores} of them`]: 'ratio',
      median: (kernel! / graft!).toFixed(2),
      '90th percentile': '',
    },
  ],
  model: MODEL,
});
