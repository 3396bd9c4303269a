import { Graph, type Value } from '../graph/graph.js';
import { differentiate } from '../graph/gradients.js';
import { adapterLayout, type LoraOptions } from './adapter-layout.js';
import type { DecoderConfig } from './config.js';
import { decoder, logitsOf, outputWeight } from './decoder.js';

/** Logits at the places asked for: inputs ids, positions, mask, places [n] -> `logits` [n, vocabulary]. */
export function logitsGraph(config: DecoderConfig, lora: LoraOptions | null, longest: number): Graph {
  const graph = new Graph();
  const states = decoder(graph, config, lora, longest);
  const places = graph.input('places', ['answers'], 'index');
  graph.output('logits', logitsOf(graph, config, graph.gatherRows(states, places)));
  return graph;
}

/**
 * What the base model says at the places of general text, in the form that the loss needs:
 * `expected` [n, hidden], the mean of the output layer’s rows under its next-token distribution q, and `entropy` [n, 1] of q.
 */
export function teacherGraph(config: DecoderConfig, longest: number): Graph {
  const graph = new Graph();
  const states = decoder(graph, config, null, longest);
  const x = graph.gatherRows(states, graph.input('places', ['answers'], 'index'));
  const { logSum, softmax } = graph.logSumExp(logitsOf(graph, config, x));
  const expected = graph.gemm(softmax, outputWeight(graph, config));
  graph.output('expected', expected);
  graph.output('entropy', graph.subtract(logSum, graph.rowDot(expected, x)));
  return graph;
}

/**
 * The loss at each place: `losses` [answers + replayed, 1].
 *
 * With x the hidden state, E the output layer and t a target in the space of E's rows, each loss is logsumexp(x Eᵀ) - t·x:
 *  - t = E[label] makes it the cross-entropy of the label, -log p(label);
 *  - t = sum of q E for a distribution q makes it the cross-entropy of q and p, which is KL(q || p) plus q's entropy. Its
 *    gradient by the logits is p - q.
 * So the base model’s whole distribution enters as one row of `hidden` numbers, and no [places, vocabulary] table of it is
 * ever moved. Inputs: ids, positions, mask; places [answers + replayed]; labels [answers]; teacher [replayed, hidden].
 */
function lossesOf(graph: Graph, config: DecoderConfig, lora: LoraOptions | null, longest: number): Value {
  const states = decoder(graph, config, lora, longest);
  const x = graph.gatherRows(states, graph.input('places', ['places'], 'index'));
  const labels = graph.gatherRows(outputWeight(graph, config), graph.input('labels', ['answers'], 'index'));
  const teacher = graph.input('teacher', ['replayed', config.hidden]);
  const target = graph.concat([labels, teacher], 0, 'places');
  const { logSum } = graph.logSumExp(logitsOf(graph, config, x));
  return graph.subtract(logSum, graph.rowDot(target, x));
}

/** Losses without gradients: for validation. */
export function lossGraph(config: DecoderConfig, lora: LoraOptions | null, longest: number): Graph {
  const graph = new Graph();
  graph.output('losses', lossesOf(graph, config, lora, longest));
  return graph;
}

/** Losses, and for each parameter the gradient of the sum of weights * losses: input `weights` [answers + replayed, 1]. */
export function trainingGraph(config: DecoderConfig, lora: LoraOptions, longest: number): Graph {
  const graph = new Graph();
  const losses = lossesOf(graph, config, lora, longest);
  const weights = graph.input('weights', ['places', 1]);
  const { parameters } = adapterLayout(config, lora);
  const values = parameters.map(({ name, shape }) => graph.parameter(name, shape));
  const gradients = differentiate(graph, new Map([[losses, weights]]), values);
  graph.output('losses', losses);
  parameters.forEach(({ name }, index) => graph.output(gradientName(name), gradients[index] as Value));
  return graph;
}

export const gradientName = (parameter: string): string => `gradient.${parameter}`;
