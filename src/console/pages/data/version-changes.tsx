import { Badge, Group, Stack, Text } from '@mantine/core';
import { VersionChangesDocument } from '../../generated/operations';
import { count, words } from '../../parts/format';
import { ShowMore } from '../../parts/loaded';
import { ErrorState, Loading, Note } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { usePages } from '../../parts/use-pages';
import { contentText } from './content';

const COLOURS = { ADDED: 'green', REMOVED: 'red', CHANGED: 'yellow' } as const;

/** How a version differs from the one before: counts, then row by row. */
export function VersionChanges({ id, against, label }: { id: string; against: string; label: string }) {
  const pages = usePages(VersionChangesDocument, { id, against, first: 50 }, ({ node }) =>
    node?.__typename === 'DatasetVersion' ? node.diff.changes : null,
  );
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Comparing the versions" />;
  if (data.node?.__typename !== 'DatasetVersion') return <Text>The version was withdrawn.</Text>;
  const { diff } = data.node;
  return (
    <Stack>
      <Group gap="xs">
        <Text size="sm">{label}:</Text>
        <Badge color="green">{count(diff.added)} added</Badge>
        <Badge color="red">{count(diff.removed)} removed</Badge>
        <Badge color="yellow">{count(diff.changed)} changed</Badge>
        <Badge color="gray">{count(diff.unchanged)} the same</Badge>
      </Group>
      <DataTable
        framed
        label="Changed rows"
        minWidth={640}
        rows={edges.map(({ node }) => node)}
        keyOf={({ key, splitBefore, splitAfter }) => `${key}:${splitBefore}:${splitAfter}`}
        columns={[
          {
            head: 'Row',
            cell: ({ kind, key }) => (
              <>
                <Badge color={COLOURS[kind]}>{words(kind)}</Badge>
                <Note size="xs">{key.slice(0, 16)}</Note>
              </>
            ),
          },
          { head: 'Before', maw: 360, cell: ({ before }) => before && <Text size="sm">{contentText(before)}</Text> },
          { head: 'After', maw: 360, cell: ({ after }) => after && <Text size="sm">{contentText(after)}</Text> },
        ]}
      />
      <ShowMore pages={pages} label="Show more rows" />
    </Stack>
  );
}
