import type { Graph } from '../graph/graph.js';
import { sizesOf, type Shape, type Sizes } from '../graph/shape.js';

/** A tensor as executors take it: row-major; indices as 32-bit whole numbers. */
export interface Tensor {
  data: Float32Array | Int32Array;
  shape: readonly number[];
}

export type Feeds = Readonly<Record<string, Tensor>>;
export type Outputs = Readonly<Record<string, Float32Array>>;

/** The frozen tensors of a model by their name in the graph, row-major. */
export interface Weights {
  read(name: string): Float32Array;
}

/** A graph made ready to run. */
export interface Program {
  /** Outputs by name, row-major. They stay valid until the next run of the same program. */
  run(feeds: Feeds): Promise<Outputs>;
  dispose(): Promise<void>;
}

/** What runs graphs: the same graph and the same numbers in give the same numbers out, up to rounding. */
export interface Executor {
  /** What decides the bits of its results, beside the graph: names, versions, options, threads. */
  readonly identity: Readonly<Record<string, string | number>>;
  compile(graph: Graph): Promise<Program>;
  dispose(): Promise<void>;
}

/** The named sizes of a run. @throws Error when a tensor has another rank than its input */
export function sizesOfFeeds(graph: Graph, feeds: Feeds): Sizes {
  const inputs: { shape: Shape; given: readonly number[] }[] = [];
  for (const { operation, outputs } of graph.nodes) {
    if (operation.kind !== 'input' && operation.kind !== 'parameter') continue;
    const feed = feeds[operation.name];
    const shape = outputs[0]!.shape;
    if (feed?.shape.length !== shape.length) throw new Error(`Input ${operation.name} is missing or of another rank.`);
    inputs.push({ shape, given: feed.shape });
  }
  return sizesOf(inputs);
}
