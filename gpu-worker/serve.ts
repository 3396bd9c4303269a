import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LlamaGpuType, Token } from 'node-llama-cpp';
import { timed } from './call-trace.js';
import { FreeCores } from './cores.js';
import { keyOf } from './engines/inference/adapters.js';
import { EmbeddingEngine } from './engines/embedding/embedding-engine.js';
import { calibrate } from './engines/inference/calibrate.js';
import { generate } from './engines/inference/generate.js';
import { openLlama } from './engines/inference/llama.js';
import { ModelHost, type HostedModel } from './engines/inference/model-host.js';
import { checkedPrompt, isSlow, requireTime } from './engines/inference/prefill.js';
import { openThreadSpreader, type SpreadThreads } from './engines/inference/spread-threads.js';
import { tokenizePrompt, tokenizeText } from './engines/inference/prompt.js';
import { scoreNext } from './engines/inference/score-next.js';
import { scoreText } from './engines/inference/score-text.js';
import { describeServer } from './hello.js';
import { Lane, QueueBudget } from './lane.js';
import { inspectInChild, readChatInChild } from './in-child.js';
import {
  serveRole,
  type ModelFile,
  type PromptSegment,
  type ServeOperations,
  type ServeOptions,
} from '../src/worker-protocol/index.js';
import { Server, type Call, type Handlers } from './server.js';
import type { Turn } from './turns.js';

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
  const generation = new Lane(options.sequences, Math.max(1, options.sequences - 1), budget, options.models);
  const embedding = new Lane(8, 6, budget);
  // Reading tokens needs the model in memory as well.
  const light = new Lane(4, 3, budget, options.models);
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

  /** Reads the tokens of a prompt first: how many there are decides whether there is time for it, and beside whom it waits. */
  const withPrompt = async <T>(
    { model, prompt, speed }: { model: ModelFile; prompt: readonly PromptSegment[]; speed?: number },
    call: Pick<Call, 'priority' | 'signal' | 'timeLeft' | 'trace'>,
    work: (hosted: HostedModel, prompt: readonly Token[], turn: Turn) => Promise<T>,
  ): Promise<T> => {
    const { tokens, slow } = await light.run({ ...call, group: model.sha256 }, () =>
      host.use(model, (hostedModel) => {
        if (speed !== undefined) hostedModel.pace.calibrated(speed);
        const tokens = checkedPrompt(hostedModel, prompt);
        const size = { tokens: tokens.length, reused: hostedModel.shared(tokens, model.adapters ?? []) };
        requireTime(hostedModel, size, call.timeLeft());
        return Promise.resolve({ tokens, slow: isSlow(hostedModel, size) });
      }),
    );
    return onCores(model, { ...call, slow }, (hostedModel, turn) => work(hostedModel, tokens, turn));
  };
  const onCores = <T>(
    model: ModelFile,
    {
      slow,
      priority,
      signal,
      trace,
      weight,
    }: Pick<Call, 'priority' | 'signal' | 'trace'> & { slow: boolean; weight?: number },
    work: (hosted: HostedModel, turn: Turn) => Promise<T>,
  ): Promise<T> =>
    generation.run({ priority, signal, trace, slow, weight, group: model.sha256 }, () =>
      host
        .use(model, (hostedModel) =>
          work(hostedModel, host.turns.join({ priority, signal, slow, group: groupOf(model) })),
        )
        .finally(() => host.trim()),
    );

  /** What somebody waits for is a part of a quick answer. */
  const besideTurns = <T>(priority: Call['priority'], work: () => Promise<T>): Promise<T> =>
    priority === 'bulk' ? work() : host.turns.beside(work);

  const handlers: Handlers<ServeOperations> = {
    generate: (input, call) =>
      withPrompt(input, call, (hostedModel, prompt, turn) => generate(llama, hostedModel, input, prompt, call, turn)),
    scoreNext: (input, call) =>
      withPrompt(input, call, (hostedModel, prompt, turn) => scoreNext(hostedModel, input, prompt, call, turn)),
    scoreText: (input, call) =>
      onCores(input.model, { ...call, slow: false }, (hostedModel, turn) => scoreText(hostedModel, input, call, turn)),
    embed: ({ embedder: files, texts }, { priority, signal, trace }) =>
      besideTurns(priority, () =>
        embedding.run({ priority, signal, trace }, () =>
          timed(trace, 'embed', () => embedder.embed(files, texts, priority, signal)),
        ),
      ),
    countTokens: ({ model, texts }, call) =>
      besideTurns(call.priority, () =>
        light.run({ ...call, group: model.sha256 }, () =>
          host.use(model, async (hostedModel) => {
            const counts: number[] = [];
            for (const text of texts) {
              call.signal.throwIfAborted();
              const tokens =
                typeof text === 'string'
                  ? tokenizeText(hostedModel.model, text)
                  : tokenizePrompt(hostedModel.model, text);
              counts.push(tokens.length);
              // Tokenizing is synchronous: let heartbeats and other requests in between.
              if (counts.length % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
            }
            return { counts };
          }),
        ),
      ),
    tokenize: ({ model, prompts }, call) =>
      besideTurns(call.priority, () =>
        light.run({ ...call, group: model.sha256 }, () =>
          host.use(model, (hostedModel) =>
            Promise.resolve({
              tokens: prompts.map((prompt) => Int32Array.from(tokenizePrompt(hostedModel.model, prompt))),
            }),
          ),
        ),
      ),
    inspectModel: ({ path }, call) => inspection.run(call, () => inspectInChild(path, call.signal)),
    readChat: (source, call) =>
      inspection.run(call, async () => ({ chat: await readChatInChild(source, call.signal) })),
    calibrate: ({ model }, call) =>
      onCores(model, { ...call, slow: false, weight: options.sequences }, (hostedModel, turn) =>
        calibrate(hostedModel, turn, call.signal),
      ),
  };

  const lanes = [generation, embedding, light, inspection];
  new Server(serveRole, handlers, await describeServer(llama, options, graftVersion), () => ({
    queued: budget.waiting,
    active: lanes.reduce((sum, lane) => sum + lane.active, 0),
    models: host.loaded,
  })).listen();
}
