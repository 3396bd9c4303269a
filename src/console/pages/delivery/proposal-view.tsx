import { Alert, Badge, Group, Stack, Text } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconCheck, IconX } from '@tabler/icons-react';
import { DecideProposalDocument, ProposalOpenedDocument, type ProposalOpenedQuery } from '../../generated/operations';
import { useSend, WaitingButton, Why } from '../../parts/form';
import { dateTime, rowsOf } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { ErrorState, Note, PageHeader, Section, To } from '../../parts/page';
import { adapterPath, shadowPath } from '../../parts/paths';
import { usePages } from '../../parts/use-pages';
import { ProposalBadge } from './badges';
import { RolloutEvidence } from './rollout-view';

type Proposal = NonNullable<ProposalOpenedQuery['proposal']>;

function Decide({ id }: { id: string }) {
  const [reason, setReason] = useInputState('');
  const { error, fetching, send } = useSend(DecideProposalDocument);
  const common = { waits: fetching && 'Deciding…', disabled: reason.trim() === '' };
  return (
    <Section title="Decide">
      <Stack>
        <Why kept="the decision, with the date and who made it" value={reason} onChange={setReason} />
        <ErrorState error={error} />
        <Group>
          <WaitingButton
            leftSection={<IconCheck size={16} />}
            onClick={() => send({ proposal: id, approve: true, reason })}
            {...common}
          >
            Approve: it answers from the next question on
          </WaitingButton>
          <WaitingButton
            variant="default"
            leftSection={<IconX size={16} />}
            onClick={() => send({ proposal: id, approve: false, reason })}
            {...common}
          >
            Reject
          </WaitingButton>
        </Group>
      </Stack>
    </Section>
  );
}

function Gate({ gate }: { gate: NonNullable<Proposal['gate']> }) {
  return (
    <Section title="What the gate said">
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
    </Section>
  );
}

function Attestation({ candidate }: { candidate: NonNullable<Proposal['candidate']> }) {
  const { attestation, trainedOn } = candidate;
  return (
    <Section title="What it is, and that it acts">
      <Text size="sm">
        {trainedOn ? `Trained on ${rowsOf(trainedOn)}. ` : ''}
        {attestation
          ? `Shown to act ${dateTime(attestation.attestedAt)}: the same change where it is served as where it was trained (cosine ${attestation.cosine.toFixed(3)}, size ${attestation.normRatio.toFixed(2)}).`
          : 'Not attested.'}
      </Text>
      <Note size="xs" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
        {candidate.digest}
      </Note>
    </Section>
  );
}

function OpenedProposal({ proposal }: { proposal: Proposal }) {
  const { adapterName, candidateVersion, replacesVersion, status, decidedBy, decidedAt, reason } = proposal;
  return (
    <>
      <PageHeader
        title={`Shall ${adapterName} version ${candidateVersion} answer?`}
        back={['/delivery', 'All deliveries']}
      >
        <ProposalBadge status={status} />{' '}
        {replacesVersion === null ? 'It would be the first.' : `It would replace version ${replacesVersion}.`} Proposed{' '}
        {dateTime(proposal.createdAt)} by {proposal.proposedBy}: “{proposal.rationale}” ·{' '}
        <To href={adapterPath(adapterName)} underline="always">
          {adapterName}
        </To>
      </PageHeader>
      <Stack>
        {status === 'OPEN' ? (
          <Decide id={proposal.id} />
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
          <Section title="What it would have said, unseen">
            <Text size="sm">{proposal.shadow.report.sentence}</Text>
            <To href={shadowPath(proposal.shadow.id)}>Look at the comparison</To>
          </Section>
        )}
        {proposal.rollout && <RolloutEvidence rollout={proposal.rollout} />}
      </Stack>
    </>
  );
}

/** Everything that speaks for a version on one page, and the decision. */
export function ProposalView({ id }: { id: string }) {
  const pages = usePages(ProposalOpenedDocument, { id }, ({ proposal }) => proposal?.rollout?.decisions ?? null, true);
  return (
    <Opened shown={pages} what="proposal" thing={({ proposal }) => proposal}>
      {({ rollout, ...proposal }) => (
        <OpenedProposal
          proposal={{
            ...proposal,
            rollout: rollout && { ...rollout, decisions: { ...rollout.decisions, edges: [...pages.edges] } },
          }}
        />
      )}
    </Opened>
  );
}
