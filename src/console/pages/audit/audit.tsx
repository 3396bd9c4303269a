import { Button, Group, Paper, Stack, TextInput } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { AuditShownDocument } from '../../generated/operations';
import { FilterField } from '../../parts/filter-field';
import { Loaded } from '../../parts/loaded';
import { PageSteps } from '../../parts/page-steps';
import { useDownload } from '../../parts/sign-in/download';
import { EmptyState, ErrorState, PageHeader } from '../../parts/states';
import { useAddress } from '../../parts/use-address';
import { AuditEntryView } from './audit-entry';
import { exportAddress, FIELDS, filterOf } from './view';

const TEXTS = [
  { name: 'who', label: 'Who', placeholder: 'part of a name or key' },
  { name: 'what', label: 'What', placeholder: 'promoteAdapter,setBudget' },
  { name: 'outcome', label: 'Outcome', placeholder: 'DONE, or a code' },
] as const;
const DAYS = [
  { name: 'from', label: 'From' },
  { name: 'to', label: 'To' },
] as const;

function Filters({
  address,
  change,
}: {
  address: URLSearchParams;
  change: (to: Record<string, string | null>) => void;
}) {
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
  const after = address.get('after');
  const shown = useQuery({
    query: AuditShownDocument,
    variables: { filter: filterOf(address), after },
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
      <Loaded shown={shown} what="the log">
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
      <PageSteps what="entries" after={after} next={shown[0].data?.auditLog.pageInfo} onStep={change} />
    </>
  );
}
