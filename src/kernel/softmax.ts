/** Probabilities from scores in nats: proportional to exp(score), summing to 1. Scores that differ by a constant give the same. */
export function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** ln Σ exp(log), of sums that a number can't hold, too; -Infinity of nothing. */
export function logSumExp(logs: readonly number[]): number {
  let highest = -Infinity;
  for (const log of logs) highest = Math.max(highest, log);
  if (highest === -Infinity) return highest;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - highest);
  return highest + Math.log(sum);
}
