import { Paper, Text } from '@mantine/core';
import { Note } from './words';

/** One number that a page leads with, and what it is. */
export function Figure({ label, value }: { label: string; value: string }) {
  return (
    <Paper>
      <Note size="xs">{label}</Note>
      <Text fw={600} size="lg">
        {value}
      </Text>
    </Paper>
  );
}
