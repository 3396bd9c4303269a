import { Alert, Anchor, Badge, Group, Paper, Stack, Text, Textarea, Title } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import {
  DecideProposalInConsoleDocument,
  ProposalOpenedDocument,
  type ProposalOpenedQuery,
} from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterPath } from '../adapters/paths';
import { ProposalBadge } from './badges';
import { shadowPath } from './paths';
import { RolloutEvidence } from './rollout-view';

type Proposal = NonNullable<ProposalOpenedQuery['proposal']>;

function Decide({ id }: { id: string }) {
  const [reason, setReason] = useState('');
  const [{ error, fetching }, decide] = useMutation(DecideProposalInConsoleDocument);
  const send = (approve: boolean) => decide({ input: { proposal: id, approve, reason } });
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Decide
      </Title>
      <Stack>
        <Textarea
          label="Why"
          description="Kept with the decision, with the date and who made it."
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {error && <ErrorState error={error} />}
        <Group>
          <WaitingButton
            waits={fetching ? 'Deciding…' : null}
            leftSection={<IconCheck size={16} />}
            disabled={reason.trim() === ''}
            onClick={() => void send(true)}
          >
            Approve: it answers from the next question on
          </WaitingButton>
          <WaitingButton
            variant="default"
            waits={fetching ? 'Deciding…' : null}
            leftSection={<IconX size={16} />}
            disabled={reason.trim() === ''}
            onClick={() => void send(false)}
          >
            Reject
          </WaitingButton>
        </Group>
      </Stack>
    </Paper>
  );
}

function Gate({ gate }: { gate: NonNullable<Proposal['gate']> }) {
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        What the gate said
      </Title>
      <Stack gap={4}>
        {gate.checks.map(({ name, passed, measured, message }) => (
          <Group key={name} gap="xs" wrap="nowrap" align="flex-start">
            <Badge color={passed ? 'teal' : measured ? 'red' : 'gray'}>
              {passed ? 'passed' : measured ? 'failed' : 'not measured'}
            </Badge>
            <Text size="sm">{message}</Text>
          </Group>
        ))}
        {gate.simpler.map(({ name, better, message }) => (
          <Group key={name} gap="xs" wrap="nowrap" align="flex-start">
            <Badge color={better ? 'teal' : 'yellow'}>{better ? 'better' : 'not better'}</Badge>
            <Text size="sm">{message}</Text>
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}

function Attestation({ candidate }: { candidate: NonNullable<Proposal['candidate']> }) {
  const { attestation, trainedOn } = candidate;
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        What it is, and that it acts
      </Title>
      <Text size="sm">
        {trainedOn ? `Trained on ${trainedOn.dataset.name}, version ${trainedOn.version}. ` : ''}
        {attestation
          ? `Shown to act ${dateTime(attestation.attestedAt)}: the same change where it is served as where it was trained (cosine ${attestation.cosine.toFixed(3)}, size ${attestation.normRatio.toFixed(2)}).`
          : 'Not attested.'}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
        {candidate.digest}
      </Text>
    </Paper>
  );
}

/** Everything that speaks for a version on one page, and the decision. */
export function ProposalView({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: ProposalOpenedDocument, variables: { id } });
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the proposal" />;
  const { proposal } = data;
  if (!proposal) return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such proposal.')} />;
  const { adapterName, candidateVersion, replacesVersion, status, decidedBy, decidedAt, reason } = proposal;
  return (
    <>
      <Anchor component={Link} href="/delivery" size="sm">
        ← All deliveries
      </Anchor>
      <PageHeader title={`Shall ${adapterName} version ${candidateVersion} answer?`}>
        <ProposalBadge status={status} />{' '}
        {replacesVersion === null ? 'It would be the first.' : `It would replace version ${replacesVersion}.`} Proposed{' '}
        {dateTime(proposal.createdAt)} by {proposal.proposedBy}: “{proposal.rationale}” ·{' '}
        <Anchor component={Link} href={adapterPath(adapterName)} size="sm" underline="always">
          {adapterName}
        </Anchor>
      </PageHeader>
      <Stack>
        {status === 'OPEN' ? (
          <Decide id={id} />
        ) : (
          <Alert
            color="gray"
            title={`Decided by ${decidedBy ?? 'itself'}${decidedAt ? `, ${dateTime(decidedAt)}` : ''}`}
          >
            {reason}
          </Alert>
        )}
        {proposal.candidate && <Attestation candidate={proposal.candidate} />}
        {proposal.gate && <Gate gate={proposal.gate} />}
        {proposal.shadow && (
          <Paper>
            <Title order={2} size="h3" mb="xs">
              What it would have said, unseen
            </Title>
            <Text size="sm">{proposal.shadow.report.sentence}</Text>
            <Anchor component={Link} href={shadowPath(proposal.shadow.id)} size="sm">
              Look at the comparison
            </Anchor>
          </Paper>
        )}
        {proposal.rollout && <RolloutEvidence rollout={proposal.rollout} />}
      </Stack>
    </>
  );
}
