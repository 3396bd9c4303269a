import type { StoredRow } from '../../sources/data/index.js';
import { sampled } from '../../kernel/random.js';

/** A row that can be asked. */
export type AskedRow = StoredRow & { content: NonNullable<StoredRow['content']> };

/** At most so many rows, each equally likely to be among them, in their order; the same seed draws the same rows. */
export const sampleRows = (
  batches: AsyncIterable<readonly StoredRow[]>,
  limit: number,
  seed: number,
): Promise<AskedRow[]> => sampled(askedRows(batches), limit, seed);

async function* askedRows(batches: AsyncIterable<readonly StoredRow[]>): AsyncGenerator<AskedRow> {
  for await (const batch of batches) yield* batch.filter(hasContent);
}

const hasContent = (row: StoredRow): row is AskedRow => row.content !== null;
