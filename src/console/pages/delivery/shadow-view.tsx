import { Alert, Anchor, Badge, Paper, Stack, Text, Title } from '@mantine/core';
import { useCallback } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import {
  ShadowFollowedDocument,
  type ShadowFollowedSubscription,
  ShadowOpenedDocument,
  StopShadowInConsoleDocument,
  type ShadowOpenedQuery,
  type ShadowStatus,
} from '../../generated/operations';
import { count, dateTime, words } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterPath } from '../adapters/paths';
import { ShadowReport } from './shadow-report';

const COLOURS: Record<ShadowStatus, string> = { RUNNING: 'blue', COMPLETE: 'green', STOPPED: 'gray', FAILED: 'red' };

export const ShadowBadge = ({ status }: { status: ShadowStatus }) => (
  <Badge color={COLOURS[status]}>{words(status)}</Badge>
);

type Opened = NonNullable<ShadowOpenedQuery['shadow']>;

function Differing({ pairs }: Pick<Opened, 'pairs'>) {
  const shown = pairs.edges.map(({ node }) => node);
  if (shown.length === 0) return null;
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Questions that they answer differently
      </Title>
      <Stack gap="xs">
        {shown.map(({ served, servedLabel, candidateLabel }, place) => (
          <div key={served?.id ?? place}>
            <Text size="sm">{served?.question ?? 'This answer was deleted.'}</Text>
            {(servedLabel ?? candidateLabel) !== null && (
              <Text size="xs" c="dimmed">
                {servedLabel ?? 'no answer'} → {candidateLabel ?? 'no answer'}
              </Text>
            )}
          </div>
        ))}
      </Stack>
    </Paper>
  );
}

/** A shadow: what it found so far, as it goes on. */
export function ShadowView({ id }: { id: string }) {
  const shown = useQuery({ query: ShadowOpenedDocument, variables: { id } });
  const [{ data, error }, again] = shown;
  const look = useLook(shown);
  const [{ error: refused, fetching }, stop] = useMutation(StopShadowInConsoleDocument);
  const shadow = data?.shadow ?? null;
  const live = shadow?.status === 'RUNNING';
  const after = useCallback(
    (last?: ShadowFollowedSubscription) => ({ shadowId: id, after: last?.shadowEvents.id }),
    [id],
  );
  useLookAtEvents(ShadowFollowedDocument, live ? after : null, look);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the shadow" />;
  if (shadow === null) return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such shadow.')} />;
  const { adapterName, candidateVersion, againstVersion, status, answered, leastAnswers } = shadow;
  return (
    <>
      <Anchor component={Link} href="/delivery" size="sm">
        ← All deliveries
      </Anchor>
      <PageHeader
        title={`${adapterName}: version ${candidateVersion} unseen beside ${againstVersion}`}
        actions={
          live && (
            <WaitingButton
              variant="default"
              waits={fetching ? 'Ending…' : null}
              onClick={() => void stop({ input: { shadow: id, reason: 'Ended in the console' } })}
            >
              End it
            </WaitingButton>
          )
        }
      >
        <ShadowBadge status={status} />{' '}
        <Anchor component={Link} href={adapterPath(adapterName)} size="sm" underline="always">
          {adapterName}
        </Anchor>{' '}
        · {count(answered)} of {count(leastAnswers)} answers · {Math.round(1000 * shadow.share) / 10} % of questions, at
        most {count(shadow.mostPerHour)} an hour · began {dateTime(shadow.createdAt)} by {shadow.startedBy}: “
        {shadow.reason}”
      </PageHeader>
      <Stack>
        {refused && <ErrorState error={refused} />}
        {shadow.endReason && (
          <Alert
            color={COLOURS[status]}
            title={status === 'FAILED' ? `It could not go on (${shadow.errorCode})` : 'It has ended'}
          >
            {shadow.endReason}
          </Alert>
        )}
        <ShadowReport report={shadow.report} />
        <Differing pairs={shadow.pairs} />
      </Stack>
    </>
  );
}
