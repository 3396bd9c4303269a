import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import type { WorkspaceId } from '../../kernel/ids.js';
import {
  Needs,
  cost,
  RunKind,
  RunStatus,
  type GraphContext,
  recordType,
  objectType,
  ofType,
  enumType,
} from '../../kit/graphql/index.js';
import { WorkerState, type WorkerStatus } from '../../platform/worker/index.js';
import { chosenExecutor, type ChosenExecutor } from '../../learn/training/index.js';
import type { PartReadiness } from './health.js';
import { string, boolean, oneOf, date, float } from '../../kernel/record.js';

export interface SystemSources {
  /** Version of Graft. */
  version: string;
  /** Folder whose disk is reported. */
  home: string;
  parts(): Promise<readonly (PartReadiness & { embedded: boolean })[]>;
  worker: { readonly status: WorkerStatus };
  /** Thread counts that were measured for the default model; null before that. */
  threads(): { prefill: number; decode: number } | null;
  /** What trains here, as it was measured; empty before the first training where several engines could. */
  executors(): Promise<readonly ChosenExecutor[]>;
  /** How many runs of the workspace are queued or running, by kind. */
  queues(workspaceId: WorkspaceId): Promise<readonly { kind: string; status: string; count: number }[]>;
}

enumType(WorkerState, 'WorkerState', 'Whether the worker process takes work.', {
  IDLE: 'Not running; its first work starts it.',
  STARTING: 'Loads its engines for the first time.',
  READY: 'Takes work.',
  RESTARTING: 'Crashed, and is being started again.',
  BROKEN: 'Crashed too often; it is left alone for a while.',
  STOPPED: 'Was stopped together with the gateway.',
});

const SystemPart = objectType('SystemPart', 'One part of the system that others depend on.', {
  name: string('Name, as `/readyz` has it.'),
  ready: boolean('Whether it answers.'),
  embedded: boolean('Whether Graft started it itself; false for an external server.'),
  detail: string('Its state in a few words.').nullish(),
});

const Versions = objectType('Versions', 'Which programs answer.', {
  graft: string('Version of Graft.'),
  node: string('Version of Node.js.'),
  inference: string('Version of the inference engine; null while no worker is ready.').nullable(),
  embedding: string('Version of the embedding engine; null while no worker is ready.').nullable(),
});

const WorkerDevice = objectType('WorkerDevice', 'What an engine runs on, as found by loading it.', {
  processor: string('Model of the processor.'),
  cores: z.int().describe('Processor cores that the worker may use.'),
  processorFlags: z
    .array(z.string())
    .describe('Instructions of the processor that decide how fast numbers are multiplied, as the system calls them.'),
  gpu: string('Name of the GPU; null when there is none or none is used.').nullable(),
  memoryBytes: z.number().meta({ shown: 'BigInt' }).describe('Memory of the machine, in bytes.'),
  inferenceProvider: string('What really runs inference: `cpu`, `cuda`, `vulkan` or `metal`.'),
  embeddingProvider: string('What really runs embedding: `cpu` or `cuda`.'),
});

const WorkerThreads = objectType('WorkerThreads', 'Threads that were measured as fastest on this machine.', {
  prefill: z.int().describe('Threads for reading prompts.'),
  decode: z.int().describe('Threads for writing answers.'),
});
type WorkerThreads = InstanceType<typeof WorkerThreads>;

const WorkerReport = objectType('WorkerReport', 'The worker process, which runs the models.', {
  state: oneOf(WorkerState, 'Whether it takes work.'),
  pid: z.int().nullable().describe('Process id; null while none runs.'),
  restarts: z.int().describe('How often it was restarted since the gateway started.'),
  device: ofType(() => WorkerDevice)
    .nullable()
    .describe('What it runs on; null while it is not ready.'),
  threads: ofType(() => WorkerThreads)
    .nullable()
    .describe('Its thread counts; null before they are measured.'),
  queued: z.int().describe('Requests that wait.'),
  active: z.int().describe('Requests under way.'),
  memoryBytes: z
    .number()
    .meta({ shown: 'BigInt' })
    .nullable()
    .describe('Its resident memory, in bytes; null while it is not ready.'),
});
type WorkerReport = InstanceType<typeof WorkerReport>;

