import type { GeneratorShape } from '../../../platform/models-on-disk/index.js';
import type { ThreadCalibration } from '../../../worker-protocol/index.js';

/** How fast a model is on this machine, in tokens/s: as measured, at the beginning of a prompt and just behind a short one. */
export interface Speed {
  read: number;
  write: number;
}

/** What its speed follows from. */
export interface ModelSize {
  /** Weights that each token of a prompt goes through. */
  layerWeights: number;
  /** Of its weights as they are served, all of which are read for each token that is written. */
  bytes: number;
  /** Keys and values of a token, in bytes: those of the tokens before are read for each token, too. */
  contextBytes: number;
  /** How much longer each place before it makes a token of a prompt take, as a share. */
  slowing: number;
}

/** Tokens that are read and written. */
interface TokenLoad {
  read: number;
  written: number;
}

/** An answer from documents by a model that words it: its prompt shows the passages (`PASSAGE_TOKENS`) and the question, its answer is two sentences. */
export const TYPICAL_ANSWER: TokenLoad = { read: 1_100, written: 60 };

/** Tokens before those that calibration writes, on average. */
const CALIBRATED_AT = 104;

/** Two operations a weight, and four a layer, unit and place before, as the worker reckons, too (`Pace`). */
export const sizeOf = (bytes: number, { layers, width, layerWeights, contextBytes }: GeneratorShape): ModelSize => ({
  layerWeights,
  bytes,
  contextBytes,
  slowing: (2 * layers * width) / layerWeights,
});

/** @returns null where what was found is no speed */
export function speedOf({ measurements, threads }: ThreadCalibration): Speed | null {
  const measurementFor = (count: number) => measurements.find((measurement) => measurement.threads === count);
  const read = measurementFor(threads.prefill)?.prefillTokensPerSecond ?? 0;
  const write = measurementFor(threads.decode)?.decodeTokensPerSecond ?? 0;
  return read > 0 && write > 0 ? { read, write } : null;
}

/** Of the token at a place. */
const writingCost = ({ bytes, contextBytes }: ModelSize, place: number): number => bytes + contextBytes * place;

/**
 * What the speed of one model lets expect of another on the same machine: reading is arithmetic and goes by the weights in the layers,
 * writing waits for memory and goes by the bytes of the weights and the context.
 */
export const scaled = (speed: Speed, from: ModelSize, to: ModelSize): Speed => ({
  read: (speed.read * from.layerWeights) / to.layerWeights,
  write: (speed.write * writingCost(from, CALIBRATED_AT)) / writingCost(to, CALIBRATED_AT),
});

/** Seconds until the last word, while nothing else is done and nothing of the prompt was read before. */
export function secondsFor({ read, written }: TokenLoad, speed: Speed, size: ModelSize): number {
  const reading = (read * (1 + (size.slowing * read) / 2)) / speed.read;
  const heavier = writingCost(size, read + written / 2) / writingCost(size, CALIBRATED_AT);
  return reading + (written * heavier) / speed.write;
}

/** Of several that were measured the one to scale from: the nearest in weights. */
export const nearest = <T extends { size: ModelSize }>(models: readonly T[], to: ModelSize): T | undefined =>
  [...models].sort((a, b) => distance(a.size, to) - distance(b.size, to))[0];

const distance = (a: ModelSize, b: ModelSize): number => Math.abs(Math.log(a.layerWeights / b.layerWeights));
