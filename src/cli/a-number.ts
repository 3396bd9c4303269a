import { InvalidArgumentError } from 'commander';

/** A number as a flag takes it: `0s` and nothing at all are none, and must not pass for a default. @throws InvalidArgumentError */
export function aNumber(text: string): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It is no number.');
}
