import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelsOnDisk } from '../../src/platform/models-on-disk/index.js';
import { sha256 } from '../../src/kernel/hashing.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { ServeWorker, type ServeWorkerOptions } from '../../src/platform/worker/index.js';
import { workerProgram } from '../../src/platform/worker/spawn.js';
import {
  parseWorkerMessage,
  PROTOCOL_VERSION,
  type EmbedderFiles,
  type GenerateEvent,
  type ModelFile,
  type WorkerMessage,
  type ServeSettings,
} from '../../src/worker-protocol/index.js';

/** A larger file is a real model. */
const REMEMBERED_BYTES = 8_000_000;

export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

export interface TestWorker {
  client: ServeWorker;
  /** A folder of this worker's own; calibration.json lies there. */
  home: string;
  /** All that it and its supervisor logged. */
  log: LogLine[];
  dispose(): Promise<void>;
}

/** A real worker process under its supervisor; `dist/` must be built. Stop it in `afterAll`. */
export async function startWorker(options: Partial<ServeWorkerOptions> = {}): Promise<TestWorker> {
  const home = mkdtempSync(join(tmpdir(), 'graft-worker-'));
  const log: LogLine[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void log.push({ level, message, fields: fields as Record<string, unknown> });
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const client = new ServeWorker({ home, log: logger, gpu: false, drainMs: 0, ...options });
  await client.start();
  const dispose = async (): Promise<void> => {
    await client.stop();
    rmSync(home, { recursive: true, force: true });
  };
  return { client, home, log, dispose };
}

let shared: Promise<TestWorker> | undefined;

/**
 * The worker of this process, for files that only ask it: a start takes two seconds of a processor. What it found in a small model file it
 * finds once. A file that breaks its worker, reads its log or counts what it holds starts one of its own.
 */
export const sharedWorker = (): Promise<TestWorker> => (shared ??= startShared());

async function startShared(): Promise<TestWorker> {
  const worker = await startWorker();
  process.once('exit', () => rmSync(worker.home, { recursive: true, force: true }));
  const { client } = worker;
  const inspect = client.inspectModel.bind(client);
  const descriptions = new Map<string, ReturnType<typeof inspect>>();
  client.inspectModel = async (request, options) => {
    if (statSync(request.path).size > REMEMBERED_BYTES) return inspect(request, options);
    const digest = sha256(readFileSync(request.path));
    const description = descriptions.get(digest) ?? inspect(request, options);
    descriptions.set(digest, description);
    description.catch(() => descriptions.delete(digest));
    return description;
  };
  return { ...worker, dispose: () => Promise.resolve() };
}

/** A catalogue entry's files by role, fetched if they are not on this machine yet. */
async function filesOf(name: string): Promise<(role: string) => { path: string; sha256: string }> {
  const models = new ModelsOnDisk({
    folder: process.env.GRAFT_MODELS,
    hubEndpoint: process.env.HF_ENDPOINT,
    log: silentLogger(),
  });
  const files = await models.files(name);
  return (role) => {
    const file = files.find((candidate) => candidate.role === role);
    if (file === undefined) throw new Error(`${name} has no ${role}`);
    return file;
  };
}

/** The real weights of a model of the catalogue. */
export async function catalogueModel(name: string): Promise<ModelFile> {
  const { path, sha256 } = (await filesOf(name))('model');
  return { path, sha256, contextLength: 8_192 };
}

/** The default generator's. */
export const realModel = (): Promise<ModelFile> => catalogueModel('smollm2-135m-instruct');

/** The default embedder. */
export async function realEmbedder(): Promise<EmbedderFiles> {
  const name = 'all-minilm-l6-v2';
  const file = await filesOf(name);
  return {
    name,
    modelPath: file('model').path,
    tokenizerPath: file('tokenizer').path,
    sha256: file('model').sha256,
    tokenizerSha256: file('tokenizer').sha256,
    dimensions: 384,
    pooling: 'mean',
    normalised: true,
    maxTokens: 256,
  };
}

/** Everything a generation said. */
export async function collect(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export const doneOf = (events: GenerateEvent[]): Extract<GenerateEvent, { type: 'done' }> => {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the last event is ${last?.type}`);
  return last;
};

/** The worker's program without our client, to say to it what the client never would. */
export class RawWorker {
  readonly child: ChildProcess;
  readonly received: WorkerMessage[] = [];
  private wake: (() => void) | undefined;

  constructor(settings: ServeSettings = {}) {
    this.child = fork(workerProgram(), ['serve', JSON.stringify(settings)], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.child.on('message', (value) => {
      this.received.push(parseWorkerMessage(value));
      this.wake?.();
    });
  }

  send(message: Record<string, unknown>): void {
    this.child.send({ v: PROTOCOL_VERSION, ...message });
  }

  hello(): Promise<WorkerMessage> {
    this.send({ id: 'hello', kind: 'hello', versions: [PROTOCOL_VERSION], build: 'test' });
    return this.waitFor((message) => message.kind === 'hello');
  }

  /** The first message, received or still to come, that passes. */
  async waitFor(test: (message: WorkerMessage) => boolean): Promise<WorkerMessage> {
    for (;;) {
      const found = this.received.find(test);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async dispose(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }
}

export const workspaceId = '00000000-0000-7000-8000-000000000001';

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
