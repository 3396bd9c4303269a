import { isBadData, isOfDatabase, type Transaction } from '../../../platform/database/index.js';

/** A line that work fails on by itself. */
interface Refused<T> {
  line: T;
  error: unknown;
}

/** Where so many lines fail before one goes through, what works on them is at fault, unless the database refuses what they say. */
const MOST_SUSPECTED = 10;

/**
 * Works on all lines at once; where that fails, on each half by itself, down to the lines that it fails on. What failed is undone.
 * @returns these lines @throws what is no line's fault: the database is away, or work fails whatever it is given
 */
export async function inParts<T>(
  tx: Transaction,
  lines: readonly T[],
  work: (part: readonly T[]) => Promise<void>,
): Promise<Refused<T>[]> {
  const refusals: Refused<T>[] = [];
  let through = 0;
  const workOn = async (part: readonly T[]): Promise<void> => {
    const failure = await undoneOnFailure(tx, () => work(part));
    if (failure === null) return void (through += part.length);
    const half = part.length >> 1;
    if (half === 0) refusals.push({ line: part[0]!, error: failure.error });
    else for (const smaller of [part.slice(0, half), part.slice(half)]) await workOn(smaller);
    if (through === 0 && refusals.length >= MOST_SUSPECTED) throwUnlessBadData(refusals);
  };
  if (lines.length > 0) await workOn(lines);
  if (through === 0) throwUnlessBadData(refusals);
  return refusals;
}

function throwUnlessBadData(refusals: readonly Refused<unknown>[]): void {
  const failure = refusals.find(({ error }) => !isBadData(error));
  if (failure) throw failure.error;
}

/** @returns why it failed, or null @throws what the database may not fail on another time */
async function undoneOnFailure(tx: Transaction, work: () => Promise<void>): Promise<{ error: unknown } | null> {
  let failure: { error: unknown } | null = null;
  await tx.$executeRaw`SAVEPOINT part`;
  try {
    await work();
  } catch (error) {
    if (isOfDatabase(error) && !isBadData(error)) throw error;
    failure = { error };
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT part`;
  }
  await tx.$executeRaw`RELEASE SAVEPOINT part`;
  return failure;
}
