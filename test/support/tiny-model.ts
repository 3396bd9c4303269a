import { writeFileSync } from 'node:fs';
import { encodeGguf, type GgufField } from '../../gpu-worker/formats/gguf/encode.js';
import { encodeLora, type LoraModule } from './gguf-lora.js';
import { sha256 } from '../../src/kernel/hashing.js';
import type { AdapterFile, ModelFile } from '../../src/worker-protocol/index.js';
import { seededRandom } from '../../src/kernel/random.js';

/** Shape of the tiny model: a llama with random weights. It writes nonsense, but llama.cpp runs it like any other. */
const HIDDEN = 64;
const LAYERS = 2;
const HEADS = 4;
const KEY_VALUE_HEADS = 2;
const FEED_FORWARD = 128;
export const TINY_CONTEXT = 2_048;

const CONTROL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
const MERGES = [
  't h',
  'i n',
  'e r',
  'a n',
  'o n',
  'th e',
  'Ġ t',
  'Ġ a',
  'Ġt he',
  'in g',
  'an d',
  'Ġ s',
  'e n',
  'o r',
  'Ġ o',
];

/** ChatML, as the real default model uses it. */
export const TINY_CHAT_TEMPLATE =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** Templates that would stop, or end, the process that renders them for a prompt. */
export const HOSTILE_TEMPLATES = {
  'loops for hours':
    '{% for i in range(6000) %}{% for j in range(6000) %}{% for k in range(6000) %}{% if k > 7000 %}{{ k }}{% endif %}{% endfor %}{% endfor %}{% endfor %}',
  'loops over numbers': '{% for i in range(60000) %}{% for j in range(60000) %}{{ j }}{% endfor %}{% endfor %}',
  'writes without end': '{% for i in range(1000000000) %}x{% endfor %}',
  'takes all memory':
    "{% set ns = namespace(t='0123456789', all=[]) %}{% for i in range(9000) %}{% set ns.t = ns.t + ns.t[0:100000] %}{% set ns.all = ns.all + [ns.t + 'x'] %}{{ ns.all }}{% endfor %}",
  'goes deep': `{{ ${'['.repeat(20_000)}${']'.repeat(20_000)} }}`,
  'calls macros in macros': `${Array.from({ length: 40 }, (_, i) => `{% macro m${i}(x) %}{{ ${i === 0 ? 'x' : `m${i - 1}(x) ~ m${i - 1}(x)`} }}{% endmacro %}`).join('')}{% for m in messages %}{{ m39(m.content) }}{% endfor %}`,
} as const;

/** As the worker is asked about it. */
export const TINY_CHAT_SOURCE = { template: TINY_CHAT_TEMPLATE, bosToken: '<|im_start|>', eosToken: '<|im_end|>' };

export interface TinyModelOptions {
  /** In place of ChatML; null: none. */
  chatTemplate?: string | null;
  /** More entries of the header, or others in place of those that it has. */
  metadata?: Readonly<Record<string, GgufField>>;
  /** `llama.context_length`, in tokens. */
  contextLength?: number;
  /** Same seed, same bytes. */
  seed?: number;
  architecture?: string;
  /** `general.type` of the file. */
  type?: string;
  /** `general.file_type`, which the file lacks unless given. */
  fileType?: number;
  /** Gains of the normalisations that differ from 1, so that a test notices where one is left out. */
  variedGains?: boolean;
  /** The byte that it says over and over, whatever it reads. */
  always?: string;
  /** Without an output layer of its own the embedding serves as one. */
  tiedOutput?: boolean;
  /** More tensors, by name, with their dimensions. */
  tensors?: Readonly<Record<string, number[]>>;
}

