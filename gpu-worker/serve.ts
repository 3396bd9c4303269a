import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LlamaGpuType } from 'node-llama-cpp';
import { FreeCores } from './cores.js';
import { keyOf } from './engines/inference/adapters.js';
import { EmbeddingEngine } from './engines/embedding/embedding-engine.js';
import { calibrate } from './engines/inference/calibrate.js';
import { generate } from './engines/inference/generate.js';
import { openLlama } from './engines/inference/llama.js';
import { ModelHost } from './engines/inference/model-host.js';
import { openThreadSpreader, type SpreadThreads } from './engines/inference/spread-threads.js';
import { tokenizePrompt, tokenizeText } from './engines/inference/prompt.js';
import { scoreNext } from './engines/inference/score-next.js';
import { scoreText } from './engines/inference/score-text.js';
import { describeServer } from './hello.js';
import { Lane, QueueBudget } from './lane.js';
import { inspectInChild, readChatInChild } from './in-child.js';
import { serveRole, type ModelFile, type ServeOperations, type ServeOptions } from '../src/worker-protocol/index.js';
import { Server, type Handlers } from './server.js';

/** How long a bulk batch waits for interactive generations to end; then it runs anyway, so that ingestion never starves. */
const LONGEST_PAUSE_MS = 2_000;
const LOOK_EVERY_MS = 50;

/** What may be decoded together: one model, under one set of adapters. */
const groupOf = ({ sha256, adapters }: ModelFile): string => `${sha256} ${keyOf(adapters)}`;

/** The serve worker: engines, lanes and protocol put together. */
export async function serve(options: ServeOptions, graftVersion: string): Promise<void> {
  const gpu = options.provider.inference === 'cpu' ? false : (options.provider.inference as LlamaGpuType);
  const llama = await openLlama(gpu);
  const freeCores = new FreeCores();
  // On a GPU its driver waits, not llama.cpp's threads.
  const spread: SpreadThreads = gpu === false ? await openThreadSpreader() : (_, start) => start();
  const host = new ModelHost(llama, options, { free: () => freeCores.count, spread });
  const budget = new QueueBudget(options.queue);
  const generation = new Lane(options.sequences, Math.max(1, options.sequences - 1), budget);
  const embedding = new Lane(8, 6, budget);
  const light = new Lane(4, 3, budget);
  const inspection = new Lane(1, 1, budget);

  const quiet = async (signal: AbortSignal): Promise<void> => {
    const until = performance.now() + LONGEST_PAUSE_MS;
    while (generation.isRunning('interactive') && performance.now() < until && !signal.aborted)
      await sleep(LOOK_EVERY_MS);
  };
  const embedder = new EmbeddingEngine(
    { provider: options.provider.embedding, threads: Math.min(availableParallelism(), 8) },
    quiet,
  );

  const handlers: Handlers<ServeOperations> = {
    generate: (input, call) =>
      generation.run({ ...call, group: groupOf(input.model) }, () =>
        host.use(input.model, (hosted) => generate(llama, hosted, input, call)),
      ),
    scoreNext: (input, call) =>
      generation.run({ ...call, group: groupOf(input.model) }, () =>
        host.use(input.model, (hosted) => scoreNext(hosted, input, call.signal)),
      ),
    scoreText: (input, call) =>
      generation.run({ ...call, group: groupOf(input.model) }, () =>
        host.use(input.model, (hosted) => scoreText(hosted, input, call.signal)),
      ),
    embed: ({ embedder: files, texts }, { priority, signal }) =>
      embedding.run({ priority, signal }, () => embedder.embed(files, texts, priority, signal)),
    countTokens: ({ model, texts }, call) =>
      light.run(call, () =>
        host.use(model, async (hosted) => {
          const counts: number[] = [];
          for (const text of texts) {
            call.signal.throwIfAborted();
            const tokens =
              typeof text === 'string' ? tokenizeText(hosted.model, text) : tokenizePrompt(hosted.model, text);
            counts.push(tokens.length);
            // Tokenizing is synchronous: let heartbeats and other requests in between.
            if (counts.length % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          return { counts };
        }),
      ),
    inspectModel: ({ path }, call) => inspection.run(call, () => inspectInChild(path, call.signal)),
    readChat: (source, call) =>
      inspection.run(call, async () => ({ chat: await readChatInChild(source, call.signal) })),
    calibrate: ({ model }, call) =>
      generation.run({ ...call, group: groupOf(model), weight: options.sequences }, () =>
        host.use(model, (hosted) => calibrate(hosted, call.signal)),
      ),
  };

  const lanes = [generation, embedding, light, inspection];
  new Server(serveRole, handlers, await describeServer(llama, options, graftVersion), () => ({
    queued: budget.waiting,
    active: lanes.reduce((sum, lane) => sum + lane.active, 0),
    models: host.loaded,
  })).listen();
}
