import { Anchor, Badge, Code, Group, Paper, SimpleGrid, Text } from '@mantine/core';
import type { AuditShownQuery } from '../../generated/operations';
import { dateTime, words } from '../../parts/format';
import { Note } from '../../parts/words';

export type Entry = AuditShownQuery['auditLog']['edges'][number]['node'];

const json = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'null';
const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

function State({ title, value }: { title: string; value: unknown }) {
  return (
    <div style={{ minWidth: 0 }}>
      <Text size="xs" fw={600}>
        {title}
      </Text>
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {isNothing(value) ? '–' : json(value)}
      </Code>
    </div>
  );
}

/** A change: who made it, and how it was before and since. */
export function AuditEntryView({
  entry,
  onNarrow,
}: {
  entry: Entry;
  onNarrow: (changes: Record<string, string>) => void;
}) {
  const { at, who, role, what, subjectId, outcome, requestId } = entry;
  const colour = outcome === 'DONE' ? 'green' : outcome === null ? 'yellow' : 'red';
  return (
    <Paper p="sm" data-testid="audit-entry">
      <Group gap="xs">
        <Text fw={600} size="sm" ff="monospace">
          {what}
        </Text>
        <Badge color={colour} tt="none">
          {outcome === 'DONE' ? 'Done' : (outcome ?? 'No outcome')}
        </Badge>
        <Note size="xs">
          {dateTime(at)} · {who} as {words(role)}
        </Note>
      </Group>
      <details>
        <summary>
          <Text span size="xs">
            Before and after
          </Text>
        </summary>
        <SimpleGrid cols={{ base: 1, sm: 3 }} mt="xs">
          <State title="Asked for" value={entry.input} />
          <State title="Before" value={entry.before} />
          <State title="After" value={entry.after} />
        </SimpleGrid>
        <Note size="xs" mt="xs" style={{ overflowWrap: 'anywhere' }}>
          Request {requestId}
          {subjectId && (
            <>
              {' · '}
              <Anchor
                component="button"
                type="button"
                inherit
                underline="always"
                onClick={() => onNarrow({ subject: subjectId })}
              >
                Only what was done to this
              </Anchor>
            </>
          )}
        </Note>
      </details>
    </Paper>
  );
}
