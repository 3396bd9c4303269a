import { constants, setPriority } from 'node:os';
import { trainRole, type TrainOperations, type TrainOptions } from '../src/worker-protocol/index.js';
import { agreeInChild, compareInChild, quantizeInChild } from './engines/quantization/in-child.js';
import { describeTrainer } from './hello.js';
import { estimateTraining } from './engines/training/estimate-memory.js';
import { importAdapter } from './engines/training/import-adapter.js';
import { mergeAdapter } from './engines/training/merge-adapter.js';
import { measureExecutors } from './engines/training/measure-executors.js';
import { probeAdapter } from './engines/training/probe-adapter.js';
import { runTraining } from './engines/training/run-training.js';
import { tokenizeTexts } from './engines/training/tokenize.js';
import { Lane, QueueBudget } from './lane.js';
import { Server, type Handlers } from './server.js';

/**
 * The train worker: long work, one request at a time, behind everything else that wants a core. The operating system gives way to
 * others by priority; between batches the gateway's `hold` does (`Call.turn`), because a batch under way keeps caches and memory busy.
 */
export async function train(options: TrainOptions, graftVersion: string): Promise<void> {
  // Linux gives a priority to a thread: those that are started from here on inherit it, so this comes first. Not the lowest, which has a
  // seventieth of a core beside a program that wants it whole: on a busy machine a training then never ended.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const budget = new QueueBudget(options.queue);
  const lane = new Lane(1, 1, budget);
  const handlers: Handlers<TrainOperations> = {
    tokenize: (input, call) => lane.run(call, () => tokenizeTexts(input, call)),
    train: (input, call) => lane.run(call, () => runTraining(input, call)),
    importAdapter: (input, call) => lane.run(call, () => importAdapter(input)),
    probe: (input, call) => lane.run(call, () => probeAdapter(input, call)),
    measureExecutors: (input, call) => lane.run(call, () => measureExecutors(input, call)),
    quantize: (input, call) => lane.run(call, () => quantizeInChild(input, call)),
    compare: (input, call) => lane.run(call, () => compareInChild(input, call)),
    agree: (input, call) => lane.run(call, () => agreeInChild(input, call)),
    // Only the model's header is read: nobody waits for a training to end to hear what another would take.
    estimateMemory: async (input) => estimateTraining(input),
    mergeAdapter: (input, call) => lane.run(call, () => mergeAdapter(input, call)),
  };
  new Server(trainRole, handlers, describeTrainer(options, graftVersion), () => ({
    queued: budget.waiting,
    active: lane.active,
    models: [],
  })).listen();
}
