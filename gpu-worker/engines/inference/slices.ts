/**
 * llama.cpp's attention takes another way for batches of 64 rows and more, whose sums differ in their last bits. What a token's keys and
 * values are must not depend on what was read before it, or the same question is answered otherwise the second time: so each
 * place of a prompt is always read in the same way. The first places, which most prompts have in common and which are reused up to any of
 * them, are read in small batches. Behind them whole blocks of 64, counted from there, are read in large batches, in which a
 * long prompt takes half the time, and the rest in small ones; there reuse ends between two blocks.
 */
const BLOCK = 64;
const SMALL = BLOCK - 1;
const FINE = 2 * SMALL;
/** How long a batch should take, so that others, a cancel and a deadline needn't wait. */
const SLICE_MS = 250;
/** A machine slower than this, in tokens/s, would take too long for one block: it reads all in small batches. */
const SLOW = 160;

export interface Slices {
  /** Tokens of a small batch. */
  small: number;
  /** Tokens of a large batch, a multiple of 64; 0: none. */
  large: number;
}

/** @param speed tokens/s of reading */
export function slicesFor(speed: number, batchTokens: number): Slices {
  const fitting = Math.min(batchTokens, Math.floor((speed * SLICE_MS) / 1_000));
  return {
    small: Math.max(1, Math.min(SMALL, Math.max(8, fitting), batchTokens)),
    large: speed < SLOW || batchTokens < BLOCK ? 0 : Math.max(BLOCK, fitting - (fitting % BLOCK)),
  };
}

/** Where the batch ends that begins at a place of a prompt of so many tokens. */
export function sliceEnd(start: number, tokens: number, { small, large }: Slices): number {
  if (large === 0) return Math.min(start + small, tokens);
  if (start < FINE) return Math.min(start + small, tokens, FINE);
  const whole = Math.floor((tokens - start) / BLOCK) * BLOCK;
  return whole === 0 ? Math.min(start + small, tokens) : start + Math.min(whole, large);
}

/** Of the tokens that a prompt shares with an earlier one, those that it would itself have read as that one did. */
export const reusable = (shared: number, { large }: Slices): number =>
  large === 0 || shared <= FINE ? shared : shared - ((shared - FINE) % BLOCK);
