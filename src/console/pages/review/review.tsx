import { Button, Kbd, Modal, Paper, Select, SimpleGrid, Stack, Table, Text, TextInput } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconChecks } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { QueueReviewsDocument, type ReviewReason } from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { EmptyState, ErrorState, Loading, Note, PageHeader } from '../../parts/page';
import { useAddress } from '../../parts/use-address';
import { ItemView } from './item-view';
import { useReview } from './use-review';
import { Verdict } from './verdict';

const REASONS: { value: ReviewReason; label: string }[] = [
  { value: 'UNREVIEWED', label: 'Nobody said anything yet' },
  { value: 'UNCERTAIN', label: 'Uncertain' },
  { value: 'DISAGREES', label: 'Disputed' },
  { value: 'SAMPLED', label: 'Sampled' },
  { value: 'CHOSEN', label: 'Chosen' },
  { value: 'PAIR', label: 'Which is better?' },
  { value: 'LABEL_MOVED', label: 'Has a label moved?' },
];

const KEYS: [keys: string[], does: string][] = [
  [['1', '…', '9'], 'chooses what to say'],
  [['↑', '↓'], 'moves the choice'],
  [['Enter'], 'says what is chosen, and goes on'],
  [['E'], 'writes what is right, with what it changes beneath'],
  [['C'], 'writes a comment'],
  [['Ctrl', 'Enter'], 'says what was written, and goes on'],
  [['Esc'], 'leaves the field'],
  [['→'], 'leaves it to others and goes on'],
  [['←'], 'goes back to the one before'],
  [['?'], 'shows these keys'],
];

function Keys({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Keys</Text>}>
      <Table aria-label="Keys">
        <Table.Tbody>
          {KEYS.map(([keys, does]) => (
            <Table.Tr key={does}>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>
                {keys.map((key) => (
                  <Kbd key={key} size="xs" mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}

/** Puts the latest answers into the queue that nobody said anything of. */
function Fill({ onFilled }: { onFilled: () => void }) {
  const { error, fetching, data, send } = useSend(QueueReviewsDocument, ({ queueReviews }) => {
    if (queueReviews.queued > 0) onFilled();
  });
  const fill = () => send({ filter: { hasFeedback: false }, most: 50, answers: [], pairs: [], reviewers: 1 });
  return (
    <Stack align="center" gap="xs">
      <WaitingButton waits={fetching && 'Looking…'} onClick={fill}>
        Review the latest answers
      </WaitingButton>
      {data?.queueReviews.queued === 0 && <Text size="sm">There is no answer that nobody has said anything of.</Text>}
      <ErrorState error={error} />
    </Stack>
  );
}

function Queue(props: {
  reviewer: string;
  reason: ReviewReason | null;
  wanted: string | null;
  onItem: (id: string | null) => void;
}) {
  const { reviewer, reason, wanted, onItem } = props;
  const { item, left, waiting, error, skip, back, again, submit } = useReview(reviewer, reason, wanted, onItem);
  const [keys, setKeys] = useState(false);
  if (!item && waiting) return <Loading label="Looking for something to review" />;
  if (!item)
    return error ? (
      <ErrorState error={error} onRetry={again} />
    ) : (
      <EmptyState icon={IconChecks} title="Nothing is left to review" action={<Fill onFilled={again} />}>
        Answers come here with <code>queueReviews</code>: those that are uncertain, disputed, drawn or chosen.
      </EmptyState>
    );
  return (
    <Stack gap="sm">
      <Note role="status">
        {left} left for {reviewer}
      </Note>
      <ErrorState error={error} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <ItemView item={item} />
        <Verdict
          key={item.id}
          item={item}
          waiting={waiting}
          onSay={submit}
          onSkip={skip}
          onBack={back}
          onKeys={() => setKeys(true)}
        />
      </SimpleGrid>
      <Keys opened={keys} onClose={() => setKeys(false)} />
    </Stack>
  );
}

/** Who reviews stands in the address, as what they review does. */
function Begin({ onBegin }: { onBegin: (reviewer: string) => void }) {
  const [name, setName] = useInputState('');
  const begin = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') onBegin(name.trim());
  };
  return (
    <Paper component="form" onSubmit={begin} maw={420}>
      <TextInput
        label="Who reviews?"
        description="Your feedback is kept under this name."
        autoFocus
        value={name}
        maxLength={200}
        onChange={setName}
      />
      <Button type="submit" mt="sm">
        Begin
      </Button>
    </Paper>
  );
}

export default function ReviewPage() {
  const [address, change] = useAddress();
  const reviewer = address.get('as') ?? '';
  const reason = REASONS.find(({ value }) => value === address.get('reason'))?.value ?? null;
  return (
    <>
      <PageHeader
        title="Review"
        actions={
          reviewer !== '' && (
            <Select
              aria-label="Why they are to be reviewed"
              placeholder="For any reason"
              clearable
              data={REASONS}
              value={reason}
              onChange={(value) => change({ reason: value, item: null })}
            />
          )
        }
      >
        Say of answers whether they are right, or what is: adapters learn from it.
      </PageHeader>
      {reviewer === '' ? (
        <Begin onBegin={(as) => change({ as, item: null })} />
      ) : (
        <Queue
          key={`${reviewer} ${reason}`}
          reviewer={reviewer}
          reason={reason}
          wanted={address.get('item')}
          onItem={(item) => change({ item })}
        />
      )}
    </>
  );
}
