import { Badge, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from 'urql';
import {
  AcknowledgeAlertInConsoleDocument,
  AlertRaisedInConsoleDocument,
  AlertsShownDocument,
  ResolveAlertInConsoleDocument,
  type AlertRaisedInConsoleSubscription,
  type AlertsShownQuery,
} from '../../generated/operations';
import { dateTime, words } from '../../parts/format';
import { ErrorState } from '../../parts/states';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { WaitingButton } from '../../parts/waiting-button';

type Alert = AlertsShownQuery['alerts']['edges'][number]['node'];

const COLOURS = { OPEN: 'red', ACKNOWLEDGED: 'yellow', RESOLVED: 'green' } as const;
const BY = 'console';

/** When it was raised, how often, and what became of it. */
function times({
  raisedAt,
  times: often,
  lastRaisedAt,
  recoveredAt,
  acknowledgedBy,
  resolvedBy,
  resolvedAt,
}: Alert): string {
  return [
    `raised ${dateTime(raisedAt)}`,
    ...(often > 1 ? [`${often} times, last ${dateTime(lastRaisedAt)}`] : []),
    ...(acknowledgedBy ? [`acknowledged by ${acknowledgedBy}`] : []),
    ...(resolvedAt ? [`resolved by ${resolvedBy === 'graft' ? 'itself' : resolvedBy} ${dateTime(resolvedAt)}`] : []),
    ...(recoveredAt && !resolvedAt ? ['its cause seems to be gone'] : []),
  ].join(' · ');
}

function AlertRow({ alert }: { alert: Alert }) {
  const [acknowledging, acknowledge] = useMutation(AcknowledgeAlertInConsoleDocument);
  const [resolving, resolve] = useMutation(ResolveAlertInConsoleDocument);
  const input = { alert: alert.id, by: BY };
  const error = acknowledging.error ?? resolving.error;
  return (
    <Paper p="sm" data-testid="alert">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ flex: '1 1 240px' }}>
          <Group gap="xs">
            <Badge color={COLOURS[alert.status]} miw="max-content">
              {words(alert.status)}
            </Badge>
            <Text size="sm">{alert.sentence}</Text>
          </Group>
          <Text size="xs" c="dimmed" mt={4}>
            {times(alert)}
          </Text>
        </div>
        <Group gap="xs" wrap="nowrap">
          {alert.status === 'OPEN' && (
            <WaitingButton
              size="compact-sm"
              variant="default"
              waits={acknowledging.fetching ? 'Acknowledging…' : null}
              onClick={() => void acknowledge({ input })}
            >
              Acknowledge
            </WaitingButton>
          )}
          {alert.status !== 'RESOLVED' && (
            <WaitingButton
              size="compact-sm"
              variant="default"
              waits={resolving.fetching ? 'Resolving…' : null}
              onClick={() => void resolve({ input })}
            >
              Resolve
            </WaitingButton>
          )}
        </Group>
      </Group>
      {error && <ErrorState error={error} />}
    </Paper>
  );
}

const after = (last?: AlertRaisedInConsoleSubscription) => ({ after: last?.alertRaised.id ?? null });

/** Alerts, newest first; what is raised while somebody looks appears by itself. */
export function Alerts() {
  const shown = useQuery({ query: AlertsShownDocument });
  const [{ data, error }, again] = shown;
  const look = useLook(shown);
  useLookAtEvents(AlertRaisedInConsoleDocument, after, look);
  const alerts = data?.alerts.edges.map(({ node }) => node) ?? [];
  return (
    <section aria-label="Alerts">
      <Title order={2} size="h3" mb="xs">
        Alerts
      </Title>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {data && alerts.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing was raised so far. Questions and labels are watched by themselves; <code>setAlertRule</code> in the
          Playground adds rules on failures, latency, confidence and more, and <code>addWebhook</code> says who is told.
        </Text>
      )}
      <Stack gap="xs">
        {alerts.map((alert) => (
          <AlertRow key={alert.id} alert={alert} />
        ))}
      </Stack>
    </section>
  );
}
