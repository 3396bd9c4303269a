import { BEGINNING, detectorOf, nearest, rowMajor, stepUnlike } from './unlike.js';

/**
 * Replays questions as streams see them, for measuring how soon and how often they alarm.
 * @param knownQuestions questions that are watched against, with their labels; null where they have none
 * @param questionVectors vectors of questions in their order
 * @returns the first question at which there is an alarm, from 1 on; null where there is none
 */
export async function driftReplay(
  knownQuestions: readonly { vector: Float32Array; label: string | null }[],
  questionVectors: readonly Float32Array[],
): Promise<number | null> {
  const vectors = knownQuestions.map(({ vector }) => vector);
  const detector = await detectorOf(
    vectors,
    knownQuestions.map(({ label }) => label),
  );
  const rows = rowMajor(vectors);
  let course = BEGINNING;
  for (const [i, vector] of questionVectors.entries()) {
    const { next, isAlarm } = stepUnlike(detector, course, nearest(rows, vector));
    if (isAlarm) return i + 1;
    course = next;
  }
  return null;
}
