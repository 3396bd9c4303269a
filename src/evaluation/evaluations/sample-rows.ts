import type { StoredRow } from '../../data/index.js';
import { seededRandom } from '../../kernel/random.js';

/** A row that can be asked. */
export type AskedRow = StoredRow & { content: NonNullable<StoredRow['content']> };

/**
 * At most so many rows, each equally likely to be among them, in their order; the same seed draws the same rows. Holds no more than
 * it returns (reservoir sampling, Vitter 1985, algorithm R).
 */
export async function sampleRows(
  batches: AsyncIterable<readonly StoredRow[]>,
  most: number,
  seed: number,
): Promise<AskedRow[]> {
  const random = seededRandom(seed);
  const kept: AskedRow[] = [];
  let seen = 0;
  for await (const batch of batches)
    for (const row of batch) {
      if (!hasContent(row)) continue;
      seen += 1;
      const place = seen <= most ? seen - 1 : Math.floor(random() * seen);
      if (place < most) kept[place] = row;
    }
  return kept.sort((a, b) => a.ordinal - b.ordinal);
}

const hasContent = (row: StoredRow): row is AskedRow => row.content !== null;
