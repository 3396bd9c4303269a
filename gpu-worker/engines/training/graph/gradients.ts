import type { Graph, Node, Value } from './graph.js';
import { sameShape } from './shape.js';

/**
 * A contribution to a gradient, built on demand: given what was gathered so far, it returns the sum. A matrix product adds
 * inside the product (the C of GEMM), which saves writing and reading the intermediate result.
 */
type Contribution = (sum: Value | undefined) => Value;
/** For each input of a node, its part of the gradient; nothing where no gradient is wanted. */
type Contributions = readonly (Contribution | undefined)[];

/**
 * Reverse-mode differentiation (Griewank and Walther, Evaluating Derivatives, chapter 3): extends the graph by the nodes
 * that compute d(sum of seed * value) / d(parameter), for every seeded value and each of the parameters.
 * @param seeds values and the gradient that arrives at each, of the same shape
 * @returns the gradient of each parameter, of the parameter’s shape
 */
export function differentiate(graph: Graph, seeds: ReadonlyMap<Value, Value>, parameters: readonly Value[]): Value[] {
  const gradients = new Map<number, Value>();
  for (const [value, seed] of seeds) gradients.set(value.id, seed);
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some(({ id }) => gradients.has(id))) continue;
    const arriving = node.outputs.map(({ id }) => gradients.get(id));
    const parts = contributions(graph, node, arriving);
    node.inputs.forEach((input, index) => {
      const contribution = parts[index];
      if (contribution !== undefined && input.differentiable)
        gradients.set(input.id, contribution(gradients.get(input.id)));
    });
  }
  return parameters.map((parameter) => {
    const gradient = gradients.get(parameter.id);
    if (gradient === undefined) throw new Error('A parameter has no influence on what is differentiated.');
    return gradient;
  });
}

/** The product of the arriving gradient and the Jacobian of one node, for each input. */
// whole: one case an operation.
function contributions(graph: Graph, node: Node, arriving: readonly (Value | undefined)[]): Contributions {
  const { operation, inputs, outputs } = node;
  const [a, b] = inputs as [Value, Value];
  const dy = arriving[0] as Value;
  const summed =
    (build: () => Value): Contribution =>
    (sum) =>
      sum === undefined ? build() : graph.add(sum, build());

  switch (operation.kind) {
    case 'input':
    case 'weight':
    case 'parameter':
      return [];
    case 'gemm': {
      const { transposeA, transposeB, alpha } = operation;
      const bias = inputs[2];
      if (bias?.differentiable && !sameShape(bias.shape, dy.shape)) throw new Error('A bias is not trained.');
      return [
        (add) =>
          transposeA
            ? graph.gemm(b, dy, { transposeA: transposeB, transposeB: true, alpha, add })
            : graph.gemm(dy, b, { transposeB: !transposeB, alpha, add }),
        (add) =>
          transposeB
            ? graph.gemm(dy, a, { transposeA: true, transposeB: transposeA, alpha, add })
            : graph.gemm(a, dy, { transposeA: !transposeA, alpha, add }),
        summed(() => dy),
      ];
    }
    case 'batchMatMul': {
      const { transposeA, transposeB, alpha } = operation;
      return [
        summed(() =>
          transposeA
            ? graph.batchMatMul(b, dy, { transposeA: transposeB, transposeB: true, alpha })
            : graph.batchMatMul(dy, b, { transposeB: !transposeB, alpha }),
        ),
        summed(() =>
          transposeB
            ? graph.batchMatMul(dy, a, { transposeA: true, transposeB: transposeA, alpha })
            : graph.batchMatMul(a, dy, { transposeA: !transposeA, alpha }),
        ),
      ];
    }
    case 'add':
      return [summed(() => dy), summed(() => dy)];
    case 'subtract':
      return [summed(() => dy), summed(() => graph.scale(dy, -1))];
    case 'multiply':
      if (!sameShape(a.shape, b.shape)) throw new Error('Only a product of equal shapes is differentiated.');
      return [summed(() => graph.multiply(dy, b)), summed(() => graph.multiply(dy, a))];
    case 'scale':
      return [summed(() => graph.scale(dy, operation.factor))];
    case 'rmsNorm': {
      // With u = dy * gain and r the reciprocal root: dx = r (u - x r² mean(u x)).
      const r = outputs[1] as Value;
      return [
        summed(() => {
          const u = graph.multiply(dy, b);
          const mean = graph.scale(graph.rowDot(u, a), 1 / (a.shape.at(-1) as number));
          return graph.multiply(graph.subtract(u, graph.multiply(a, graph.multiply(mean, graph.multiply(r, r)))), r);
        }),
      ];
    }
    case 'silu': {
      // With s = sigmoid(x) and y = x s: dy/dx = s + s (x - y).
      const [y, s] = outputs as [Value, Value];
      return [summed(() => graph.multiply(dy, graph.add(s, graph.multiply(s, graph.subtract(a, y)))))];
    }
    case 'maskedSoftmax': {
      const p = outputs[0] as Value;
      return [
        summed(() => {
          const weighted = graph.multiply(dy, p);
          return graph.subtract(weighted, graph.multiply(p, graph.rowDot(dy, p)));
        }),
      ];
    }
    case 'logSumExp': {
      if (arriving[1] !== undefined) throw new Error('The softmax beside a log-sum-exp is not differentiated.');
      return [summed(() => graph.multiply(outputs[1] as Value, dy))];
    }
    case 'rowDot':
      return [summed(() => graph.multiply(b, dy)), summed(() => graph.multiply(a, dy))];
    case 'rotate': {
      const [, positions, cosine, sine] = inputs as [Value, Value, Value, Value];
      // A rotation is orthogonal: its transpose turns back.
      return [summed(() => graph.rotate(dy, positions, cosine, sine, !operation.inverse))];
    }
    case 'gatherRows':
      return [summed(() => graph.scatterRows(dy, b, a))];
    case 'scatterRows':
      return [summed(() => graph.gatherRows(dy, b))];
    case 'split':
      return [
        summed(() => {
          const pieces = arriving.map((piece) => {
            if (piece === undefined) throw new Error('Every piece of a split must matter.');
            return piece;
          });
          return graph.concat(pieces, a.shape.length - 1);
        }),
      ];
    case 'concat': {
      if (operation.axis !== dy.shape.length - 1) throw new Error('Only a join of columns is differentiated.');
      const pieces = graph.split(
        dy,
        inputs.map(({ shape }) => shape.at(-1) as number),
      );
      return pieces.map((piece) => summed(() => piece));
    }
    case 'reshape':
      return [summed(() => graph.reshape(dy, a.shape))];
    case 'transpose': {
      const back = operation.order.map((_, axis) => operation.order.indexOf(axis));
      return [summed(() => graph.transpose(dy, back))];
    }
  }
}
