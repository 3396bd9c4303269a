import { Alert, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { dateTime, words } from './format';
import { Note, Prose, Strong } from './page';

/** What was decided of a rollout or an experiment, when, by whom and why. */
export function Decision(props: {
  decision: {
    action: string;
    reasons: readonly string[];
    decidedBy: string | null;
    reason: string | null;
    decidedAt: string;
  };
  /** How far it was. */
  when: string;
  testId: string;
}) {
  const { action, reasons, decidedBy, reason, decidedAt } = props.decision;
  return (
    <Stack gap={2} data-testid={props.testId}>
      <Group gap="xs">
        <Strong>{words(action)}</Strong>
        <Note size="xs">
          {props.when} · {dateTime(decidedAt)} · {decidedBy ?? 'by itself'}
        </Note>
      </Group>
      {reasons.map((sentence) => (
        <Text key={sentence} size="sm">
          <Prose>{sentence}</Prose>
        </Text>
      ))}
      {reason && <Note>“{reason}”</Note>}
    </Stack>
  );
}

/** What speaks against trusting its figures. */
export const Unhealthy = ({
  health,
  color,
  says = '',
}: {
  health: readonly { name: string; healthy: boolean; message: string }[];
  color: string;
  says?: string;
}) =>
  health
    .filter(({ healthy }) => !healthy)
    .map(({ name, message }) => (
      <Alert key={name} color={color} icon={<IconAlertTriangle />} title={`${says}${name}`}>
        {message}
      </Alert>
    ));
