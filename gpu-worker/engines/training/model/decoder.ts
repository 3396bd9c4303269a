import { type Graph, type Value } from '../graph/graph.js';
import { product } from '../graph/shape.js';
import {
  GROUPS,
  linearSizes,
  loraScale,
  parameterName,
  trainedTargets,
  type Group,
  type LoraOptions,
  type Target,
} from './adapter-layout.js';
import type { DecoderConfig } from './config.js';

/** Tokens of a run, one sequence a row, padded on the right: `batch` rows of `sequence` tokens. */
const ROWS = product('batch', 'sequence');

/** What every layer of one run shares. */
interface Run {
  graph: Graph;
  config: DecoderConfig;
  lora: LoraOptions | null;
  /** [batch, sequence]: each token’s place in its sequence. */
  positions: Value;
  /** [1, 1, queries * sequence, sequence], added to the attention scores: 0 or a large negative number. */
  mask: Value;
  /** [longest, headSize / 2] each. */
  cosine: Value;
  sine: Value;
}

/**
 * A decoder of the llama family (Touvron et al. 2023; Qwen2 2024; Qwen3 2025) over token ids [batch * sequence], with LoRA
 * (Hu et al. 2021) beside its linear layers unless `lora` is null.
 * @returns the normalised hidden states [batch * sequence, hidden], which the output layer turns into logits
 */
export function decoder(graph: Graph, config: DecoderConfig, lora: LoraOptions | null, longest: number): Value {
  const { hidden, layers, vocabulary, heads, keyValueHeads, headSize } = config;
  const run: Run = {
    graph,
    config,
    lora,
    positions: graph.input('positions', ['batch', 'sequence'], 'index'),
    mask: graph.input('mask', [1, 1, product(heads / keyValueHeads, 'sequence'), 'sequence']),
    cosine: graph.weight('rope.cosine', [longest, headSize / 2]),
    sine: graph.weight('rope.sine', [longest, headSize / 2]),
  };
  const ids = graph.input('ids', [ROWS], 'index');
  let x = graph.gatherRows(graph.weight('embedding', [vocabulary, hidden]), ids);
  for (let layer = 0; layer < layers; layer++) {
    x = attention(run, layer, x);
    x = feedForward(run, layer, x);
  }
  return norm(run, 'output_norm', x);
}

/** The output layer: hidden states [n, hidden] -> logits [n, vocabulary]. */
export const logitsOf = (graph: Graph, config: DecoderConfig, states: Value): Value =>
  graph.gemm(states, outputWeight(graph, config), { transposeB: true });

/** [vocabulary, hidden] */
export const outputWeight = (graph: Graph, { tiedOutput, vocabulary, hidden }: DecoderConfig): Value =>
  graph.weight(tiedOutput ? 'embedding' : 'output', [vocabulary, hidden]);

/** x + o(attention(norm(x))), with rotary positions and grouped queries. x [batch * sequence, hidden] -> the same. */
function attention(run: Run, layer: number, x: Value): Value {
  const { graph, config } = run;
  const { heads, keyValueHeads, headSize, architecture } = config;
  const normed = norm(run, `layers.${layer}.attention_norm`, x);
  const [q, k, v] = linear(run, layer, 'query_key_value', normed, { bias: architecture === 'qwen2' }) as [
    Value,
    Value,
    Value,
  ];
  const query = byGroup(run, turned(run, headNorm(run, layer, 'query_norm', q, heads)), heads);
  const key = byGroup(run, turned(run, headNorm(run, layer, 'key_norm', k, keyValueHeads)), keyValueHeads);
  const value = byGroup(run, v, keyValueHeads);
  const scores = graph.batchMatMul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(headSize) });
  const mixed = graph.batchMatMul(graph.maskedSoftmax(scores, run.mask), value);
  const [y] = linear(run, layer, 'attention_output', fromGroups(run, mixed, heads), { addTo: x }) as [Value];
  return y;
}

