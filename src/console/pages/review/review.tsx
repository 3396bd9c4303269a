import {
  Button,
  Group,
  Kbd,
  Modal,
  Paper,
  Select,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { IconChecks } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { useLocation, useSearch } from 'wouter';
import {
  QueueReviewsInConsoleDocument,
  type ItemReviewedFragment,
  type ReviewReason,
} from '../../generated/operations';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { choicesOf } from './choices';
import { readEntities, writtenEntities } from './entities';
import { Diff, ItemView } from './item-view';
import { useReview } from './use-review';

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

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.tagName === 'TEXTAREA' || target.tagName === 'INPUT');

/** A button that does something else than choosing keeps its own Enter. */
const isOtherButton = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button:not([aria-pressed]), a') !== null;

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

/** What a correction begins with; null where nothing can be written. Entities are written one a line. */
function correctable({ answer }: ItemReviewedFragment): string | null {
  if (answer?.output.__typename === 'EntitiesOutput') return writtenEntities(answer.output.entities);
  return answer?.output.__typename === 'TextOutput' ? answer.text : null;
}

/** What can be said of an item. Its state goes with the item: a new one begins with nothing chosen. */
function Verdict({
  item,
  waiting,
  onSay,
  onSkip,
  onBack,
  onKeys,
}: {
  item: ItemReviewedFragment;
  waiting: boolean;
  onSay: ReturnType<typeof useReview>['submit'];
  onSkip: () => void;
  onBack: () => void;
  onKeys: () => void;
}) {
  const choices = choicesOf(item);
  const moving = item.moves.length > 0;
  const text = moving ? null : correctable(item);
  const marks = item.answer?.output.__typename === 'EntitiesOutput';
  const [chosen, setChosen] = useState<number | null>(null);
  const [correction, setCorrection] = useState<string | null>(null);
  const [comment, setComment] = useState('');
  const correcting = useRef<HTMLTextAreaElement>(null);
  const commenting = useRef<HTMLTextAreaElement>(null);
  const corrected = correction !== null && text !== null && (marks || correction.trim() !== '') && correction !== text;
  const entities = corrected && marks ? readEntities(item.question, correction) : [];

  const say = () => {
    const said = chosen === null ? {} : choices[chosen]!.said;
    if (typeof entities === 'string') return;
    const right = marks ? { entities } : { text: correction };
    const written = {
      ...(corrected && { expectation: { ...right, newLabel: false }, score: said.score ?? -1 }),
      ...(comment.trim() !== '' && item.answer && !moving && { comment }),
    };
    if (chosen === null && Object.keys(written).length === 0) return;
    void onSay({ ...said, ...written });
  };

  const actions: Record<string, () => void> = {
    ArrowRight: onSkip,
    ArrowLeft: onBack,
    ArrowDown: () => setChosen((at) => ((at ?? -1) + 1) % choices.length),
    ArrowUp: () => setChosen((at) => ((at ?? choices.length) - 1 + choices.length) % choices.length),
    Enter: say,
    e: () => {
      if (text === null) return;
      setCorrection((before) => before ?? text);
      setTimeout(() => correcting.current?.focus());
    },
    c: () => commenting.current?.focus(),
    '?': onKeys,
    ...Object.fromEntries(choices.map((_, i) => [`${i + 1}`, () => setChosen(i)])),
  };
  // Anew after each rendering, so that it sees what is chosen and written by now.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, target } = event;
      if (document.querySelector('[role="dialog"]')) return;
      const held = event.ctrlKey || event.metaKey;
      if (isField(target) && !(held && key === 'Enter')) {
        if (key === 'Escape') (target as HTMLElement).blur();
        return;
      }
      if (event.altKey || (held && key !== 'Enter') || (key === 'Enter' && isOtherButton(target))) return;
      const action = actions[key.length === 1 ? key.toLowerCase() : key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });

  return (
    <Paper>
      <Stack gap="xs">
        <Stack gap={6} role="group" aria-label="What to say">
          {choices.map(({ label, detail }, i) => (
            <Button
              key={label}
              variant={chosen === i ? 'filled' : 'default'}
              aria-pressed={chosen === i}
              justify="flex-start"
              leftSection={<Kbd size="xs">{i + 1}</Kbd>}
              rightSection={detail}
              onClick={() => setChosen(i)}
            >
              {label}
            </Button>
          ))}
        </Stack>
        {text !== null &&
          (correction === null ? (
            <Button
              variant="subtle"
              justify="flex-start"
              leftSection={<Kbd size="xs">E</Kbd>}
              onClick={() => setCorrection(text)}
            >
              Write what is right
            </Button>
          ) : (
            <>
              <Textarea
                ref={correcting}
                label="What is right"
                description={
                  marks ? 'One entity a line: its type, a colon, its words as the question has them.' : undefined
                }
                error={typeof entities === 'string' ? entities : undefined}
                autosize
                minRows={2}
                maxRows={12}
                value={correction}
                onChange={(event) => setCorrection(event.currentTarget.value)}
              />
              <Diff before={text} after={correction} />
            </>
          ))}
        {item.answer && !moving && (
          <Textarea
            ref={commenting}
            label="Comment"
            autosize
            minRows={1}
            maxRows={6}
            maxLength={4000}
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
        )}
        <Group gap="xs">
          <WaitingButton waits={waiting ? 'Saving…' : null} onClick={say}>
            Say so
          </WaitingButton>
          <Button variant="default" onClick={onBack}>
            Back
          </Button>
          <Button variant="default" onClick={onSkip}>
            Leave it to others
          </Button>
        </Group>
        <Text size="xs" c="dimmed">
          <Kbd size="xs">Enter</Kbd> says what is chosen, <Kbd size="xs">?</Kbd> shows all keys.
        </Text>
      </Stack>
    </Paper>
  );
}

