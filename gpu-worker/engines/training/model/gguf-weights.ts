import { GraftError } from '../../../../src/kernel/errors.js';
import { readGgufHeader, type GgufHeader } from '../../../formats/gguf/header.js';
import { readTensor } from '../../../formats/gguf/tensor-data.js';
import type { Weights } from '../executors/executor.js';
import { linearSizes, type Group } from './adapter-layout.js';
import { decoderConfig, type Architecture, type DecoderConfig } from './config.js';
import { fromInterleaved } from './rotary-order.js';

/** GGUF's names of what the graph calls by these, one below the other. */
const LAYER_TENSORS: Readonly<Record<string, readonly string[]>> = {
  attention_norm: ['attn_norm.weight'],
  feed_forward_norm: ['ffn_norm.weight'],
  query_norm: ['attn_q_norm.weight'],
  key_norm: ['attn_k_norm.weight'],
  query_key_value: ['attn_q.weight', 'attn_k.weight', 'attn_v.weight'],
  'query_key_value.bias': ['attn_q.bias', 'attn_k.bias', 'attn_v.bias'],
  attention_output: ['attn_output.weight'],
  gate_up: ['ffn_gate.weight', 'ffn_up.weight'],
  down: ['ffn_down.weight'],
} satisfies Record<Group, readonly string[]> & Record<string, readonly string[]>;

/** Parts that only one of the architectures has. */
const OF_ARCHITECTURE: Readonly<Record<string, Architecture>> = {
  'query_key_value.bias': 'qwen2',
  query_norm: 'qwen3',
  key_norm: 'qwen3',
};

const MODEL_TENSORS: Readonly<Record<string, string>> = {
  embedding: 'token_embd.weight',
  output: 'output.weight',
  output_norm: 'output_norm.weight',
};

/**
 * The frozen weights of a GGUF model, dequantised when they are read: training sees exactly the numbers that are served.
 * Rows of q and k stand in halves, as the graph turns them.
 */
export class GgufWeights implements Weights {
  readonly config: DecoderConfig;
  private readonly header: GgufHeader;

  /**
   * @param longest positions that the rotary tables must hold
   * @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED
   */
  constructor(
    private readonly path: string,
    readonly longest: number,
  ) {
    this.header = readGgufHeader(path);
    this.config = decoderConfig(this.header);
    this.requireWhole();
  }

  read(name: string): Float32Array {
    if (name === 'rope.cosine') return this.rotaryTable(Math.cos);
    if (name === 'rope.sine') return this.rotaryTable(Math.sin);
    const model = MODEL_TENSORS[name];
    if (model !== undefined) return this.tensor(model);
    const [, layer, part] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    const pieces = LAYER_TENSORS[part ?? ''];
    if (pieces === undefined) throw new Error(`The graph asks for ${name}, which no GGUF tensor gives.`);
    return joined(pieces.map((piece) => this.ordered(piece, this.tensor(`blk.${layer}.${piece}`))));
  }

  /**
   * llama.cpp computes with whatever stands in a layer (biases, in a file of architecture llama); the graph would leave it out, and train another
   * model than the one that is served.
   */
  private requireWhole(): void {
    const { architecture } = this.config;
    const read = new Set(
      Object.entries(LAYER_TENSORS).flatMap(([part, pieces]) =>
        (OF_ARCHITECTURE[part] ?? architecture) === architecture ? pieces : [],
      ),
    );
    const unusedTensor = this.header.tensors.find(({ name }) => {
      const piece = /^blk\.\d+\.(.+)$/.exec(name)?.[1];
      return piece !== undefined && !read.has(piece);
    });
    if (unusedTensor)
      throw new GraftError(
        'MODEL_UNSUPPORTED',
        `A model of architecture ${architecture} with ${unusedTensor.name} can’t be trained here: training would leave that out.`,
      );
  }

  private tensor(name: string): Float32Array {
    return readTensor(this.path, this.header, name);
  }

  private ordered(piece: string, rows: Float32Array): Float32Array {
    if (this.config.architecture !== 'llama' || !/^attn_[qk]\.weight$/.test(piece)) return rows;
    return fromInterleaved(rows, linearSizes(this.config).q_proj[0], this.config.headSize);
  }

  /** The angle of position p and pair j is p * base^(-2j / headSize). [longest, headSize / 2] */
  private rotaryTable(transform: (angle: number) => number): Float32Array {
    const pairs = this.config.headSize / 2;
    return Float32Array.from({ length: this.longest * pairs }, (_, index) =>
      transform(Math.floor(index / pairs) * this.config.ropeBase ** ((-2 * (index % pairs)) / this.config.headSize)),
    );
  }
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
