import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { AnswerShownFragment } from '../../generated/operations';
import { Note } from '../../parts/words';

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
          <Text size="sm" fw={600}>
            {question}
          </Text>
          <Note className="answer-text">{text}</Note>
        </Paper>
      ))}
    </Stack>
  );
}
