import { ActionIcon, Button, CopyButton, Group, Stack, Textarea, Tooltip } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconCopy, IconLink, IconPencil, IconThumbDown, IconThumbUp, type Icon } from '@tabler/icons-react';
import { useState } from 'react';
import { SubmitFeedbackDocument, type AnswerShownFragment } from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { ErrorState, Note } from '../../parts/page';

/** As whom people speak who judge where they read: of one key all are one source. */
const SOURCE = { kind: 'HUMAN', name: 'console' } as const;
const LONGEST_CORRECTION = 8_000;

interface ActionProps {
  label: string;
  chosen?: boolean;
  onClick: () => unknown;
  icon: Icon;
}

const Action = ({ label, chosen, onClick, icon: Icon }: ActionProps) => (
  <Tooltip label={label}>
    <ActionIcon
      variant={chosen ? 'light' : 'subtle'}
      color={chosen ? 'teal' : 'gray'}
      aria-label={label}
      aria-pressed={chosen}
      onClick={onClick}
    >
      <Icon size={16} />
    </ActionIcon>
  </Tooltip>
);

const Copy = ({ label, value, icon }: { label: string; value: string; icon: Icon }) => (
  <CopyButton value={value}>
    {({ copied, copy }) => <Action label={copied ? 'Copied' : label} icon={icon} onClick={copy} />}
  </CopyButton>
);

function Correction(props: {
  text: string;
  saving: boolean;
  onSave: (right: string) => unknown;
  onCancel: () => void;
}) {
  const { text, saving, onSave, onCancel } = props;
  const [right, setRight] = useInputState(text);
  const tooLong = right.length > LONGEST_CORRECTION;
  return (
    <Stack gap="xs">
      <Textarea
        label="What is right"
        autosize
        autoFocus
        minRows={2}
        maxRows={8}
        value={right}
        error={tooLong ? `At most ${LONGEST_CORRECTION} characters are taken.` : null}
        onChange={setRight}
      />
      <Group gap="xs" justify="flex-end">
        <Button variant="default" size="compact-sm" onClick={onCancel}>
          Cancel
        </Button>
        <WaitingButton
          size="compact-sm"
          disabled={right.trim() === '' || tooLong}
          waits={saving && 'Saving…'}
          onClick={() => onSave(right)}
        >
          Save the correction
        </WaitingButton>
      </Group>
    </Stack>
  );
}

/** What a reader does with an answer: says whether it is right, writes what is, copies it, or sends its address to others. */
export function AnswerActions({ answer: { id, text } }: { answer: Pick<AnswerShownFragment, 'id' | 'text'> }) {
  const { error, fetching, send } = useSend(SubmitFeedbackDocument);
  const [score, setScore] = useState<number | null>(null);
  const [correcting, setCorrecting] = useState(false);
  const [corrected, setCorrected] = useState(false);
  const rate = async (next: number) => {
    if (await send({ answer: id, source: SOURCE, score: next })) setScore(next);
  };
  const correct = async (right: string) => {
    if (!(await send({ answer: id, source: SOURCE, kind: 'EXPECTATION', expectation: { text: right } }))) return;
    setCorrecting(false);
    setCorrected(true);
  };
  return (
    <Stack gap="xs" mt="sm">
      <Group gap={4}>
        <Action label="Right" chosen={score === 1} icon={IconThumbUp} onClick={() => rate(1)} />
        <Action label="Wrong" chosen={score === -1} icon={IconThumbDown} onClick={() => rate(-1)} />
        <Action label="Correct it" chosen={corrected} icon={IconPencil} onClick={() => setCorrecting(!correcting)} />
        <Copy label="Copy the answer" value={text} icon={IconCopy} />
        <Copy
          label="Copy its address"
          value={`${window.location.origin}/ask?answer=${encodeURIComponent(id)}`}
          icon={IconLink}
        />
        {corrected && (
          <Note size="xs" role="status">
            Your correction is kept as what is right.
          </Note>
        )}
      </Group>
      {correcting && (
        <Correction text={text} saving={fetching} onSave={correct} onCancel={() => setCorrecting(false)} />
      )}
      <ErrorState error={error} />
    </Stack>
  );
}
