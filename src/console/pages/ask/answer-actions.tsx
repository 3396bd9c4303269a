import { ActionIcon, Button, CopyButton, Group, Stack, Text, Textarea, Tooltip } from '@mantine/core';
import { IconCopy, IconLink, IconPencil, IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useMutation } from 'urql';
import { RateAnswerDocument, type AnswerShownFragment } from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';

/** As whom people speak who judge where they read: of one key all are one source. */
const SOURCE = { kind: 'HUMAN', name: 'console' } as const;
const LONGEST_CORRECTION = 8_000;

function Action({
  label,
  chosen,
  onClick,
  children,
}: {
  label: string;
  chosen?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={chosen ? 'light' : 'subtle'}
        color={chosen ? 'teal' : 'gray'}
        aria-label={label}
        aria-pressed={chosen}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** What a reader does with an answer: says whether it is right, writes what is, copies it, or sends its address to others. */
export function AnswerActions({ answer: { id, text } }: { answer: Pick<AnswerShownFragment, 'id' | 'text'> }) {
  const [{ error, fetching }, submit] = useMutation(RateAnswerDocument);
  const [score, setScore] = useState<number | null>(null);
  const [correction, setCorrection] = useState<string | null>(null);
  const [corrected, setCorrected] = useState(false);
  const rate = async (next: number) => {
    const { data } = await submit({ input: { answer: id, source: SOURCE, score: next } });
    if (data) setScore(next);
  };
  const correct = async (right: string) => {
    const { data } = await submit({
      input: { answer: id, source: SOURCE, kind: 'EXPECTATION', expectation: { text: right } },
    });
    if (!data) return;
    setCorrection(null);
    setCorrected(true);
  };
  const address = `${window.location.origin}/ask?answer=${encodeURIComponent(id)}`;
  return (
    <Stack gap="xs" mt="sm">
      <Group gap={4}>
        <Action label="Right" chosen={score === 1} onClick={() => void rate(1)}>
          <IconThumbUp size={16} />
        </Action>
        <Action label="Wrong" chosen={score === -1} onClick={() => void rate(-1)}>
          <IconThumbDown size={16} />
        </Action>
        <Action label="Correct it" chosen={corrected} onClick={() => setCorrection(correction === null ? text : null)}>
          <IconPencil size={16} />
        </Action>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Action label={copied ? 'Copied' : 'Copy the answer'} onClick={copy}>
              <IconCopy size={16} />
            </Action>
          )}
        </CopyButton>
        <CopyButton value={address}>
          {({ copied, copy }) => (
            <Action label={copied ? 'Copied' : 'Copy its address'} onClick={copy}>
              <IconLink size={16} />
            </Action>
          )}
        </CopyButton>
        {corrected && (
          <Text size="xs" c="dimmed" role="status">
            Your correction is kept as what is right.
          </Text>
        )}
      </Group>
      {correction !== null && (
        <Stack gap="xs">
          <Textarea
            label="What is right"
            autosize
            autoFocus
            minRows={2}
            maxRows={8}
            value={correction}
            error={
              correction.length > LONGEST_CORRECTION ? `At most ${LONGEST_CORRECTION} characters are taken.` : null
            }
            onChange={(event) => setCorrection(event.currentTarget.value)}
          />
          <Group gap="xs" justify="flex-end">
            <Button variant="default" size="compact-sm" onClick={() => setCorrection(null)}>
              Cancel
            </Button>
            <WaitingButton
              size="compact-sm"
              disabled={correction.trim() === '' || correction.length > LONGEST_CORRECTION}
              waits={fetching ? 'Saving…' : null}
              onClick={() => void correct(correction)}
            >
              Save the correction
            </WaitingButton>
          </Group>
        </Stack>
      )}
      {error && <ErrorState error={error} />}
    </Stack>
  );
}
