import { InvalidArgumentError } from 'commander';
import type { Split } from '../client/operations/index.js';
import { aNumber } from './a-number.js';

/** Without one of them it doesn't compile. */
const SPLITS: Readonly<Record<Split, true>> = { TRAIN: true, VALIDATION: true, TEST: true };

/** A split as people type it. @throws InvalidArgumentError */
export function aSplit(text: string): Split {
  const split = text.toUpperCase();
  if (Object.hasOwn(SPLITS, split)) return split as Split;
  throw new InvalidArgumentError(`It must be one of ${Object.keys(SPLITS).join(', ').toLowerCase()}.`);
}

/** @throws InvalidArgumentError unless it is a number from 0 to 1 */
export function aShare(text: string): number {
  const share = aNumber(text);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('It must be a share of the rows, 0 to 1.');
}
