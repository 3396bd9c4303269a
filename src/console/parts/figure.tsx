import { Paper, Text } from '@mantine/core';

/** One number that a page leads with, and what it is. */
export function Figure({ label, value }: { label: string; value: string }) {
  return (
    <Paper>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text fw={600} size="lg">
        {value}
      </Text>
    </Paper>
  );
}
