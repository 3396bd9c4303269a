import * as ort from 'onnxruntime-node';
import { openEmbedderTokens, type EmbedderTokens } from '../../../src/worker-protocol/embedder-tokens.js';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { meanPool } from './batches.js';

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
    private readonly tokensOf: (text: string) => EmbedderTokens,
    private readonly session: ort.InferenceSession,
  ) {}

  static async open(files: EmbedderFiles, provider: string, threads: number): Promise<Encoder> {
    const tokensOf = await openEmbedderTokens(files.tokenizerPath, files.maxTokens);
    const session = await ort.InferenceSession.create(files.modelPath, {
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Idle threads would spin for the cores that generation needs: 719 ms of CPU instead of 94 for 20 short texts.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new Encoder(files, tokensOf, session);
  }

  tokenize(texts: readonly string[]): TokenizedTexts {
    const { maxTokens } = this.files;
    const truncated: number[] = [];
    const rows = texts.map((text, place) => {
      const { ids, tooLong } = this.tokensOf(text);
      if (tooLong) truncated.push(place);
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
    const inputs = Object.entries(feeds).filter(([name]) => this.session.inputNames.includes(name));
    const outputs = await this.session.run(Object.fromEntries(inputs));
    const hidden = outputs[this.session.outputNames[0] ?? ''];
    if (hidden?.dims.at(-1) !== this.files.dimensions)
      throw new Error(`the embedder gives ${hidden?.dims.at(-1)} dimensions, not ${this.files.dimensions}`);
    return meanPool(hidden.data as Float32Array, lengths, width, this.files.dimensions);
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
