import { Badge, Group, Paper, Stack, Text, Title, type ButtonProps } from '@mantine/core';
import {
  AcknowledgeAlertDocument,
  AlertRaisedDocument,
  AlertsShownDocument,
  ResolveAlertDocument,
  type AlertRaisedSubscription,
  type AlertsShownQuery,
} from '../../generated/operations';
import { useSend, WaitingButton, type Sending } from '../../parts/form';
import { dateTime, words } from '../../parts/format';
import { ShowMore } from '../../parts/loaded';
import { ErrorState, Note } from '../../parts/page';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';

type Alert = AlertsShownQuery['alerts']['edges'][number]['node'];

const COLOURS = { OPEN: 'red', ACKNOWLEDGED: 'yellow', RESOLVED: 'green' } as const;
const PAGE = { open: 30, resolved: 10 };
/** Longer names are not taken. */
const NAME_LENGTH = 200;

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

const OrderButton = ({
  sending,
  waits,
  ...rest
}: ButtonProps & { sending: Sending; waits: string; children: string; onClick: () => unknown }) => (
  <WaitingButton size="compact-sm" variant="default" waits={sending.fetching && waits} {...rest} />
);

function AlertRow({ alert, me }: { alert: Alert; me: string }) {
  const acknowledge = useSend(AcknowledgeAlertDocument);
  const resolve = useSend(ResolveAlertDocument);
  const input = { alert: alert.id, by: me.slice(0, NAME_LENGTH) };
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
          <Note size="xs" mt={4}>
            {times(alert)}
          </Note>
        </div>
        <Group gap="xs" wrap="nowrap">
          {alert.status === 'OPEN' && (
            <OrderButton sending={acknowledge} waits="Acknowledging…" onClick={() => acknowledge.send(input)}>
              Acknowledge
            </OrderButton>
          )}
          {alert.status !== 'RESOLVED' && (
            <OrderButton sending={resolve} waits="Resolving…" onClick={() => resolve.send(input)}>
              Resolve
            </OrderButton>
          )}
        </Group>
      </Group>
      <ErrorState error={acknowledge.error ?? resolve.error} />
    </Paper>
  );
}

const after = (last?: AlertRaisedSubscription) => ({ after: last?.alertRaised.id ?? null });

/** Those that are open or acknowledged, or the resolved ones; each page is looked at again with `look`. */
function useAlerts(open: boolean) {
  const variables = { open, first: open ? PAGE.open : PAGE.resolved };
  const pages = usePages(AlertsShownDocument, variables, ({ alerts }) => alerts);
  return { pages, look: useLook([pages, pages.again]) };
}

function Rows({ pages, label }: { pages: ReturnType<typeof useAlerts>['pages']; label: string }) {
  const { data, edges, error, again } = pages;
  return (
    <Stack gap="xs">
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {data && edges.map(({ node }) => <AlertRow key={node.id} alert={node} me={data.me.name} />)}
      <ShowMore pages={pages} label={label} />
    </Stack>
  );
}

/** Alerts, those that wait for somebody first, newest first; what is raised while somebody looks appears by itself. */
export function Alerts() {
  const [open, resolved] = [useAlerts(true), useAlerts(false)];
  useLookAtEvents(AlertRaisedDocument, after, open.look);
  const isEmpty = ({ pages }: typeof open) => pages.data !== undefined && pages.edges.length === 0;
  return (
    <section aria-label="Alerts">
      <Title order={2} size="h3" mb="xs">
        Alerts
      </Title>
      {isEmpty(open) && isEmpty(resolved) && (
        <Note>
          Nothing was raised so far. Questions and labels are watched by themselves. Rules below add failures, latency,
          confidence and more; <code>addWebhook</code> in the Playground says who is told.
        </Note>
      )}
      <Rows pages={open.pages} label="Show older alerts that wait" />
      {(resolved.pages.edges.length > 0 || (resolved.pages.error && !open.pages.error)) && (
        <>
          <Title order={3} size="h4" my="xs">
            Resolved
          </Title>
          <Rows pages={resolved.pages} label="Show older alerts that were resolved" />
        </>
      )}
    </section>
  );
}
