import { Anchor, Badge, Button, Code, Group, Paper, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { AuditLogDocument, type AuditFilterInput, type AuditLogQuery } from '../../generated/operations';
import { FilterField } from '../../parts/form';
import { dateTime, words } from '../../parts/format';
import { Loaded, PageSteps } from '../../parts/loaded';
import { EmptyState, ErrorState, Note, PageHeader } from '../../parts/page';
import { useDownload } from '../../parts/sign-in/download';
import { useAddress } from '../../parts/use-address';

/** What the log may be narrowed by, as it stands in the address. */
export const FIELDS = ['who', 'what', 'outcome', 'subject', 'from', 'to'] as const;

/** A day as a date field gives it, in this place's time. */
const moment = (day: string | null, plusDays = 0): string | null => {
  if (day === null) return null;
  const date = new Date(`${day}T00:00:00`);
  if (Number.isNaN(date.getTime())) return null;
  date.setDate(date.getDate() + plusDays);
  return date.toISOString();
};

export const filterOf = (address: URLSearchParams): AuditFilterInput => {
  const operations = address.get('what')?.split(',').filter(Boolean) ?? [];
  return {
    who: address.get('who'),
    what: operations.length === 0 ? null : operations.slice(0, 50),
    outcome: address.get('outcome'),
    subjectId: address.get('subject'),
    from: moment(address.get('from')),
    // Up to the end of that day.
    to: moment(address.get('to'), 1),
  };
};

/** Where the same days are had as a file. */
export function exportAddress(address: URLSearchParams): string {
  const { from, to } = filterOf(address);
  const query = new URLSearchParams([...(from ? [['from', from]] : []), ...(to ? [['to', to]] : [])]);
  return query.size === 0 ? '/audit.ndjson' : `/audit.ndjson?${query}`;
}

export type Entry = AuditLogQuery['auditLog']['edges'][number]['node'];

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
export function AuditEntryView(props: { entry: Entry; onNarrow: (changes: Record<string, string>) => void }) {
  const { entry, onNarrow } = props;
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

const TEXTS = [
  { name: 'who', label: 'Who', placeholder: 'part of a name or key' },
  { name: 'what', label: 'What', placeholder: 'promoteAdapter,setBudget' },
  { name: 'outcome', label: 'Outcome', placeholder: 'DONE, or a code' },
] as const;
const DAYS = [
  { name: 'from', label: 'From' },
  { name: 'to', label: 'To' },
] as const;

function Filters(props: { address: URLSearchParams; change: (to: Record<string, string | null>) => void }) {
  const { address, change } = props;
  const narrowed = FIELDS.some((name) => address.has(name));
  return (
    <Paper p="sm" mb="sm">
      <Group align="flex-end" gap="sm">
        {TEXTS.map(({ name, label, placeholder }) => (
          <FilterField
            key={name}
            label={label}
            placeholder={placeholder}
            value={address.get(name)}
            onNarrow={(value) => change({ [name]: value })}
          />
        ))}
        {DAYS.map(({ name, label }) => (
          <TextInput
            key={name}
            type="date"
            label={label}
            value={address.get(name) ?? ''}
            onChange={({ currentTarget: { value } }) => change({ [name]: value || null })}
          />
        ))}
        {narrowed && (
          <Button variant="default" onClick={() => change(Object.fromEntries(FIELDS.map((name) => [name, null])))}>
            Show all
          </Button>
        )}
      </Group>
    </Paper>
  );
}

export default function AuditPage() {
  const [address, change] = useAddress();
  const { download, error: notExported } = useDownload();
  // Another filter begins with its newest entries.
  const narrow = (changes: Record<string, string | null>) => change({ after: null, ...changes });
  const cursor = address.get('after');
  const result = useQuery({
    query: AuditLogDocument,
    variables: { filter: filterOf(address), first: 50, after: cursor },
    requestPolicy: 'network-only',
  });
  return (
    <>
      <PageHeader
        title="Audit"
        actions={
          <Button
            component="a"
            href={exportAddress(address)}
            download="audit.ndjson"
            onClick={download}
            variant="default"
            leftSection={<IconDownload size={16} />}
          >
            Export these days
          </Button>
        }
      >
        Every change and every attempt at one: who, what, before and after. Texts of people and documents are not in it.
      </PageHeader>
      <ErrorState error={notExported} />
      <Filters address={address} change={narrow} />
      <Loaded shown={result} what="the log">
        {({ auditLog: { edges } }) =>
          edges.length === 0 ? (
            <EmptyState icon={IconHistory} title="No entry here">
              Mutations and uploads stand here from the moment that they begin, refused ones too.
            </EmptyState>
          ) : (
            <Stack gap="xs">
              {edges.map(({ node }) => (
                <AuditEntryView key={node.id} entry={node} onNarrow={narrow} />
              ))}
            </Stack>
          )
        }
      </Loaded>
      <PageSteps what="entries" after={cursor} next={result[0].data?.auditLog.pageInfo} onStep={change} />
    </>
  );
}
