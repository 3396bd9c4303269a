import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { Ctx, Field, Float, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import type { WorkspaceId } from '../kernel/ids.js';
import {
  Needs,
  BigIntScalar,
  cost,
  DateTime,
  RunKind,
  RunStatus,
  type GraphContext,
  recordType,
} from '../graphql-kit/index.js';
import { WorkerState, type WorkerStatus } from '../platform/worker/index.js';
import { chosenExecutor, type ChosenExecutor } from '../training/index.js';
import type { PartReadiness } from './health.js';

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

registerEnumType(WorkerState, {
  name: 'WorkerState',
  description: 'Whether the worker process takes work.',
  valuesConfig: {
    IDLE: { description: 'Not running; its first work starts it.' },
    STARTING: { description: 'Loads its engines for the first time.' },
    READY: { description: 'Takes work.' },
    RESTARTING: { description: 'Crashed, and is being started again.' },
    BROKEN: { description: 'Crashed too often; it is left alone for a while.' },
    STOPPED: { description: 'Was stopped together with the gateway.' },
  },
});

@ObjectType({ description: 'One part of the system that others depend on.' })
export class SystemPart {
  @Field(() => String, { description: 'Name, as `/readyz` has it.' })
  name!: string;

  @Field(() => Boolean, { description: 'Whether it answers.' })
  ready!: boolean;

  @Field(() => Boolean, { description: 'Whether Graft started it itself; false for an external server.' })
  embedded!: boolean;

  @Field(() => String, { nullable: true, description: 'Its state in a few words.' })
  detail?: string | null;
}

@ObjectType({ description: 'Which programs answer.' })
export class Versions {
  @Field(() => String, { description: 'Version of Graft.' })
  graft!: string;

  @Field(() => String, { description: 'Version of Node.js.' })
  node!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Version of the inference engine; null while no worker is ready.',
  })
  inference!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Version of the embedding engine; null while no worker is ready.',
  })
  embedding!: string | null;
}

@ObjectType({ description: 'What an engine runs on, as found by loading it.' })
export class WorkerDevice {
  @Field(() => String, { description: 'Model of the processor.' })
  processor!: string;

  @Field(() => Int, { description: 'Processor cores that the worker may use.' })
  cores!: number;

  @Field(() => [String], {
    description: 'Instructions of the processor that decide how fast numbers are multiplied, as the system calls them.',
  })
  processorFlags!: string[];

  @Field(() => String, { nullable: true, description: 'Name of the GPU; null when there is none or none is used.' })
  gpu!: string | null;

  @Field(() => BigIntScalar, { description: 'Memory of the machine, in bytes.' })
  memoryBytes!: number;

  @Field(() => String, { description: 'What really runs inference: `cpu`, `cuda`, `vulkan` or `metal`.' })
  inferenceProvider!: string;

  @Field(() => String, { description: 'What really runs embedding: `cpu` or `cuda`.' })
  embeddingProvider!: string;
}

@ObjectType({ description: 'Threads that were measured as fastest on this machine.' })
export class WorkerThreads {
  @Field(() => Int, { description: 'Threads for reading prompts.' })
  prefill!: number;

  @Field(() => Int, { description: 'Threads for writing answers.' })
  decode!: number;
}

@ObjectType({ description: 'The worker process, which runs the models.' })
export class WorkerReport {
  @Field(() => WorkerState, { description: 'Whether it takes work.' })
  state!: WorkerState;

  @Field(() => Int, { nullable: true, description: 'Process id; null while none runs.' })
  pid!: number | null;

  @Field(() => Int, { description: 'How often it was restarted since the gateway started.' })
  restarts!: number;

  @Field(() => WorkerDevice, { nullable: true, description: 'What it runs on; null while it is not ready.' })
  device!: WorkerDevice | null;

  @Field(() => WorkerThreads, { nullable: true, description: 'Its thread counts; null before they are measured.' })
  threads!: WorkerThreads | null;

  @Field(() => Int, { description: 'Requests that wait.' })
  queued!: number;

  @Field(() => Int, { description: 'Requests under way.' })
  active!: number;

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Its resident memory, in bytes; null while it is not ready.',
  })
  memoryBytes!: number | null;
}

@ObjectType({ description: 'Memory, in bytes.' })
export class MemoryReport {
  @Field(() => BigIntScalar, { description: 'Resident memory of the gateway process.' })
  gatewayBytes!: number;

  @Field(() => BigIntScalar, { description: 'Free memory of the machine.' })
  freeBytes!: number;

  @Field(() => BigIntScalar, { description: 'Memory of the machine.' })
  totalBytes!: number;
}

@ObjectType({ description: 'The disk that holds GRAFT_HOME, in bytes.' })
export class DiskReport {
  @Field(() => BigIntScalar, { description: 'Free for Graft.' })
  freeBytes!: number;

  @Field(() => BigIntScalar, { description: 'Size of the file system.' })
  totalBytes!: number;
}

@ObjectType({ description: 'Runs of one kind that are not finished.' })
export class QueueReport {
  @Field(() => RunKind, { description: 'Kind of the runs.' })
  kind!: string;

  @Field(() => RunStatus, { description: '`QUEUED`, `RUNNING` or `PAUSED`.' })
  status!: RunStatus;

  @Field(() => Int, { description: 'How many there are.' })
  count!: number;
}

const TrainingExecutor = recordType(chosenExecutor);

@ObjectType({ description: 'What Graft runs on and how it is doing.' })
export class SystemStatus {
  @Field(() => Versions, { description: 'Which programs answer.' })
  versions!: Versions;

  @Field(() => DateTime, { description: 'When the gateway started.' })
  startedAt!: Date;

  @Field(() => Float, { description: 'Seconds since then.' })
  uptimeSeconds!: number;

  @Field(() => [SystemPart], { description: 'Database, vector store and worker: embedded or external, ready or not.' })
  parts!: SystemPart[];

  @Field(() => WorkerReport, { description: 'The worker that serves questions.' })
  worker!: WorkerReport;

  @Field(() => [TrainingExecutor], {
    description: 'What trains each model here; empty where only ONNX Runtime is installed, or nothing was trained yet.',
  })
  training!: ChosenExecutor[];

  @Field(() => MemoryReport, { description: 'Memory.' })
  memory!: MemoryReport;

  @Field(() => DiskReport, { nullable: true, description: 'Disk; null where the system does not tell.' })
  disk!: DiskReport | null;

  @Field(() => [QueueReport], { description: 'Unfinished runs of this workspace, by kind.' })
  queues!: QueueReport[];
}

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
