import { Alert, Badge, Stack, Text } from '@mantine/core';
import { useCallback } from 'react';
import { useQuery } from 'urql';
import {
  ShadowEventsDocument,
  ShadowOpenedDocument,
  StopShadowDocument,
  type ShadowEventsSubscription,
  type ShadowOpenedQuery,
  type ShadowStatus,
} from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { count, dateTime, words } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { ErrorState, Note, PageHeader, Section, To } from '../../parts/page';
import { adapterPath } from '../../parts/paths';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { ShadowReport } from './shadow-report';

const COLOURS: Record<ShadowStatus, string> = { RUNNING: 'blue', COMPLETE: 'green', STOPPED: 'gray', FAILED: 'red' };

export const ShadowBadge = ({ status }: { status: ShadowStatus }) => (
  <Badge color={COLOURS[status]}>{words(status)}</Badge>
);

type Shadow = NonNullable<ShadowOpenedQuery['shadow']>;

function Differing({ pairs }: Pick<Shadow, 'pairs'>) {
  const visiblePairs = pairs.edges.map(({ node }) => node);
  if (visiblePairs.length === 0) return null;
  return (
    <Section title="Questions that they answer differently">
      <Stack gap="xs">
        {visiblePairs.map(({ served, servedLabel, candidateLabel }, place) => (
          <div key={served?.id ?? place}>
            <Text size="sm">{served?.question ?? 'This answer was deleted.'}</Text>
            {(servedLabel ?? candidateLabel) !== null && (
              <Note size="xs">
                {servedLabel ?? 'no answer'} → {candidateLabel ?? 'no answer'}
              </Note>
            )}
          </div>
        ))}
      </Stack>
    </Section>
  );
}

/** A shadow: what it found so far, as it goes on. */
export function ShadowView({ id }: { id: string }) {
  const result = useQuery({ query: ShadowOpenedDocument, variables: { id } });
  const look = useLook(result);
  const stop = useSend(StopShadowDocument);
  const live = result[0].data?.shadow?.status === 'RUNNING';
  const eventVariables = useCallback(
    (last?: ShadowEventsSubscription) => ({ shadowId: id, after: last?.shadowEvents.id }),
    [id],
  );
  useLookAtEvents(ShadowEventsDocument, live ? eventVariables : null, look);
  return (
    <Opened shown={result} what="shadow" thing={({ shadow }) => shadow}>
      {({ adapterName, candidateVersion, againstVersion, status, answered, leastAnswers, ...shadow }) => (
        <>
          <PageHeader
            title={`${adapterName}: version ${candidateVersion} unseen beside ${againstVersion}`}
            back={['/delivery', 'All deliveries']}
            actions={
              live && (
                <WaitingButton
                  variant="default"
                  waits={stop.fetching && 'Ending…'}
                  onClick={() => stop.send({ shadow: id, reason: 'Ended in the console' })}
                >
                  End it
                </WaitingButton>
              )
            }
          >
            <ShadowBadge status={status} />{' '}
            <To href={adapterPath(adapterName)} underline="always">
              {adapterName}
            </To>{' '}
            · {count(answered)} of {count(leastAnswers)} answers · {Math.round(1000 * shadow.share) / 10} % of
            questions, at most {count(shadow.mostPerHour)} an hour · began {dateTime(shadow.createdAt)} by{' '}
            {shadow.startedBy}: “{shadow.reason}”
          </PageHeader>
          <Stack>
            <ErrorState error={stop.error} />
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
      )}
    </Opened>
  );
}
