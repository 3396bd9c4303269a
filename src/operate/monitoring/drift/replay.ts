import { BEGINNING, detectorOf, nearest, rowMajor, stepUnlike } from './unlike.js';

/**
 * Replays questions as streams see them, for measuring how soon and how often they alarm.
 * @param known questions that are watched against, with their labels; null where they have none
 * @param asked vectors of questions in their order
 * @returns the first question at which there is an alarm, from 1 on; null where there is none
 */
export async function driftReplay(
  known: readonly { vector: Float32Array; label: string | null }[],
  asked: readonly Float32Array[],
): Promise<number | null> {
  const vectors = known.map(({ vector }) => vector);
  const detector = await detectorOf(
    vectors,
    known.map(({ label }) => label),
  );
  const rows = rowMajor(vectors);
  let course = BEGINNING;
  for (const [i, vector] of asked.entries()) {
    const { next, isAlarm } = stepUnlike(detector, course, nearest(rows, vector));
    if (isAlarm) return i + 1;
    course = next;
  }
  return null;
}
