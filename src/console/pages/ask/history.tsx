import { Badge, Group, Modal, Paper, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AnswerHistoryDocument, RecordedAnswerDocument, type AnswerHistoryQuery } from '../../generated/operations';
import type { Place } from '../../parts/document/document-place';
import { dateTime } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { AnswerView } from './answer-view';
import { STRATEGY_NAMES } from './names';

const PAGE = 20;
const connectionOf = (data: AnswerHistoryQuery) => data.answers;

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
  const pages = usePages({
    query: AnswerHistoryDocument,
    variables: { first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the history" />;
  if (edges.length === 0)
    return (
      <EmptyState icon={IconHistory} title="Nothing was asked yet">
        Every answer is recorded with its evidence and its route, and can be looked at here.
      </EmptyState>
    );
  return (
    <Stack gap="xs">
      {edges.map(({ node }) => (
        <UnstyledButton key={node.id} onClick={() => setOpened(node)}>
          <Paper p="sm">
            <Group justify="space-between" align="flex-start" gap="xs" className="history-row">
              <div>
                <Text fw={600} size="sm" lineClamp={2}>
                  {node.question}
                </Text>
                <Text size="sm" c="dimmed" lineClamp={2}>
                  {node.text}
                </Text>
              </div>
              <Group gap="xs">
                <Badge color={node.abstained ? 'yellow' : 'teal'}>
                  {node.abstained ? 'no answer' : STRATEGY_NAMES[node.route.strategy]}
                </Badge>
                <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                  {dateTime(node.createdAt)}
                </Text>
              </Group>
            </Group>
          </Paper>
        </UnstyledButton>
      ))}
      <ShowMore pages={pages} label="Show older answers" />
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
    </Stack>
  );
}
