import { Badge, Group, Paper, Stack, Table, Text } from '@mantine/core';
import { VersionChangesDocument, type VersionChangesQuery } from '../../generated/operations';
import { count, words } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { ErrorState, Loading } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { contentText } from './content';
import { ScrollRegion } from '../../parts/scroll-region';

const PAGE = 50;
const connectionOf = ({ node }: VersionChangesQuery) =>
  node?.__typename === 'DatasetVersion' ? node.diff.changes : null;
const COLOURS = { ADDED: 'green', REMOVED: 'red', CHANGED: 'yellow' } as const;

/** How a version differs from the one before: counts, then row by row. */
export function VersionChanges({ id, against, label }: { id: string; against: string; label: string }) {
  const pages = usePages({
    query: VersionChangesDocument,
    variables: { id, against, first: PAGE },
    connectionOf,
  });
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
      <Paper p={0}>
        <ScrollRegion minWidth={640}>
          <Table verticalSpacing="xs" aria-label="Changed rows">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Row</Table.Th>
                <Table.Th>Before</Table.Th>
                <Table.Th>After</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {edges.map(({ node }) => (
                <Table.Tr key={`${node.key}:${node.splitBefore}:${node.splitAfter}`}>
                  <Table.Td>
                    <Badge color={COLOURS[node.kind]}>{words(node.kind)}</Badge>
                    <Text size="xs" c="dimmed">
                      {node.key.slice(0, 16)}
                    </Text>
                  </Table.Td>
                  <Table.Td maw={360}>{node.before && <Text size="sm">{contentText(node.before)}</Text>}</Table.Td>
                  <Table.Td maw={360}>{node.after && <Text size="sm">{contentText(node.after)}</Text>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollRegion>
      </Paper>
      <ShowMore pages={pages} label="Show more rows" />
    </Stack>
  );
}
