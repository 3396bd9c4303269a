import { product, sameShape, showShape, type Dim, type Shape } from './shape.js';

/** `float` is 32 bits wide; `index` holds token ids and positions. */
type ElementType = 'float' | 'index';

export interface Value {
  readonly id: number;
  readonly shape: Shape;
  readonly type: ElementType;
  readonly node: Node;
  /** True when a parameter is among the values that it was computed from. */
  readonly differentiable: boolean;
}

/** What a node computes. The docstrings of `Graph`’s methods say what each one means; an executor implements this list. */
type TensorOperation =
  | { kind: 'input'; name: string }
  | { kind: 'weight'; name: string }
  | { kind: 'parameter'; name: string }
  | ({ kind: 'gemm' } & MatrixOptions)
  | ({ kind: 'batchMatMul' } & MatrixOptions)
  | { kind: 'add' }
  | { kind: 'subtract' }
  | { kind: 'multiply' }
  | { kind: 'scale'; factor: number }
  | { kind: 'rmsNorm'; epsilon: number }
  | { kind: 'silu' }
  | { kind: 'maskedSoftmax' }
  | { kind: 'logSumExp' }
  | { kind: 'rowDot' }
  | { kind: 'rotate'; inverse: boolean }
  | { kind: 'gatherRows' }
  | { kind: 'scatterRows' }
  | { kind: 'split'; sizes: readonly number[] }
  | { kind: 'concat'; axis: number }
  | { kind: 'reshape' }
  | { kind: 'transpose'; order: readonly number[] };

export interface MatrixOptions {
  transposeA: boolean;
  transposeB: boolean;
  /** The product is multiplied by it, what is added to it is not. */
  alpha: number;
}

export interface Node {
  readonly operation: TensorOperation;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

type Outputs = readonly { shape: Shape; type?: ElementType }[];

/**
 * A computation over tensors, written down once and run by any executor. Nodes stand in an order in which they can run.
 * Every operation is a method: its docstring gives the shapes, its body checks them.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly outputs = new Map<string, Value>();
  private values = 0;
  private readonly named = new Map<string, Value>();

  /** A tensor that each run brings. */
  input(name: string, shape: Shape, type: ElementType = 'float'): Value {
    return this.source({ kind: 'input', name }, shape, type);
  }

  /** A frozen tensor of the model; the same name gives the same value. */
  weight(name: string, shape: Shape): Value {
    return this.source({ kind: 'weight', name }, shape, 'float');
  }

  /** A trained tensor: each run brings it, and gradients reach it. */
  parameter(name: string, shape: Shape): Value {
    return this.source({ kind: 'parameter', name }, shape, 'float');
  }

  output(name: string, value: Value): void {
    this.outputs.set(name, value);
  }

  /** alpha * op(a) op(b) + c: a [m, k], b [k, n], op transposes first if asked; c [m, n], or [n] for every row. */
  gemm(a: Value, b: Value, options: Partial<MatrixOptions> & { add?: Value } = {}): Value {
    const { add, ...rest } = options;
    const matrix = { transposeA: false, transposeB: false, alpha: 1, ...rest };
    const shape = this.productShape(a, b, matrix);
    if (a.shape.length !== 2 || b.shape.length !== 2) throw this.mismatch('gemm', a, b);
    if (add !== undefined && !sameShape(add.shape, shape) && !sameShape(add.shape, shape.slice(1)))
      throw this.mismatch('gemm', a, b, add);
    return this.one({ kind: 'gemm', ...matrix }, add === undefined ? [a, b] : [a, b, add], shape);
  }

  /** alpha * op(a) op(b) for each leading index: a [..., m, k], b [..., k, n] -> [..., m, n]. */
  batchMatMul(a: Value, b: Value, options: Partial<MatrixOptions> = {}): Value {
    const matrix = { transposeA: false, transposeB: false, alpha: 1, ...options };
    if (!sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) throw this.mismatch('batchMatMul', a, b);
    return this.one({ kind: 'batchMatMul', ...matrix }, [a, b], this.productShape(a, b, matrix));
  }