/** x + down(silu(gate(norm(x))) * up(norm(x))) (Shazeer 2020). x [batch * sequence, hidden] -> the same. */
function feedForward(run: Run, layer: number, x: Value): Value {
  const { graph } = run;
  const normed = norm(run, `layers.${layer}.feed_forward_norm`, x);
  const [gate, up] = linear(run, layer, 'gate_up', normed) as [Value, Value];
  const [y] = linear(run, layer, 'down', graph.multiply(graph.silu(gate).y, up), { addTo: x }) as [Value];
  return y;
}

/**
 * The layers of one group: y = x Wᵀ + alpha/rank (x Aᵀ) Bᵀ for each, plus a bias, or plus `addTo` where the group is one
 * layer. x [n, in] -> [n, out] for each layer of the group.
 */
function linear(
  { graph, config, lora }: Run,
  layer: number,
  group: Group,
  x: Value,
  { bias = false, addTo }: { bias?: boolean; addTo?: Value } = {},
): Value[] {
  const sizes = linearSizes(config);
  const members: readonly Target[] = GROUPS[group];
  const widths = members.map((target) => sizes[target][1]);
  const inputs = x.shape[1] as number;
  const outputs = widths.reduce((sum, width) => sum + width, 0);
  const weight = graph.weight(`layers.${layer}.${group}`, [outputs, inputs]);
  const add = bias ? graph.weight(`layers.${layer}.${group}.bias`, [outputs]) : addTo;
  const frozen = graph.split(graph.gemm(x, weight, { transposeB: true, add }), widths);
  const trained = lora === null ? [] : trainedTargets(group, lora);
  if (lora === null || trained.length === 0) return frozen;
  const a = graph.parameter(parameterName(layer, group, 'A'), [trained.length * lora.rank, inputs]);
  const low = graph.split(
    graph.gemm(x, a, { transposeB: true }),
    trained.map(() => lora.rank),
  );
  return members.map((target, index) => {
    const y = frozen[index] as Value;
    const narrow = low[trained.indexOf(target)];
    if (narrow === undefined) return y;
    const b = graph.parameter(parameterName(layer, target, 'B'), [sizes[target][1], lora.rank]);
    return graph.gemm(narrow, b, { transposeB: true, alpha: loraScale(lora), add: y });
  });
}

/** [n, h] -> the same. */
function norm({ graph, config }: Run, name: string, x: Value): Value {
  return graph.rmsNorm(x, graph.weight(name, x.shape.slice(-1)), config.normEpsilon).y;
}

/** Qwen3 normalises each head of the queries and of the keys. [batch * sequence, heads * headSize] -> the same. */
function headNorm(run: Run, layer: number, name: string, x: Value, heads: number): Value {
  const { graph, config } = run;
  if (config.architecture !== 'qwen3') return x;
  const perHead = graph.reshape(x, [product(ROWS, heads), config.headSize]);
  return graph.reshape(norm(run, `layers.${layer}.${name}`, perHead), x.shape);
}

/** [batch * sequence, heads * headSize] -> the same, each head turned by its token’s position. */
function turned({ graph, positions, cosine, sine }: Run, x: Value): Value {
  const rows = graph.reshape(x, ['batch', 'sequence', x.shape[1] as number]);
  return graph.reshape(graph.rotate(rows, positions, cosine, sine), x.shape);
}

/**
 * [batch * sequence, heads * headSize] -> [batch, keyValueHeads, heads/keyValueHeads * sequence, headSize]: the queries
 * that share a key stand in one matrix, so that a group is one product.
 */
function byGroup({ graph, config }: Run, x: Value, heads: number): Value {
  const { keyValueHeads, headSize } = config;
  const split = graph.transpose(graph.reshape(x, ['batch', 'sequence', heads, headSize]), [0, 2, 1, 3]);
  return graph.reshape(split, ['batch', keyValueHeads, product(heads / keyValueHeads, 'sequence'), headSize]);
}

/** The way back of `byGroup`. */
function fromGroups({ graph, config }: Run, x: Value, heads: number): Value {
  const split = graph.reshape(x, ['batch', heads, 'sequence', config.headSize]);
  return graph.reshape(graph.transpose(split, [0, 2, 1, 3]), [ROWS, heads * config.headSize]);
}
