import { GraftError } from '../../../src/kernel/errors.js';

/** The largest number of half precision: engines that compute in it make more of it infinite. */
const MOST = 65_504;

/**
 * That a change of a layer can be computed with: its numbers are finite, and neither they nor what B A comes to, times alpha / rank, leave
 * half precision. The entries of B A are bounded by Cauchy and Schwarz: rows of B and columns of A are multiplied by their lengths.
 * @throws ADAPTER_NOT_FINITE
 */
export function requireComputable(
  name: string,
  { a, b }: Readonly<Record<'a' | 'b', Float32Array>>,
  rank: number,
  alpha: number,
): void {
  const refusal = (fault: string): GraftError =>
    new GraftError('ADAPTER_NOT_FINITE', `The adapter can’t be used: ${JSON.stringify(name)} ${fault}.`);
  for (const factor of [a, b]) {
    if (!factor.every(Number.isFinite)) throw refusal('holds something that is not a number');
    if (!factor.every((value) => Math.abs(value) <= MOST)) throw refusal(`holds a number beyond ${MOST}`);
  }
  const inputs = a.length / rank;
  const columns = new Float64Array(inputs);
  for (let index = 0; index < a.length; index++) columns[index % inputs]! += a[index]! ** 2;
  let row = 0;
  for (let from = 0; from < b.length; from += rank) {
    let squares = 0;
    for (let index = from; index < from + rank; index++) squares += b[index]! ** 2;
    row = Math.max(row, squares);
  }
  const column = columns.reduce((maximum, squares) => Math.max(maximum, squares), 0);
  if (!((alpha / rank) * Math.sqrt(row * column) <= MOST))
    throw refusal(`changes its layer by more than ${MOST}, which no model can be computed with`);
}