  /** Element by element; of two shapes the same but for the last size, one may be 1 there. */
  add(a: Value, b: Value): Value {
    return this.one({ kind: 'add' }, [a, b], this.broadcast('add', a, b));
  }

  /** As `add`. */
  subtract(a: Value, b: Value): Value {
    return this.one({ kind: 'subtract' }, [a, b], this.broadcast('subtract', a, b));
  }

  /** As `add`. */
  multiply(a: Value, b: Value): Value {
    return this.one({ kind: 'multiply' }, [a, b], this.broadcast('multiply', a, b));
  }

  scale(x: Value, factor: number): Value {
    return this.one({ kind: 'scale', factor }, [x], x.shape);
  }

  /**
   * Root mean square layer normalisation (Zhang and Sennrich 2019): y = x / sqrt(mean(x²) + epsilon) * gain.
   * x [n, h], gain [h] -> y [n, h] and the reciprocal root [n, 1].
   */
  rmsNorm(x: Value, gain: Value, epsilon: number): { y: Value; reciprocalRoot: Value } {
    if (!sameShape(gain.shape, x.shape.slice(-1))) throw this.mismatch('rmsNorm', x, gain);
    const outputs = [{ shape: x.shape }, { shape: [...x.shape.slice(0, -1), 1] }];
    const [y, reciprocalRoot] = this.node({ kind: 'rmsNorm', epsilon }, [x, gain], outputs) as [Value, Value];
    return { y, reciprocalRoot };
  }

  /** x * sigmoid(x) (Elfwing et al. 2017), and the sigmoid. */
  silu(x: Value): { y: Value; sigmoid: Value } {
    const outputs = [{ shape: x.shape }, { shape: x.shape }];
    const [y, sigmoid] = this.node({ kind: 'silu' }, [x], outputs) as [Value, Value];
    return { y, sigmoid };
  }

  /** softmax(scores + mask) over the last axis: scores [batch, g, q, k], mask [1, 1, q, k]. */
  maskedSoftmax(scores: Value, mask: Value): Value {
    return this.one({ kind: 'maskedSoftmax' }, [scores, mask], scores.shape);
  }

  /** log(sum(exp(x))) of each row, and softmax(x): x [n, v] -> [n, 1] and [n, v]. */
  logSumExp(x: Value): { logSum: Value; softmax: Value } {
    const outputs = [{ shape: [...x.shape.slice(0, -1), 1] }, { shape: x.shape }];
    const [logSum, softmax] = this.node({ kind: 'logSumExp' }, [x], outputs) as [Value, Value];
    return { logSum, softmax };
  }

  /** The scalar product of each row of a and of b: [..., n] and [..., n] -> [..., 1]. */
  rowDot(a: Value, b: Value): Value {
    if (!sameShape(a.shape, b.shape)) throw this.mismatch('rowDot', a, b);
    return this.one({ kind: 'rowDot' }, [a, b], [...a.shape.slice(0, -1), 1]);
  }

  /**
   * Rotary position embedding (Su et al. 2021), halves of a head as pairs: x [batch, sequence, heads * d] turned by the
   * angles of its positions [batch, sequence]; cosine and sine [longest, d / 2]. The inverse turns back.
   */
  rotate(x: Value, positions: Value, cosine: Value, sine: Value, inverse = false): Value {
    return this.one({ kind: 'rotate', inverse }, [x, positions, cosine, sine], x.shape);
  }

  /** Rows of a table: table [n, h], rows [m] -> [m, h]. */
  gatherRows(table: Value, rows: Value): Value {
    return this.one({ kind: 'gatherRows' }, [table, rows], [...rows.shape, ...table.shape.slice(1)]);
  }

