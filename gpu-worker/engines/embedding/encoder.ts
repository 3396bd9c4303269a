import { readFile } from 'node:fs/promises';
import * as tokenizers from '@huggingface/tokenizers';
import * as ort from 'onnxruntime-node';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { meanPool } from './batches.js';

/** What is used of the package; its own type declarations import without extensions, which Node's resolution can't follow. */
interface TextTokenizer {
  encode(text: string): { ids: number[] };
}
const { Tokenizer } = tokenizers as unknown as { Tokenizer: new (json: object, config: object) => TextTokenizer };

/** Nothing of a text beyond this many UTF-16 units per token is looked at: words are shorter. */
const MAX_UNITS_PER_TOKEN = 64;

/** Token ids of several texts, one after the other; text `i` has `lengths[i]` of them. */
export interface TokenizedTexts {
  ids: Int32Array;
  lengths: number[];
  /** Places of the texts that were longer than the embedder's maxTokens. */
  truncated: number[];
}

/** A sentence encoder: one tokenizer and one ONNX session. Both calls are synchronous inside: use it in a thread. */
export class Encoder {
  private constructor(
    private readonly files: EmbedderFiles,
    private readonly tokenizer: TextTokenizer,
    private readonly session: ort.InferenceSession,
  ) {}

  static async open(files: EmbedderFiles, provider: string, threads: number): Promise<Encoder> {
    const tokenizer = new Tokenizer(JSON.parse(await readFile(files.tokenizerPath, 'utf8')) as object, {});
    const session = await ort.InferenceSession.create(files.modelPath, {
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Idle threads would spin for the cores that generation needs: 719 ms of CPU instead of 94 for 20 short texts.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new Encoder(files, tokenizer, session);
  }

  tokenize(texts: readonly string[]): TokenizedTexts {
    const { maxTokens } = this.files;
    const truncated: number[] = [];
    const rows = texts.map((text, place) => {
      const visible = text.slice(0, maxTokens * MAX_UNITS_PER_TOKEN);
      const { ids } = this.tokenizer.encode(visible);
      if (ids.length > maxTokens || visible.length < text.length) truncated.push(place);
      // The last id closes the text ([SEP]) and stays, as in the reference implementation.
      return ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), ids.at(-1) ?? 0] : ids;
    });
    return { ids: Int32Array.from(rows.flat()), lengths: rows.map((row) => row.length), truncated };
  }

  /** @returns unit vectors, [texts, dimensions] */
  async encode({ ids, lengths }: Pick<TokenizedTexts, 'ids' | 'lengths'>): Promise<Float32Array> {
    const width = Math.max(1, ...lengths);
    const shape = [lengths.length, width];
    const inputIds = new BigInt64Array(lengths.length * width);
    const mask = new BigInt64Array(lengths.length * width);
    let from = 0;
    lengths.forEach((length, row) => {
      for (let token = 0; token < length; token++) {
        inputIds[row * width + token] = BigInt(ids[from++] ?? 0);
        mask[row * width + token] = 1n;
      }
    });
    const feeds: Record<string, ort.Tensor> = {
      input_ids: new ort.Tensor('int64', inputIds, shape),
      attention_mask: new ort.Tensor('int64', mask, shape),
      token_type_ids: new ort.Tensor('int64', new BigInt64Array(lengths.length * width), shape),
    };
    const wanted = Object.entries(feeds).filter(([name]) => this.session.inputNames.includes(name));
    const outputs = await this.session.run(Object.fromEntries(wanted));
    const hidden = outputs[this.session.outputNames[0] ?? ''];
    if (hidden?.dims.at(-1) !== this.files.dimensions)
      throw new Error(`the embedder gives ${hidden?.dims.at(-1)} dimensions, not ${this.files.dimensions}`);
    return meanPool(hidden.data as Float32Array, lengths, width, this.files.dimensions);
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
