import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GraftError } from '../../kernel/errors.js';
import {
  calibration,
  serveOperations,
  serveProvider,
  serveRole,
  type ThreadCalibration,
  type GenerateChunk,
  type GenerateEvent,
  type GenerateRequest,
  type NameOf,
  type OutputOf,
  type ServeOperations,
  type ServeProvider,
  type ServeRequest,
  type ServeSettings,
  type ThreadChoice,
} from '../../worker-protocol/index.js';
import { spend } from '../spending/index.js';
import { charging } from './charging.js';
import { InteractiveGauge } from './interactive-gauge.js';
import { MeasurementStore } from './measurement-store.js';
import { CallsOfServe } from './serve-calls.js';
import { runOnce, workerProgram } from './spawn.js';
import type { CallEvent, CallOptions, WorkerClient, WorkerStatus } from './worker-client.js';
import { WorkerSupervisor, type ProcessOptions } from './worker-supervisor.js';

const PROBE_TIMEOUT_MS = 60_000;

export interface ServeWorkerOptions extends ProcessOptions {
  /** GRAFT_HOME: calibration.json is kept there. */
  home: string;
  /** false: never use a GPU. */
  gpu?: boolean;
  worker?: ServeSettings;
}

/** The worker that answers: inference and embedding, kept running from start to stop. */
export class ServeWorker extends CallsOfServe implements WorkerClient {
  /** Tells who should stand aside while somebody waits for an answer. */
  readonly interactive = new InteractiveGauge();
  private readonly supervisor: WorkerSupervisor<ServeOperations>;
  private readonly calibrations: MeasurementStore<ThreadCalibration>;
  private readonly threads = new Map<string, ThreadCalibration>();
  private provider: ServeProvider | null = null;

  constructor(private readonly options: ServeWorkerOptions) {
    super();
    this.calibrations = new MeasurementStore(join(options.home, 'calibration.json'), calibration);
    this.supervisor = new WorkerSupervisor({
      ...options,
      role: serveRole,
      settings: async () => ({ ...options.worker, provider: (this.provider ??= await this.probe()) }),
    });
  }

  get status(): WorkerStatus {
    return this.supervisor.status;
  }

  /** Probes a GPU in a throw-away process, then starts the worker. @throws SETUP_FAILED when this machine can't run it */
  start(): Promise<void> {
    return this.supervisor.start();
  }

  stop(): Promise<void> {
    return this.supervisor.stop();
  }

  async embed(
    request: ServeRequest<'embed'>,
    options: CallOptions = {},
  ): Promise<{ vectors: Float32Array[]; truncated: number[]; tokens: number }> {
    const { vectors, truncated, tokens } = await this.call('embed', request, options);
    const size = request.embedder.dimensions;
    if (vectors.length !== request.texts.length * size)
      throw new GraftError('PROTOCOL_ERROR', 'Vectors of the wrong size came back.');
    const rows = request.texts.map(
      (_, row) => new Float32Array(vectors.buffer, vectors.byteOffset + row * size * 4, size),
    );
    return { vectors: rows, truncated, tokens };
  }

  async *generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GenerateEvent, void, undefined> {
    const { workspaceId, ...rest } = request;
    const calibration = this.measuredOf(request.model.sha256);
    const leave = this.entered(options);
    try {
      yield* charging(eventsOf(this.supervisor.stream('generate', workspaceId, { ...rest, ...calibration }, options)));
    } finally {
      leave();
    }
  }

  async countTokens(request: ServeRequest<'countTokens'>, options: CallOptions = {}): Promise<number[]> {
    return (await this.call('countTokens', request, options)).counts;
  }