/** Puts the latest answers into the queue that nobody said anything of. */
function Fill({ onFilled }: { onFilled: () => void }) {
  const [{ error, fetching, data }, queue] = useMutation(QueueReviewsInConsoleDocument);
  const fill = async () => {
    const { data: done } = await queue({
      input: { filter: { hasFeedback: false }, most: 50, answers: [], pairs: [], reviewers: 1 },
    });
    if (done && done.queueReviews.queued > 0) onFilled();
  };
  return (
    <Stack align="center" gap="xs">
      <WaitingButton waits={fetching ? 'Looking…' : null} onClick={() => void fill()}>
        Review the latest answers
      </WaitingButton>
      {data?.queueReviews.queued === 0 && <Text size="sm">There is no answer that nobody has said anything of.</Text>}
      {error && <ErrorState error={error} />}
    </Stack>
  );
}

function Queue({
  reviewer,
  reason,
  wanted,
  onItem,
}: {
  reviewer: string;
  reason: ReviewReason | null;
  wanted: string | null;
  onItem: (id: string | null) => void;
}) {
  const { item, left, waiting, error, skip, back, again, submit } = useReview(reviewer, reason, wanted, onItem);
  const [keys, setKeys] = useState(false);
  if (!item && waiting) return <Loading label="Looking for something to review" />;
  if (!item)
    return error ? (
      <ErrorState error={error} onRetry={() => void again()} />
    ) : (
      <EmptyState icon={IconChecks} title="Nothing is left to review" action={<Fill onFilled={() => void again()} />}>
        Answers come here with <code>queueReviews</code>: those that are uncertain, disputed, drawn or chosen.
      </EmptyState>
    );
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed" role="status">
        {left} left for {reviewer}
      </Text>
      {error !== null && error !== undefined && <ErrorState error={error} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="sm">
        <ItemView item={item} />
        <Verdict
          key={item.id}
          item={item}
          waiting={waiting}
          onSay={submit}
          onSkip={() => void skip()}
          onBack={() => void back()}
          onKeys={() => setKeys(true)}
        />
      </SimpleGrid>
      <Keys opened={keys} onClose={() => setKeys(false)} />
    </Stack>
  );
}

export default function ReviewPage() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const parameters = new URLSearchParams(search);
  const reviewer = parameters.get('as') ?? '';
  const reason = REASONS.find(({ value }) => value === parameters.get('reason'))?.value ?? null;
  const [name, setName] = useState(reviewer);
  const change = useCallback(
    (changes: Record<string, string | null>) => {
      const next = new URLSearchParams(window.location.search);
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) next.delete(key);
        else next.set(key, value);
      }
      navigate(`/review?${next.toString()}`, { replace: true });
    },
    [navigate],
  );
  const onItem = useCallback((id: string | null) => change({ item: id }), [change]);
  const begin = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') change({ as: name.trim(), item: null });
  };
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
        <Paper component="form" onSubmit={begin} maw={420}>
          <TextInput
            label="Who reviews?"
            description="Your feedback is kept under this name."
            autoFocus
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <WaitingButton type="submit" waits={null} mt="sm">
            Begin
          </WaitingButton>
        </Paper>
      ) : (
        <Queue
          key={`${reviewer} ${reason}`}
          reviewer={reviewer}
          reason={reason}
          wanted={parameters.get('item')}
          onItem={onItem}
        />
      )}
    </>
  );
}
