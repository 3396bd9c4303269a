import { totalmem } from 'node:os';
import type { GeneratorEntry } from '../../../platform/models-on-disk/index.js';
import { servedBytes, serveOptions } from '../../../worker-protocol/index.js';

const FLOAT_BYTES = 4;

/** The model's own file in bytes. */
export const fileBytes = ({ files }: GeneratorEntry): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** The same as it is served, which may be in a larger type. */
export const servedFileBytes = (entry: GeneratorEntry): number =>
  servedBytes(entry.shape.quantization, fileBytes(entry), entry.parameters);

/** What a model takes to answer as the worker runs it, in bytes: weights, the context of each sequence, and scores of a batch. Training takes its own. */
export function memoryOf(entry: GeneratorEntry): number {
  const { sequences, contextTokens, batchTokens } = serveOptions.parse({});
  const { contextBytes, vocabulary } = entry.shape;
  const context = Math.min(entry.contextLength, contextTokens) * sequences * contextBytes;
  return servedFileBytes(entry) + context + FLOAT_BYTES * batchTokens * vocabulary;
}

/** Of the machine, or of the container where that has less, in bytes. */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
