import type { LlamaModel } from 'node-llama-cpp';

/** Weights a second of a machine that nothing is known about: some 300 tokens/s for the default model. */
const GUESS = 4e10;
/** The share of what is measured now in what is expected next, for a thousand tokens; and how far a busy machine counts. */
const LEARNED_OF = 1_000;
const BOUNDS = [0.25, 3] as const;

/** How long a model takes to read on this machine: as measured at first start, corrected by what it took of late. */
export class Pace {
  private correction = 1;

  /**
   * @param tokensPerSecond at the beginning of a prompt
   * @param slowing how much longer each place before it makes a token take, as a share
   */
  constructor(
    private tokensPerSecond: number,
    private readonly slowing: number,
  ) {}

  static of(model: LlamaModel): Pace {
    const { general, ...sections } = model.fileInfo.metadata as unknown as {
      general: { architecture: string };
    } & Record<string, { block_count?: number; embedding_length?: number } | undefined>;
    const { block_count: layers = 0, embedding_length: width = 0 } = sections[general.architecture] ?? {};
    const weights = Math.max(
      1,
      (model.fileInfo.fullTensorInfo ?? []).reduce((sum, { dimensions }) => sum + dimensions.reduce(product, 1), 0),
    );
    // Two operations a weight, and four a layer, unit and place before: measured on SmolLM2-135M to some 3,000 places.
    return new Pace(GUESS / weights, (2 * layers * width) / weights);
  }

  /** What calibration found. */
  calibrated(tokensPerSecond: number): void {
    if (tokensPerSecond > 0) this.tokensPerSecond = tokensPerSecond;
  }

  get speed(): number {
    return this.tokensPerSecond;
  }

  /** Milliseconds for the tokens of a prompt from one place to another, if nothing else is done meanwhile. */
  ms(from: number, to: number): number {
    return this.correction * this.asMeasured(from, to);
  }

  /** @param ms what a batch took */
  learn(from: number, to: number, ms: number): void {
    if (to - from < 8) return;
    const factor = Math.min(BOUNDS[1], Math.max(BOUNDS[0], ms / this.asMeasured(from, to)));
    this.correction += (factor - this.correction) * Math.min(1, (to - from) / LEARNED_OF);
  }

  private asMeasured(from: number, to: number): number {
    return ((to - from) * (1 + (this.slowing * (from + to)) / 2) * 1_000) / this.tokensPerSecond;
  }
}

const product = (total: number, size: number | bigint): number => total * Number(size);
