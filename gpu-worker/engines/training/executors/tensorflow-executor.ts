import type * as TensorFlow from '@tensorflow/tfjs-core';
import type { Graph, Node } from '../graph/graph.js';
import { lastUses } from '../graph/liveness.js';
import { sizeOf, type Shape, type Sizes } from '../graph/shape.js';
import { sizesOfFeeds, type Executor, type Feeds, type Outputs, type Program, type Weights } from './executor.js';

type TF = typeof TensorFlow;
type TfTensor = TensorFlow.Tensor;

/** What the native backend found when it was loaded; others have the processor only. */
function deviceOf(tf: TF): 'cpu' | 'gpu' {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  return isUsingGpuDevice === true ? 'gpu' : 'cpu';
}

/**
 * Runs graphs in TensorFlow.js, node by node, on whichever backend the given library has: its native one for work, the plain
 * one as an independent check of the other executor.
 */
export class TensorFlowExecutor implements Executor {
  readonly identity: Readonly<Record<string, string | number>>;
  private readonly constants = new Map<string, TfTensor>();

  constructor(
    private readonly tf: TF,
    private readonly weights: Weights,
    threads: number,
    build: string,
  ) {
    const runtime = `${build} ${tf.version_core}`;
    this.identity = { executor: 'tensorflow', runtime, backend: tf.getBackend(), device: deviceOf(tf), threads };
  }

  async compile(graph: Graph): Promise<Program> {
    const uses = lastUses(graph);
    return { run: (feeds) => this.run(graph, uses, feeds), dispose: async () => undefined };
  }

  async dispose(): Promise<void> {
    for (const tensor of this.constants.values()) tensor.dispose();
    this.constants.clear();
  }

  private async run(graph: Graph, uses: ReadonlyMap<Node, readonly number[]>, feeds: Feeds): Promise<Outputs> {
    const sizes = sizesOfFeeds(graph, feeds);
    const values = new Map<number, TfTensor>();
    const weightTensors = new Set<TfTensor>();
    for (const node of graph.nodes) {
      const results = this.tf.tidy(() => this.evaluate(node, values, sizes, feeds));
      results.forEach((result, index) => values.set(node.outputs[index]!.id, result));
      if (node.operation.kind === 'weight') weightTensors.add(results[0]!);
      for (const id of uses.get(node) ?? []) {
        const tensor = values.get(id)!;
        values.delete(id);
        if (!weightTensors.has(tensor)) tensor.dispose();
      }
    }
    const outputs = [...graph.outputs].map(async ([name, value]) => {
      const data = (await values.get(value.id)!.data()) as Float32Array;
      return [name, data] as const;
    });
    const results = Object.fromEntries(await Promise.all(outputs));
    for (const tensor of values.values()) if (!weightTensors.has(tensor)) tensor.dispose();
    return results;
  }

  /** One node’s outputs, as tensors that the caller disposes of; a weight’s stays. */
  // whole: one case an operation.
  private evaluate(node: Node, values: ReadonlyMap<number, TfTensor>, sizes: Sizes, feeds: Feeds): TfTensor[] {
    const { tf } = this;
    const { operation, inputs, outputs } = node;
    const operands = inputs.map((input) => values.get(input.id)!);
    const [a, b, c] = operands as [TfTensor, TfTensor, TfTensor];
    const shape = concrete(outputs[0]!.shape, sizes);
    switch (operation.kind) {
      case 'input':
      case 'parameter': {
        const { data, shape: fed } = feeds[operation.name]!;
        return [tf.tensor(data, [...fed], data instanceof Float32Array ? 'float32' : 'int32')];
      }
      case 'weight':
        return [this.constant(operation.name, shape)];
      case 'gemm':
      case 'batchMatMul': {
        const matrix = tf.matMul(a, b, operation.transposeA, operation.transposeB);
        const scaled = operation.alpha === 1 ? matrix : tf.mul(matrix, operation.alpha);
        return [c === undefined ? scaled : tf.add(scaled, c)];
      }
      case 'add':
        return [tf.add(a, b)];
      case 'subtract':
        return [tf.sub(a, b)];
      case 'multiply':
        return [tf.mul(a, b)];
      case 'scale':
        return [tf.mul(a, operation.factor)];
      case 'rmsNorm': {
        const root = tf.rsqrt(tf.add(tf.mean(tf.square(a), -1, true), operation.epsilon));
        return [tf.mul(tf.mul(a, root), b), root];
      }
      case 'silu': {
        const sigmoid = tf.sigmoid(a);
        return [tf.mul(a, sigmoid), sigmoid];
      }
      case 'maskedSoftmax':
        return [tf.softmax(tf.add(a, b))];
      case 'logSumExp':
        return [tf.logSumExp(a, -1, true), tf.softmax(a)];
      case 'rowDot':
        return [tf.sum(tf.mul(a, b), -1, true)];
      case 'rotate':
        return [this.rotate(a, b, c, operands[3]!, operation.inverse)];
      case 'gatherRows':
        return [tf.gather(a, b)];
      case 'scatterRows':
        return [tf.scatterND(tf.expandDims(b, -1), a, shape)];
      case 'split':
        return tf.split(a, [...operation.sizes], -1);
      case 'concat':
        return [tf.concat(operands, operation.axis)];
      case 'reshape':
        return [tf.reshape(a, shape)];
      case 'transpose':
        return [tf.transpose(a, [...operation.order])];
    }
  }

  /** x [batch, sequence, heads * d]; positions [batch, sequence]; cosine and sine [longest, d / 2] -> as x. */
  private rotate(x: TfTensor, positions: TfTensor, cosine: TfTensor, sine: TfTensor, inverse: boolean): TfTensor {
    const { tf } = this;
    const [batch, sequence, width] = x.shape as [number, number, number];
    const half = cosine.shape[1]!;
    const angles = (table: TfTensor): TfTensor =>
      tf.reshape(tf.gather(table, tf.reshape<TensorFlow.Rank.R1>(positions, [-1])), [batch, sequence, 1, half]);
    const heads = tf.reshape<TensorFlow.Rank.R4>(x, [batch, sequence, width / (2 * half), 2 * half]);
    const halves = tf.split(heads, 2, -1);
    const [first, second] = [halves[0]!, halves[1]!];
    const cos = angles(cosine);
    const sin = inverse ? tf.neg(angles(sine)) : angles(sine);
    const turned = [tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))];
    return tf.reshape(tf.concat(turned, -1), x.shape);
  }

  private constant(name: string, shape: number[]): TfTensor {
    const cachedTensor = this.constants.get(name);
    if (cachedTensor !== undefined) return cachedTensor;
    const tensor = this.tf.keep(this.tf.tensor(this.weights.read(name), shape, 'float32'));
    this.constants.set(name, tensor);
    return tensor;
  }
}

const concrete = (shape: Shape, sizes: Sizes): number[] => shape.map((dim) => sizeOf(dim, sizes));
