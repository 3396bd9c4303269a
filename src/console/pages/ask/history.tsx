import { Badge, Button, Group, Modal, Paper, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AnswersDocument, RecordedAnswerDocument, type AnswerShownFragment } from '../../generated/operations';
import type { Place } from '../../parts/document/document-place';
import { dateTime } from '../../parts/format';
import { Listed } from '../../parts/loaded';
import { EmptyState, ErrorState, Loading, Note, Strong } from '../../parts/page';
import { usePages } from '../../parts/use-pages';
import { AnswerView } from './answer-view';
import { STRATEGY_NAMES } from './names';

/** One recorded answer. */
export function Recorded({ id, onOpen }: { id: string; onOpen: (place: Place) => void }) {
  const [{ data, error }] = useQuery({ query: RecordedAnswerDocument, variables: { id } });
  if (error) return <ErrorState error={error} />;
  if (!data) return <Loading label="Loading the answer" />;
  return data.answer ? <AnswerView answer={data.answer} onOpen={onOpen} /> : <Text>The answer was deleted.</Text>;
}

/** Recorded answers, newest first; one opens with all that was recorded of it. */
export function History({ onOpen }: { onOpen: (place: Place) => void }) {
  const [opened, setOpened] = useState<{ id: string; question: string } | null>(null);
  const pages = usePages(AnswersDocument, { first: 20 }, ({ answers }) => answers);
  return (
    <>
      <Listed
        pages={pages}
        what="the history"
        more="Show older answers"
        empty={
          <EmptyState icon={IconHistory} title="Nothing was asked yet">
            Every answer is recorded with its evidence and its route, and can be looked at here.
          </EmptyState>
        }
      >
        {(node) => (
          <UnstyledButton onClick={() => setOpened(node)}>
            <Paper p="sm">
              <Group justify="space-between" align="flex-start" gap="xs" className="history-row">
                <div>
                  <Text fw={600} size="sm" lineClamp={2}>
                    {node.question}
                  </Text>
                  <Note lineClamp={2}>{node.text}</Note>
                </div>
                <Group gap="xs">
                  <Badge color={node.abstained ? 'yellow' : 'teal'}>
                    {node.abstained ? 'no answer' : STRATEGY_NAMES[node.route.strategy]}
                  </Badge>
                  <Note size="xs" style={{ whiteSpace: 'nowrap' }}>
                    {dateTime(node.createdAt)}
                  </Note>
                </Group>
              </Group>
            </Paper>
          </UnstyledButton>
        )}
      </Listed>
      <Modal
        opened={opened !== null}
        onClose={() => setOpened(null)}
        size="xl"
        title={<Text fw={600}>{opened?.question}</Text>}
      >
        {opened && (
          <Recorded
            id={opened.id}
            onOpen={(place) => {
              setOpened(null);
              onOpen(place);
            }}
          />
        )}
      </Modal>
    </>
  );
}

/** What was asked before in the conversation, newest first. */
export function Earlier({ answers, onNew }: { answers: readonly AnswerShownFragment[]; onNew: () => void }) {
  if (answers.length === 0) return null;
  return (
    <Stack gap="xs" mt="md">
      <Group justify="space-between">
        <Title order={2} size="h3">
          Asked before
        </Title>
        <Button variant="default" size="compact-sm" onClick={onNew}>
          New conversation
        </Button>
      </Group>
      {answers.map(({ id, question, text }) => (
        <Paper key={id} p="sm">
          <Strong>{question}</Strong>
          <Note className="answer-text">{text}</Note>
        </Paper>
      ))}
    </Stack>
  );
}
