import { OnnxModelBuilder, type ExternalData } from '../../../formats/onnx/model-builder.js';
import type { Graph, MatrixOptions, Node, Value } from '../graph/graph.js';
import type { Dim, Shape } from '../graph/shape.js';

const MICROSOFT = 'com.microsoft';
const TYPES = { float: 'float32', index: 'int64' } as const;

/**
 * Writes a graph as an ONNX model for ONNX Runtime. Where the runtime has one kernel for several steps, it is used:
 * GEMM with its addend, RotaryEmbedding, SimplifiedLayerNormalization, FusedMatMul.
 * @param place where the weight of that name lies, in a file beside the model
 */
export function toOnnx(graph: Graph, place: (name: string) => ExternalData): Uint8Array {
  return new Lowering(graph, place).encode();
}

class Lowering {
  private readonly model = new OnnxModelBuilder();
  private readonly names = new Map<number, string>();
  /** One-element tensors with the sizes that runs bring, by the size’s name. */
  private readonly sizes = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly place: (name: string) => ExternalData,
  ) {}

  encode(): Uint8Array {
    for (const node of this.graph.nodes)
      this.lower(node).forEach((name, index) => this.names.set(node.outputs[index]!.id, name));
    for (const [name, value] of this.graph.outputs)
      this.model.output(name, this.nameOf(value), TYPES[value.type], value.shape);
    return this.model.encode();
  }

  /** @returns the names of the node’s outputs */
  // whole: one case an operation.
  private lower({ operation, inputs, outputs }: Node): string[] {
    const { model } = this;
    const names = inputs.map((input) => this.nameOf(input));
    const [a, b, c] = names as [string, string, string];
    const output = outputs[0] as Value;
    switch (operation.kind) {
      case 'input':
      case 'parameter':
        return [this.input(operation.name, output)];
      case 'weight':
        return [model.external(operation.name, output.shape as number[], this.place(operation.name))];
      case 'gemm':
        return model.node('Gemm', names, { attributes: { ...matrix(operation), beta: { float: 1 } } });
      case 'batchMatMul':
        return model.node('FusedMatMul', names, { attributes: matrix(operation), domain: MICROSOFT });
      case 'add':
        return model.node('Add', names);
      case 'subtract':
        return model.node('Sub', names);
      case 'multiply':
        return model.node('Mul', names);
      case 'scale':
        return model.node('Mul', [a, model.scalar(operation.factor)]);
      case 'rmsNorm':
        return model.node('SimplifiedLayerNormalization', names, {
          attributes: { axis: -1, epsilon: { float: operation.epsilon }, stash_type: 1 },
          outputs: 2,
        });
      case 'silu': {
        const [sigmoid] = model.node('Sigmoid', [a]) as [string];
        return [...model.node('Mul', [a, sigmoid]), sigmoid];
      }
      case 'maskedSoftmax':
        return model.node('Softmax', model.node('Add', names), { attributes: { axis: -1 } });
      case 'logSumExp': {
        // The largest probability is exp(largest - logsumexp), so no second pass of exponentials is needed.
        const [softmax] = model.node('Softmax', [a], { attributes: { axis: -1 } }) as [string];
        const largest = this.reduce('ReduceMax', a);
        const logSum = model.node('Sub', [largest, ...model.node('Log', [this.reduce('ReduceMax', softmax)])]);
        return [...logSum, softmax];
      }
      case 'rowDot':
        return model.node('ReduceSum', [...model.node('Mul', names), model.integers([-1])], {
          attributes: { keepdims: 1 },
        });
      case 'rotate': {
        const [x, positions, cosine, sine] = names as [string, string, string, string];
        const turn = operation.inverse ? model.node('Neg', [sine]) : [sine];
        return model.node('RotaryEmbedding', [x, positions, cosine, ...turn], {
          attributes: { interleaved: 0 },
          domain: MICROSOFT,
        });
      }
      case 'gatherRows':
        return model.node('Gather', names, { attributes: { axis: 0 } });
      case 'scatterRows': {
        const zeros = model.node('ConstantOfShape', model.node('Shape', [c]));
        const rows = model.node('Unsqueeze', [b, model.integers([-1])]);
        return model.node('ScatterND', [...zeros, ...rows, a], { attributes: { reduction: 'add' } });
      }
      case 'split':
        return model.node('Split', [a, model.integers(operation.sizes)], {
          attributes: { axis: -1 },
          outputs: outputs.length,
        });
      case 'concat':
        return model.node('Concat', names, { attributes: { axis: operation.axis } });
      case 'reshape':
        return model.node('Reshape', [a, this.target(output.shape)]);
      case 'transpose':
        return model.node('Transpose', names, { attributes: { perm: operation.order } });
    }
  }

  private nameOf(value: Value): string {
    const name = this.names.get(value.id);
    if (name === undefined) throw new Error('A value is used before it is computed.');
    return name;
  }

  private input(name: string, { type, shape }: Value): string {
    this.model.input(name, TYPES[type], shape);
    const plain = shape.map((dim) => (typeof dim === 'string' && !dim.includes('*') ? dim : null));
    if (plain.some((dim) => dim !== null && !this.sizes.has(dim))) {
      const [whole] = this.model.node('Shape', [name]) as [string];
      plain.forEach((dim, axis) => {
        if (dim === null || this.sizes.has(dim)) return;
        const [size] = this.model.node('Gather', [whole, this.model.integers([axis])], { attributes: { axis: 0 } });
        this.sizes.set(dim, size as string);
      });
    }
    return name;
  }

  /** The shape that a reshape asks for, as a tensor; one unknown size is left for the runtime to infer (-1). */
  private target(shape: Shape): string {
    const inferred = shape.findLastIndex((dim) => typeof dim === 'string');
    const dims = shape.map((dim, axis) => (axis === inferred ? -1 : dim));
    if (dims.every((dim) => typeof dim === 'number')) return this.model.integers(dims);
    return this.model.node(
      'Concat',
      dims.map((dim) => this.size(dim)),
      { attributes: { axis: 0 } },
    )[0] as string;
  }

  private size(dim: Dim): string {
    if (typeof dim === 'number') return this.model.integers([dim]);
    const [first, ...rest] = dim.split('*').map((part) => {
      const sizeName = /^\d+$/.test(part) ? this.model.integers([Number(part)]) : this.sizes.get(part);
      if (sizeName === undefined) throw new Error(`No input has a size named ${part}.`);
      return sizeName;
    });
    return rest.reduce((total, part) => this.model.node('Mul', [total, part])[0] as string, first as string);
  }

  private reduce(type: 'ReduceMax', x: string): string {
    return this.model.node(type, [x], { attributes: { axes: [-1], keepdims: 1 } })[0] as string;
  }
}

const matrix = ({ transposeA, transposeB, alpha }: MatrixOptions): Record<string, number | { float: number }> => ({
  transA: Number(transposeA),
  transB: Number(transposeB),
  alpha: { float: alpha },
});
