import { closeSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import ort from 'onnxruntime-node';
import type { ExternalData } from '../../../formats/onnx/model-builder.js';
import type { Graph } from '../graph/graph.js';
import type { Executor, Feeds, Outputs, Program, Tensor, Weights } from './executor.js';
import { toOnnx } from './onnx-lowering.js';

const WEIGHTS_FILE = 'weights.bin';
/** The runtime maps the file into memory page by page. */
const PAGE_BYTES = 4096;

export interface OnnxOptions {
  /** A folder of its own, for models and weights; whoever made it removes it after `dispose`. */
  folder: string;
  threads: number;
}

/** Runs graphs in ONNX Runtime on the CPU. Weights lie in one file that all programs share, mapped, not copied. */
export class OnnxExecutor implements Executor {
  readonly identity: Readonly<Record<string, string | number>>;
  private readonly placed = new Map<string, ExternalData>();
  private readonly programs: Program[] = [];
  private written = 0;
  private models = 0;

  constructor(
    private readonly weights: Weights,
    private readonly options: OnnxOptions,
  ) {
    this.identity = {
      executor: 'onnx',
      runtime: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
      threads: options.threads,
      session: JSON.stringify(SESSION_OPTIONS),
    };
  }

  async compile(graph: Graph): Promise<Program> {
    for (const { operation } of graph.nodes) {
      if (operation.kind !== 'weight' || this.placed.has(operation.name)) continue;
      this.place(operation.name);
      // Dequantising is synchronous: let heartbeats in between.
      await immediate();
    }
    const path = join(this.options.folder, `program-${this.models++}.onnx`);
    await writeFile(
      path,
      toOnnx(graph, (name) => this.place(name)),
    );
    const session = await ort.InferenceSession.create(path, {
      ...SESSION_OPTIONS,
      ...MEMORY_OPTIONS,
      intraOpNumThreads: this.options.threads,
    });
    const program: Program = {
      run: (feeds) => run(session, feeds),
      dispose: () => session.release(),
    };
    this.programs.push(program);
    return program;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.programs.splice(0).map((program) => program.dispose()));
  }

  /** Appends a weight to the file the first time it is used. */
  private place(name: string): ExternalData {
    const placement = this.placed.get(name);
    if (placement !== undefined) return placement;
    const values = this.weights.read(name);
    const external = { location: WEIGHTS_FILE, offset: this.written, length: values.byteLength };
    const file = openSync(join(this.options.folder, WEIGHTS_FILE), this.written === 0 ? 'w' : 'r+');
    try {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let writtenBytes = 0; writtenBytes < bytes.length;)
        writtenBytes += writeSync(file, bytes, writtenBytes, bytes.length - writtenBytes, this.written + writtenBytes);
    } finally {
      closeSync(file);
    }
    this.written = Math.ceil((this.written + values.byteLength) / PAGE_BYTES) * PAGE_BYTES;
    this.placed.set(name, external);
    return external;
  }
}

/**
 * They decide the bits of the results, so a run keeps them from its first step to its last. Without prepacking the weights
 * stay where the file is mapped (about 0.7 GB less for a model of 135 million weights, at the same speed). Threads that
 * spin while they wait would take cores from questions that are being answered.
 */
const SESSION_OPTIONS = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  interOpNumThreads: 1,
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: { session: { disable_prepacking: '1', intra_op: { allow_spinning: '0' } } },
} as const satisfies ort.InferenceSession.SessionOptions;

/**
 * The runtime's arena never gives anything back, and takes another piece, each twice as large, whenever a batch of another length finds
 * no hole of its size: a run over examples of many lengths grew from 3.3 to 6.3 GB in 497 steps. Without it, tensors are taken
 * from the system and go back to it. That changes no bits, so runs that began with one go on: it is no part of the identity.
 */
const MEMORY_OPTIONS = { enableCpuMemArena: false } as const satisfies ort.InferenceSession.SessionOptions;

async function run(session: ort.InferenceSession, feeds: Feeds): Promise<Outputs> {
  const inputs = Object.fromEntries(
    session.inputNames.map((name) => {
      const feed = feeds[name];
      if (feed === undefined) throw new Error(`Input ${name} is missing.`);
      return [name, toOrt(feed)];
    }),
  );
  const results = await session.run(inputs);
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}

function toOrt({ data, shape }: Tensor): ort.Tensor {
  return data instanceof Float32Array
    ? new ort.Tensor('float32', data, shape)
    : new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
}
