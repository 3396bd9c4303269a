import { Text } from '@mantine/core';
import { bytes, duration } from '../../parts/format';
import type { Version } from './adapter-view';

/** What its training took, beside what was estimated before it. */
export function TrainingCost({ metrics: { memory, time } }: Pick<Version, 'metrics'>) {
  const parts = [
    time &&
      `its steps took ${duration(1_000 * time.seconds)} at ${time.tokensPerSecond.toFixed(0)} tokens/s` +
        (time.estimatedSeconds === null ? '' : ` (estimated: ${duration(1_000 * time.estimatedSeconds)})`),
    memory &&
      `${bytes(memory.peakBytes)} of memory` +
        (memory.estimatedBytes === null ? '' : ` (estimated: ${bytes(memory.estimatedBytes)})`),
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return (
    <Text size="sm" mt={4} data-testid="training-cost">
      Trained here: {parts.join(', ')}.
    </Text>
  );
}
