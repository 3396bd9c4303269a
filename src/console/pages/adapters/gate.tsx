import { Badge, Group, Stack, Text } from '@mantine/core';
import type { AdapterOpenedQuery } from '../../generated/operations';
import { words } from '../../parts/format';
import { Prose } from '../../parts/prose';

type Verdict = NonNullable<AdapterOpenedQuery['adapter']>['versions'][number]['gate'];
type Check = Verdict['checks'][number];

const COLOURS = { passed: 'green', undecided: 'yellow', 'not measured': 'gray', failed: 'red' } as const;
const stateOf = ({ passed, measured, undecided }: Check): keyof typeof COLOURS =>
  passed ? 'passed' : !measured ? 'not measured' : undecided ? 'undecided' : 'failed';

/** What the gate says of a version now, check by check, and how it does beside simpler methods. */
export function Gate({ gate }: { gate: Verdict }) {
  return (
    <Stack gap={4} mt="sm" role="list" aria-label="What the gate says">
      {gate.checks.map((check) => (
        <Group key={check.name} gap="xs" wrap="nowrap" align="flex-start" role="listitem">
          <Badge color={COLOURS[stateOf(check)]} miw={110}>
            {stateOf(check)}
          </Badge>
          <Text size="sm">
            {words(check.name)}: <Prose>{check.message}</Prose>
          </Text>
        </Group>
      ))}
      {gate.simpler.map(({ name, better, message }) => (
        <Group key={name} gap="xs" wrap="nowrap" align="flex-start" role="listitem">
          <Badge color={better ? 'green' : 'yellow'} miw={92}>
            {better ? 'better' : 'not better'}
          </Badge>
          <Text size="sm">
            {words(name)}: <Prose>{message}</Prose>
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