  /** Zeros but for `updates` [m, h] added at `rows` [m], as long as `like` [n, h]; rows that occur twice are summed. */
  scatterRows(updates: Value, rows: Value, like: Value): Value {
    return this.one({ kind: 'scatterRows' }, [updates, rows, like], like.shape);
  }

  /** Pieces of the last axis. */
  split(x: Value, sizes: readonly number[]): Value[] {
    if (sizes.length === 1) return [x];
    if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape.at(-1)) throw this.mismatch('split', x);
    const outputs = sizes.map((size) => ({ shape: [...x.shape.slice(0, -1), size] }));
    return [...this.node({ kind: 'split', sizes }, [x], outputs)];
  }

  /** Joined along `axis`; `size` is the joined size where the pieces’ are not numbers. */
  concat(pieces: readonly Value[], axis: number, size?: Dim): Value {
    const [first] = pieces;
    if (first === undefined) throw new Error('Nothing to join.');
    if (pieces.length === 1) return first;
    const joined = size ?? pieces.reduce((sum, piece) => sum + (piece.shape[axis] as number), 0);
    return this.one(
      { kind: 'concat', axis },
      pieces,
      first.shape.map((dim, index) => (index === axis ? joined : dim)),
    );
  }

  /** The same elements in the same order. */
  reshape(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x;
    if (product(...x.shape) !== product(...shape)) throw new Error(`${showShape(x.shape)} is not ${showShape(shape)}.`);
    return this.one({ kind: 'reshape' }, [x], shape);
  }

  transpose(x: Value, order: readonly number[]): Value {
    return this.one(
      { kind: 'transpose', order },
      [x],
      order.map((axis) => x.shape[axis] as Dim),
    );
  }

  private source(operation: TensorOperation & { name: string }, shape: Shape, type: ElementType): Value {
    const existingValue = this.named.get(operation.name);
    const value = existingValue ?? this.one(operation, [], shape, type);
    if (!sameShape(value.shape, shape)) throw new Error(`${operation.name} is used with two shapes.`);
    this.named.set(operation.name, value);
    return value;
  }

  private one(operation: TensorOperation, inputs: readonly Value[], shape: Shape, type?: ElementType): Value {
    return this.node(operation, inputs, [{ shape, type }])[0] as Value;
  }

  private node(operation: TensorOperation, inputs: readonly Value[], outputs: Outputs): readonly Value[] {
    const differentiable = operation.kind === 'parameter' || inputs.some((input) => input.differentiable);
    const values: Value[] = [];
    const node: Node = { operation, inputs, outputs: values };
    for (const { shape, type = 'float' } of outputs)
      values.push({ id: this.values++, shape, type, node, differentiable });
    this.nodes.push(node);
    return values;
  }

  private productShape(a: Value, b: Value, { transposeA, transposeB }: MatrixOptions): Shape {
    const [m, k] = transposeA ? [a.shape.at(-1), a.shape.at(-2)] : [a.shape.at(-2), a.shape.at(-1)];
    const [l, n] = transposeB ? [b.shape.at(-1), b.shape.at(-2)] : [b.shape.at(-2), b.shape.at(-1)];
    if (m === undefined || n === undefined || k !== l) throw this.mismatch('product', a, b);
    return [...a.shape.slice(0, -2), m, n];
  }

  private broadcast(operation: string, a: Value, b: Value): Shape {
    if (sameShape(a.shape, b.shape)) return a.shape;
    const row = (value: Value): Shape => value.shape.slice(0, -1);
    if (sameShape(row(a), row(b)) && b.shape.at(-1) === 1) return a.shape;
    if (sameShape(row(a), row(b)) && a.shape.at(-1) === 1) return b.shape;
    if (sameShape(b.shape, a.shape.slice(-1))) return a.shape;
    throw this.mismatch(operation, a, b);
  }

  private mismatch(operation: string, ...values: readonly Value[]): Error {
    return new Error(`${operation} can’t take ${values.map(({ shape }) => showShape(shape)).join(' and ')}.`);
  }
}
