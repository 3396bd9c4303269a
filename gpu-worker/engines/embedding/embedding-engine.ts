import { access } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { GraftError } from '../../../src/kernel/errors.js';
import type { EmbedderFiles, OutputOf, Priority, ServeOperations } from '../../../src/worker-protocol/index.js';
import { Lane } from '../../lane.js';
import { errorFields, log } from '../../log.js';
import { planBatches } from './batches.js';
import type { TokenizedTexts } from './encoder.js';
import type { ThreadData, ThreadReply, ThreadRequest } from './thread.js';

/** About 170 ms on two cores; larger batches are not faster there, and what is interactive waits for one at most. */
const BATCH_TOKENS = 1_024;
const TEXTS_PER_TOKENIZATION = 64;

type Work = { do: 'tokenize'; texts: string[] } | { do: 'encode'; ids: Int32Array; lengths: number[] };

/** Embeds texts batch by batch in a thread; between batches interactive requests overtake bulk ones. */
export class EmbeddingEngine {
  private thread: Worker | undefined;
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private nextId = 0;
  private readonly turns = new Lane(1);

  /** @param quiet resolves when bulk work should go on, before each of its batches */
  constructor(
    private readonly data: ThreadData,
    private readonly quiet: (signal: AbortSignal) => Promise<void>,
  ) {}

  /** @throws MODEL_UNAVAILABLE when a file is gone, MODEL_FILE_INVALID when one can't be loaded, the signal's reason */
  async embed(
    files: EmbedderFiles,
    texts: string[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<OutputOf<ServeOperations['embed']>> {
    await this.checkFiles(files);
    const turn = async <T>(work: Work): Promise<T> => {
      if (priority === 'bulk') await this.quiet(signal);
      return this.turns.run({ priority, signal }, () => this.ask<T>({ files, ...work }));
    };
    const rows: Int32Array[] = [];
    const truncated: number[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_PER_TOKENIZATION) {
      const slice = texts.slice(from, from + TEXTS_PER_TOKENIZATION);
      const tokenized = await turn<TokenizedTexts>({ do: 'tokenize', texts: slice });
      truncated.push(...tokenized.truncated.map((place) => from + place));
      let offset = 0;
      for (const length of tokenized.lengths) rows.push(tokenized.ids.subarray(offset, (offset += length)));
    }
    const vectors = new Float32Array(texts.length * files.dimensions);
    for (const batch of planBatches(
      rows.map((row) => row.length),
      BATCH_TOKENS,
    )) {
      const batchRows = batch.map((index) => rows[index] ?? new Int32Array());
      const ids = new Int32Array(batchRows.reduce((sum, row) => sum + row.length, 0));
      batchRows.reduce((offset, row) => (ids.set(row, offset), offset + row.length), 0);
      const pooled = await turn<Float32Array>({ do: 'encode', ids, lengths: batchRows.map((row) => row.length) });
      batch.forEach((index, row) =>
        vectors.set(pooled.subarray(row * files.dimensions, (row + 1) * files.dimensions), index * files.dimensions),
      );
    }
    return { vectors, truncated, tokens: rows.reduce((sum, row) => sum + row.length, 0) };
  }

  private async checkFiles(files: EmbedderFiles): Promise<void> {
    try {
      await Promise.all([access(files.modelPath), access(files.tokenizerPath)]);
    } catch (error) {
      throw new GraftError('MODEL_UNAVAILABLE', 'A file of the embedder is gone from the models folder.', {
        cause: error,
      });
    }
  }

  private ask<T>(work: Work & { files: EmbedderFiles }): Promise<T> {
    const thread = (this.thread ??= this.startThread());
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve, reject });
      thread.postMessage({ id, ...work } satisfies ThreadRequest);
    });
  }

  private startThread(): Worker {
    const thread = new Worker(new URL('thread.js', import.meta.url), { workerData: this.data });
    thread.on('message', (reply: ThreadReply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if ('value' in reply) return waiting?.resolve(reply.value as never);
      log('error', 'the embedder failed', { error: reply.error });
      waiting?.reject(new GraftError('MODEL_FILE_INVALID', 'The embedder could not be loaded or run.'));
    });
    // An exception in native code ends the thread; the next request starts another.
    thread.on('error', (error) => log('error', 'the embedding thread failed', errorFields(error)));
    thread.on('exit', () => {
      this.thread = undefined;
      for (const { reject } of this.waiting.values()) reject(new Error('the embedding thread ended'));
      this.waiting.clear();
    });
    return thread;
  }
}