/** GPT-2's printable stand-in for each of the 256 bytes. */
function byteSymbols(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** What each token of the tiny model says, by its id; the last three are special. */
export const TINY_TOKENS: readonly { bytes: Buffer; special: boolean }[] = (() => {
  const symbols = byteSymbols();
  const byteOf = new Map(symbols.map((symbol, byte) => [symbol, byte]));
  const told = (text: string): Buffer => Buffer.from(Array.from(text, (symbol) => byteOf.get(symbol)!));
  return [
    ...symbols.map((symbol) => ({ bytes: told(symbol), special: false })),
    ...MERGES.map((merge) => ({ bytes: told(merge.replace(' ', '')), special: false })),
    ...CONTROL.map((name) => ({ bytes: Buffer.from(name), special: true })),
  ];
})();

/** A uniform generator turned into normal variates by Box and Muller. */
function normals(seed: number): () => number {
  const uniform = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The bytes of the tiny model, about half a megabyte of F32. */
export function tinyModel({
  seed = 1,
  architecture = 'llama',
  type = 'model',
  fileType,
  variedGains = false,
  always,
  tiedOutput = false,
  chatTemplate = TINY_CHAT_TEMPLATE,
  contextLength = TINY_CONTEXT,
  metadata: more = {},
  tensors: others = {},
}: TinyModelOptions = {}): Buffer {
  const tokens = [...byteSymbols(), ...MERGES.map((merge) => merge.replace(' ', '')), ...CONTROL];
  const control = (name: string): number => tokens.indexOf(name);
  const tokenTypes = tokens.map((token) => (CONTROL.includes(token) ? 3 : 1));
  const metadata: Record<string, GgufField> = {
    'general.architecture': { string: architecture },
    'general.type': { string: type },
    ...(fileType !== undefined && { 'general.file_type': { u32: fileType } }),
    'general.name': { string: 'Tiny' },
    'general.license': { string: 'apache-2.0' },
    [`${architecture}.context_length`]: { u32: contextLength },
    [`${architecture}.embedding_length`]: { u32: HIDDEN },
    [`${architecture}.block_count`]: { u32: LAYERS },
    [`${architecture}.feed_forward_length`]: { u32: FEED_FORWARD },
    [`${architecture}.attention.head_count`]: { u32: HEADS },
    [`${architecture}.attention.head_count_kv`]: { u32: KEY_VALUE_HEADS },
    [`${architecture}.attention.layer_norm_rms_epsilon`]: { f32: 1e-5 },
    [`${architecture}.rope.dimension_count`]: { u32: HIDDEN / HEADS },
    ...(architecture === 'qwen3' && {
      [`${architecture}.attention.key_length`]: { u32: HIDDEN / HEADS },
      [`${architecture}.attention.value_length`]: { u32: HIDDEN / HEADS },
    }),
    [`${architecture}.vocab_size`]: { u32: tokens.length },
    'tokenizer.ggml.model': { string: 'gpt2' },
    'tokenizer.ggml.pre': { string: 'smollm' },
    'tokenizer.ggml.tokens': { strings: tokens },
    'tokenizer.ggml.token_type': { i32s: tokenTypes },
    'tokenizer.ggml.merges': { strings: MERGES },
    'tokenizer.ggml.bos_token_id': { u32: control('<|im_start|>') },
    'tokenizer.ggml.eos_token_id': { u32: control('<|im_end|>') },
    'tokenizer.ggml.add_bos_token': { bool: false },
    ...(chatTemplate !== null && { 'tokenizer.chat_template': { string: chatTemplate } }),
    ...more,
  };

  const keyValue = (HIDDEN / HEADS) * KEY_VALUE_HEADS;
  const tensors: [name: string, dimensions: number[]][] = [
    ['token_embd.weight', [HIDDEN, tokens.length]],
    ['output_norm.weight', [HIDDEN]],
    ...(tiedOutput ? [] : [['output.weight', [HIDDEN, tokens.length]] as [string, number[]]]),
  ];
  for (let layer = 0; layer < LAYERS; layer++)
    tensors.push(
      [`blk.${layer}.attn_norm.weight`, [HIDDEN]],
      [`blk.${layer}.attn_q.weight`, [HIDDEN, HIDDEN]],
      [`blk.${layer}.attn_k.weight`, [HIDDEN, keyValue]],
      [`blk.${layer}.attn_v.weight`, [HIDDEN, keyValue]],
      [`blk.${layer}.attn_output.weight`, [HIDDEN, HIDDEN]],
      [`blk.${layer}.ffn_norm.weight`, [HIDDEN]],
      [`blk.${layer}.ffn_gate.weight`, [HIDDEN, FEED_FORWARD]],
      [`blk.${layer}.ffn_up.weight`, [HIDDEN, FEED_FORWARD]],
      [`blk.${layer}.ffn_down.weight`, [FEED_FORWARD, HIDDEN]],
      ...(architecture === 'qwen2' ? attentionBiases(layer, keyValue) : []),
      ...(architecture === 'qwen3' ? headNorms(layer) : []),
    );

  tensors.push(...Object.entries(others));

  const normal = normals(seed);
  const made = tensors.map(([name, dimensions]) => ({
    name,
    dimensions,
    data: weights(name, dimensions, normal, variedGains),
  }));
  if (always !== undefined) sayAlways(tokens.indexOf(always), made);
  return encodeGguf(metadata, made);
}

/** One dimension of every token's vector outweighs all others, and is what the output layer looks for in this token. */
function sayAlways(token: number, tensors: readonly { name: string; data: Float32Array }[]): void {
  for (const { name, data } of tensors) {
    if (name === 'token_embd.weight') for (let at = 0; at < data.length; at += HIDDEN) data[at] = 20;
    if (name === 'output.weight') data[token * HIDDEN] = 20;
  }
}

const attentionBiases = (layer: number, keyValue: number): [name: string, dimensions: number[]][] => [
  [`blk.${layer}.attn_q.bias`, [HIDDEN]],
  [`blk.${layer}.attn_k.bias`, [keyValue]],
  [`blk.${layer}.attn_v.bias`, [keyValue]],
];

const headNorms = (layer: number): [name: string, dimensions: number[]][] => [
  [`blk.${layer}.attn_q_norm.weight`, [HIDDEN / HEADS]],
  [`blk.${layer}.attn_k_norm.weight`, [HIDDEN / HEADS]],
];

function weights(
  name: string,
  [fanIn = 1, fanOut = 1]: number[],
  normal: () => number,
  variedGains: boolean,
): Float32Array {
  const values = new Float32Array(fanIn * fanOut);
  if (name.endsWith('norm.weight')) values.forEach((_, index) => (values[index] = variedGains ? 1 + normal() / 5 : 1));
  else if (name.endsWith('.bias')) values.forEach((_, index) => (values[index] = normal()));
  else
    values.forEach(
      (_, index) => (values[index] = normal() * (name === 'token_embd.weight' ? 1 : 1.5 / Math.sqrt(fanIn))),
    );
  // Control tokens get logit 0, which is never the largest: an answer ends only where a test says so.
  if (name === 'output.weight') values.fill(0, fanIn * (fanOut - CONTROL.length));
  return values;
}

/** Writes the tiny model and returns it as callers of the worker name a model. */
export function writeTinyModel(path: string, options: TinyModelOptions = {}): ModelFile {
  const bytes = tinyModel(options);
  writeFileSync(path, bytes);
  return { path, sha256: sha256(bytes), contextLength: TINY_CONTEXT };
}

export interface TinyAdapterOptions {
  /** Same seed, same bytes. */
  seed?: number;
  rank?: number;
  architecture?: string;
  /** 0 makes an adapter that changes nothing. */
  strength?: number;
  /** Changes what is written. */
  edit?: (modules: LoraModule[]) => LoraModule[];
}

/** A LoRA for the tiny model with random weights: it writes other nonsense. */
export function tinyAdapter({
  seed = 1,
  rank = 4,
  architecture = 'llama',
  strength = 1,
  edit = (modules) => modules,
}: TinyAdapterOptions = {}): Buffer {
  const normal = normals(seed * 7_919);
  const random = (length: number): Float32Array => Float32Array.from({ length }, () => normal() * 0.3 * strength);
  const module = (target: string, input: number, output: number): LoraModule => ({
    target,
    rank,
    a: random(rank * input),
    b: random(output * rank),
  });
  const modules = Array.from({ length: LAYERS }, (_, layer) => [
    module(`blk.${layer}.attn_q.weight`, HIDDEN, HIDDEN),
    module(`blk.${layer}.attn_v.weight`, HIDDEN, (HIDDEN / HEADS) * KEY_VALUE_HEADS),
    module(`blk.${layer}.ffn_up.weight`, HIDDEN, FEED_FORWARD),
    module(`blk.${layer}.ffn_down.weight`, FEED_FORWARD, HIDDEN),
  ]).flat();
  return encodeLora({ architecture, name: `tiny ${seed}`, alpha: 2 * rank, modules: edit(modules) });
}

/** Writes an adapter of the tiny model and returns it as a model file names it. */
export function writeTinyAdapter(path: string, options: TinyAdapterOptions = {}): AdapterFile {
  const bytes = tinyAdapter(options);
  writeFileSync(path, bytes);
  return { path, sha256: sha256(bytes), scale: 1 };
}