const MemoryReport = objectType('MemoryReport', 'Memory, in bytes.', {
  gatewayBytes: z.number().meta({ shown: 'BigInt' }).describe('Resident memory of the gateway process.'),
  freeBytes: z.number().meta({ shown: 'BigInt' }).describe('Free memory of the machine.'),
  totalBytes: z.number().meta({ shown: 'BigInt' }).describe('Memory of the machine.'),
});

const DiskReport = objectType('DiskReport', 'The disk that holds GRAFT_HOME, in bytes.', {
  freeBytes: z.number().meta({ shown: 'BigInt' }).describe('Free for Graft.'),
  totalBytes: z.number().meta({ shown: 'BigInt' }).describe('Size of the file system.'),
});

const QueueReport = objectType('QueueReport', 'Runs of one kind that are not finished.', {
  kind: oneOf(RunKind, 'Kind of the runs.'),
  status: oneOf(RunStatus, '`QUEUED`, `RUNNING` or `PAUSED`.'),
  count: z.int().describe('How many there are.'),
});
type QueueReport = InstanceType<typeof QueueReport>;

const TrainingExecutor = recordType(chosenExecutor);

const SystemStatus = objectType('SystemStatus', 'What Graft runs on and how it is doing.', {
  versions: ofType(() => Versions).describe('Which programs answer.'),
  startedAt: date('When the gateway started.'),
  uptimeSeconds: float('Seconds since then.'),
  parts: z
    .array(ofType(() => SystemPart))
    .describe('Database, vector store and worker: embedded or external, ready or not.'),
  worker: ofType(() => WorkerReport).describe('The worker that serves questions.'),
  training: z
    .array(ofType(() => TrainingExecutor))
    .describe('What trains each model here; empty where only ONNX Runtime is installed, or nothing was trained yet.'),
  memory: ofType(() => MemoryReport).describe('Memory.'),
  disk: ofType(() => DiskReport)
    .nullable()
    .describe('Disk; null where the system does not tell.'),
  queues: z.array(ofType(() => QueueReport)).describe('Unfinished runs of this workspace, by kind.'),
});
type SystemStatus = InstanceType<typeof SystemStatus>;

@Resolver()
export class SystemResolver {
  constructor(private readonly parts: { system: SystemSources }) {}

  @Needs('ASK')
  @Query(() => SystemStatus, {
    complexity: cost(20),
    description: 'Versions, parts, devices, memory, disk and queues.',
  })
  async system(@Ctx() { workspaceId }: GraphContext): Promise<SystemStatus> {
    const { system: sources } = this.parts;
    const status = sources.worker.status;
    // Each part is asked on its own: this query is for the hour when one of them does not answer.
    const [parts, queues, disk, executors] = await Promise.all([
      sources.parts(),
      sources.queues(workspaceId).catch(() => []),
      statfs(sources.home).catch(() => null),
      sources.executors(),
    ]);
    return {
      versions: {
        graft: sources.version,
        node: process.versions.node,
        inference: status.hello?.build.llama ?? null,
        embedding: status.hello?.build.onnxruntime ?? null,
      },
      startedAt: new Date(performance.timeOrigin),
      uptimeSeconds: process.uptime(),
      parts: [...parts],
      worker: workerReport(status, sources.threads()),
      training: [...executors],
      memory: { gatewayBytes: process.memoryUsage.rss(), freeBytes: freemem(), totalBytes: totalmem() },
      disk: disk && { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize },
      queues: queues as QueueReport[],
    };
  }
}

function workerReport(
  { state, pid, restarts, hello, load }: WorkerStatus,
  threads: WorkerThreads | null,
): WorkerReport {
  return {
    state,
    pid,
    restarts,
    device: hello && {
      processor: hello.device.cpu.model,
      cores: hello.device.cpu.cores,
      processorFlags: hello.device.cpu.flags,
      gpu: hello.device.gpu?.name ?? null,
      memoryBytes: hello.device.memoryBytes,
      inferenceProvider: hello.provider.inference ?? 'none',
      embeddingProvider: hello.provider.embedding ?? 'none',
    },
    threads,
    queued: load?.queued ?? 0,
    active: load?.active ?? 0,
    memoryBytes: load?.rssBytes ?? null,
  };
}
