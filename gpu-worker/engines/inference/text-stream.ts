import type { GenerateChunk } from '../../../src/worker-protocol/index.js';
import type { ChunkStream } from '../../chunk-stream.js';

/**
 * Tokens that follow each other within this time share a chunk: 20 chunks a second read as a flow, and each takes time in
 * every process that it passes, on cores that the model wants.
 */
const COALESCE_MS = 50;

/**
 * Text on its way to a reader. The first text leaves at once. Later text leaves when the last chunk is as old as `COALESCE_MS`, and
 * by a timer, so that the model gets its next token to work on first.
 */
export class TextStream {
  private pending = '';
  private lastSent: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly chunks: ChunkStream<GenerateChunk>) {}

  /** Resolves when the reader has room for what comes next. @throws when the call was withdrawn */
  async write(text: string): Promise<void> {
    this.pending += text;
    if (this.pending === '') return;
    await this.chunks.room();
    if (this.lastSent === undefined) return this.flush();
    const age = performance.now() - this.lastSent;
    this.timer ??= setTimeout(() => this.flush(), Math.max(0, COALESCE_MS - age));
  }

  /** Sends what `write` held back. */
  async end(): Promise<void> {
    if (this.pending === '') return;
    await this.chunks.room();
    this.flush();
  }

  /** Stops the timer; nothing is sent any more. */
  close(): void {
    clearTimeout(this.timer);
    this.pending = '';
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending === '') return;
    const text = this.pending;
    this.pending = '';
    this.lastSent = performance.now();
    this.chunks.push({ type: 'delta', text });
  }
}
