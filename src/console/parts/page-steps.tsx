import { Button, Group } from '@mantine/core';

/** Below a list that shows one page at a time, whose beginning stands in the address as `after`. */
export function PageSteps({
  what,
  after,
  next,
  onStep,
}: {
  what: string;
  after: string | null;
  next: { hasNextPage: boolean; endCursor: string | null } | undefined;
  onStep: (change: { after: string | null }) => void;
}) {
  return (
    <Group mt="sm">
      {after && (
        <Button variant="default" onClick={() => onStep({ after: null })}>
          Newest {what}
        </Button>
      )}
      {next?.hasNextPage && (
        <Button variant="default" onClick={() => onStep({ after: next.endCursor })}>
          Older {what}
        </Button>
      )}
    </Group>
  );
}
