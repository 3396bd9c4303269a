import type { Graph, Node, Value } from './graph.js';
import { sizeOf, type Dim, type Sizes } from './shape.js';

const BYTES = 4;

/** For each node, the values that nothing after it reads; outputs of the graph are read at the end. */
export function lastUses(graph: Graph): Map<Node, number[]> {
  const last = new Map<number, Node>();
  for (const node of graph.nodes)
    for (const { id } of [...node.outputs, ...node.inputs] satisfies Value[]) last.set(id, node);
  for (const { id } of graph.outputs.values()) last.delete(id);
  const uses = new Map<Node, number[]>();
  for (const [id, node] of last) uses.set(node, [...(uses.get(node) ?? []), id]);
  return uses;
}

export interface MemoryNeed {
  /** Of the frozen weights in single precision. */
  weightBytes: number;
  /** The most that is computed and still needed at one time, when nodes run in their order and each value goes after its last use. */
  peakBytes: number;
}

/** What a run of a graph at these sizes holds in memory; an executor that reuses space less well takes more. */
export function memoryNeed(graph: Graph, sizes: Sizes): MemoryNeed {
  const uses = lastUses(graph);
  const bytesOf = new Map<number, number>();
  // Few sizes have names, and thousands of values are made of them.
  const sizeByDim = new Map<Dim, number>();
  const sizeFor = (dim: Dim): number => {
    const size = sizeByDim.get(dim) ?? sizeOf(dim, sizes);
    sizeByDim.set(dim, size);
    return size;
  };
  let [weightBytes, live, peakBytes] = [0, 0, 0];
  for (const node of graph.nodes) {
    for (const { id, shape } of node.outputs) {
      const bytes = shape.reduce<number>((product, dim) => product * sizeFor(dim), BYTES);
      const isWeight = node.operation.kind === 'weight';
      if (isWeight) weightBytes += bytes;
      bytesOf.set(id, isWeight ? 0 : bytes);
      live += isWeight ? 0 : bytes;
    }
    peakBytes = Math.max(peakBytes, live);
    for (const id of uses.get(node) ?? []) live -= bytesOf.get(id)!;
  }
  return { weightBytes, peakBytes };
}