  async prepareModel(request: ServeRequest<'calibrate'>, options: CallOptions = {}): Promise<ThreadCalibration> {
    const withTime = { deadlineMs: serveOperations.calibrate.deadlineMs, ...options };
    const { sha256 } = request.model;
    const key = MeasurementStore.key(await this.supervisor.hello(withTime), 'llama', sha256);
    // A busy machine's figures are in memory alone: good enough until this gateway ends.
    const knownCalibration = this.threads.get(sha256) ?? (await this.calibrations.get(key));
    const calibration = knownCalibration ?? (await this.call('calibrate', request, withTime));
    this.threads.set(sha256, calibration);
    if (knownCalibration === null) {
      if (calibration.quiet) await this.calibrations.set(key, calibration);
      this.options.log.info({ sha256, ...calibration }, 'thread counts measured');
    } else await this.countTokens({ ...request, texts: [] }, withTime); // loads it
    return calibration;
  }

  async measured(digests: readonly string[], options: CallOptions = {}): Promise<(ThreadCalibration | null)[]> {
    const hello = await this.supervisor.hello(options);
    return Promise.all(
      digests.map(
        async (sha256) =>
          this.threads.get(sha256) ?? (await this.calibrations.get(MeasurementStore.key(hello, 'llama', sha256))),
      ),
    );
  }

  private async call<O extends NameOf<ServeOperations>>(
    operation: O,
    request: ServeRequest<O>,
    options: CallOptions = {},
  ): Promise<OutputOf<ServeOperations[O]>> {
    const { workspaceId, ...rest } = request;
    const { model } = request as Partial<GenerateRequest>;
    const calibration = model && this.measuredOf(model.sha256);
    const leave = this.entered(options);
    try {
      const output = await this.supervisor.call(operation, workspaceId, { ...rest, ...calibration } as never, options);
      spend(tokensOf(output));
      return output;
    } finally {
      leave();
    }
  }

  /** What was measured of a model: its best thread counts, and how fast it reads with them, in tokens/s. */
  private measuredOf(sha256: string): { threads?: ThreadChoice; speed?: number } {
    const { threads, measurements = [] } = this.threads.get(sha256) ?? {};
    const speed = measurements.find((measurement) => measurement.threads === threads?.prefill)?.prefillTokensPerSecond;
    return { threads, ...(speed !== undefined && speed > 0 && { speed }) };
  }

  private entered({ priority }: CallOptions): () => void {
    return priority === 'bulk' ? () => undefined : this.interactive.enter();
  }

  /** The processor needs no probe: the worker says itself when it can't load its engines. */
  private async probe(): Promise<ServeProvider> {
    const { program = workerProgram(), log, gpu } = this.options;
    if (gpu !== false && mayHaveGpu())
      try {
        return serveProvider.parse(await runOnce(program, 'probe', null, { log, timeoutMs: PROBE_TIMEOUT_MS }));
      } catch (error) {
        log.warn({ err: error }, 'the GPU can’t be used; going on without');
      }
    return { inference: 'cpu', embedding: 'cpu' };
  }
}

/** As which Linux shows graphics processors: of any maker, of NVIDIA, of AMD, of Windows below it. Loading drivers for none takes a second. */
const GPU_DEVICES = ['/dev/dri', '/dev/nvidiactl', '/dev/kfd', '/dev/dxg'];
const mayHaveGpu = (): boolean => process.platform !== 'linux' || GPU_DEVICES.some((device) => existsSync(device));

/** The end of a streamed call as the last of its events. */
async function* eventsOf(
  calls: AsyncIterable<CallEvent<GenerateChunk, OutputOf<ServeOperations['generate']>>>,
): AsyncGenerator<GenerateEvent, void, undefined> {
  for await (const event of calls) {
    if (event.type === 'chunk') yield event.chunk;
    else if (event.type === 'done') yield { type: 'done', ...event.output };
  }
}

/** Tokens that a call read, where its output says so: embeddings, next tokens, texts that were scored. */
function tokensOf(output: object): number {
  const { tokens, promptTokens, logProbabilities } = output as Partial<Record<string, unknown>>;
  if (typeof promptTokens === 'number') return promptTokens;
  if (typeof tokens === 'number') return tokens;
  return logProbabilities instanceof Float32Array ? logProbabilities.length : 0;
}
