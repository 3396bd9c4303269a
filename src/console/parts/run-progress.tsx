import { Badge, Group, Progress, Text } from '@mantine/core';
import type { RunStatus } from '../generated/operations';
import { runLine, words } from './format';
import { GatewayError } from './gateway-error';
import { ErrorState } from './states';
import type { RunShown } from './use-run';

const COLOURS: Partial<Record<RunStatus, string>> = {
  RUNNING: 'blue',
  SUCCEEDED: 'green',
  FAILED: 'red',
  CANCELLED: 'gray',
};

export const RunBadge = ({ status }: { status: RunStatus }) => (
  <Badge color={COLOURS[status] ?? 'yellow'}>{words(status)}</Badge>
);

/** How far a run is, what it is doing, and why it failed. */
export function RunProgress({ run: { event, error } }: { run: Omit<RunShown, 'busy'> }) {
  if (error) return <ErrorState error={error} />;
  if (event === null) return null;
  if (event.error) return <ErrorState error={new GatewayError(event.error.code, event.error.message)} />;
  return (
    <div aria-live="polite">
      <Group justify="space-between" mb={4}>
        <Text size="sm">{runLine(event)}</Text>
        <RunBadge status={event.status} />
      </Group>
      <Progress value={event.progress * 100} aria-label="Progress" />
    </div>
  );
}
