import type { QuantizationType } from './train-operations.js';

/** Nearly twice the bytes: writing waits for memory in larger models, and their users count on the size that they chose. */
const MOST_BYTES = 512 * 1024 ** 2;

/**
 * The type in which the worker serves a model on a processor, where it is not the file's own. llama.cpp has no fast kernel for the products
 * of Q4_1 with many tokens on x86, but has one of Q8_0. SmolLM2-135M with AVX2, tokens per second of one core, read / written: 146 / 68 in
 * Q4_1, 263 / 64 in Q8_0. A weight moves by at most 1/254 of the largest of its block, a thirtieth of the step between two values of four bits;
 * Q4_0 reads 290, but quantizing to four bits once more makes another model of it (`npm run bench -- quantization`).
 * @param quantization the file's own
 */
export const servedType = (quantization: string, bytes: number): QuantizationType | null =>
  quantization === 'Q4_1' && bytes <= MOST_BYTES ? 'Q8_0' : null;

/** Of 32 weights in Q8_0: one byte each, and a scale. */
const Q8_0_BYTES = 34;

/** Bytes of the weights as they are served, given the file's own type, its bytes and how many weights it holds. */
export const servedBytes = (quantization: string, bytes: number, weights: number): number =>
  servedType(quantization, bytes) === null ? bytes : (Q8_0_BYTES / 32) * weights;
