import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { duration } from './format';
import { Note } from './page';

/** A share of a whole as a bar with its value in words. `value` from -1 to 1; below 0 it counts against; null leaves the bar out. */
export function ShareBar({ label, value, text }: { label: ReactNode; value: number | null; text: string }) {
  return (
    <div>
      <Group justify="space-between" gap="xs" wrap="nowrap" mb={4}>
        <Text size="sm" component="div">
          {label}
        </Text>
        <Note size="xs" style={{ whiteSpace: 'nowrap' }}>
          {text}
        </Note>
      </Group>
      {value !== null && (
        <div className="bar">
          <div data-negative={value < 0 || undefined} style={{ width: `${Math.min(1, Math.abs(value)) * 100}%` }} />
        </div>
      )}
    </div>
  );
}

/** Stages one after the other on one axis: where the time went. */
export function Waterfall({ stages }: { stages: readonly { name: string; ms: number }[] }) {
  const total = Math.max(
    1,
    stages.reduce((sum, { ms }) => sum + ms, 0),
  );
  let start = 0;
  return (
    <div className="waterfall" role="table" aria-label="Time of each stage">
      {stages.map(({ name, ms }) => {
        const offset = start;
        start += ms;
        return (
          <div key={name} role="row" style={{ display: 'contents' }}>
            <span role="rowheader">{name}</span>
            <span className="track" role="presentation">
              <div style={{ left: `${(offset / total) * 100}%`, width: `${(ms / total) * 100}%` }} />
            </span>
            <span role="cell">{duration(ms)}</span>
          </div>
        );
      })}
    </div>
  );
}
