import { ActionIcon, Anchor, Button, Paper, Stack, Table, Tabs, Text, VisuallyHidden } from '@mantine/core';
import { IconFileText, IconFolderOff, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useMutation } from 'urql';
import { Link, useSearch } from 'wouter';
import {
  CollectionShownDocument,
  DeleteDocumentsInConsoleDocument,
  type CollectionShownQuery,
} from '../../generated/operations';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { DocumentDrawer, type Place } from '../../parts/document/document-place';
import { bytes, count, dateTime, plural, words } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { Ingest } from './ingest';
import { SearchBench } from './search-bench';
import { ScrollRegion } from '../../parts/scroll-region';

type Collection = NonNullable<CollectionShownQuery['collection']>;

type Edge = Collection['documents']['edges'][number];

const PAGE = 50;
const connectionOf = ({ collection }: CollectionShownQuery) => collection?.documents ?? null;

/** What people call a media type, by its last part. */
const KINDS: Record<string, string> = {
  document: 'Word',
  plain: 'Text',
  markdown: 'Markdown',
  html: 'HTML',
  pdf: 'PDF',
};
const kindOf = (mediaType: string): string => {
  const last = mediaType.split(/[/.]/).at(-1) ?? mediaType;
  return KINDS[last] ?? last;
};

function Documents({
  collection,
  edges,
  onOpen,
  onRemoved,
}: {
  collection: string;
  edges: readonly Edge[];
  onOpen: (place: Place) => void;
  /** A document was deleted, or turned out to be gone already. */
  onRemoved: () => void;
}) {
  const [{ error, fetching }, remove] = useMutation(DeleteDocumentsInConsoleDocument);
  const [leaving, setLeaving] = useState<string | null>(null);
  const erase = () => {
    setLeaving(null);
    if (leaving !== null) void remove({ input: { collection, names: [leaving] } }).then(onRemoved);
  };
  if (edges.length === 0)
    return (
      <EmptyState icon={IconFileText} title="No documents yet">
        Drop files above. They can be asked about as soon as they are indexed.
      </EmptyState>
    );
  return (
    <Stack>
      {error && <ErrorState error={error} />}
      <ConfirmDialog
        asked={leaving === null ? null : { title: `Delete ${leaving}?`, text: 'Search finds none of it from then on.' }}
        confirm="Delete it"
        onConfirm={erase}
        onClose={() => setLeaving(null)}
      />
      <Paper p={0}>
        <ScrollRegion minWidth={640} stacks={3}>
          <Table highlightOnHover verticalSpacing="xs" aria-label="Documents">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Document</Table.Th>
                <Table.Th>Type</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th ta="right">Pages</Table.Th>
                <Table.Th ta="right">Passages</Table.Th>
                <Table.Th>Read</Table.Th>
                <Table.Th>
                  <VisuallyHidden>Actions</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {edges.map(({ node }) => (
                <Table.Tr key={node.id}>
                  <Table.Td maw={320}>
                    <Anchor
                      component="button"
                      type="button"
                      size="sm"
                      ta="left"
                      onClick={() => onOpen({ documentId: node.id, documentName: node.name, start: 0, end: 0 })}
                    >
                      {node.name}
                    </Anchor>
                    {node.title !== node.name && (
                      <Text size="xs" c="dimmed" truncate>
                        {node.title}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td data-minor>{kindOf(node.mediaType)}</Table.Td>
                  <Table.Td ta="right" data-label="Size">
                    {bytes(node.bytes)}
                  </Table.Td>
                  <Table.Td ta="right" data-minor>
                    {node.pages ?? '–'}
                  </Table.Td>
                  <Table.Td ta="right" data-label="Passages">
                    {count(node.chunkCount)}
                  </Table.Td>
                  <Table.Td data-minor>{dateTime(node.createdAt)}</Table.Td>
                  <Table.Td ta="right" data-label="">
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={fetching ? 'Deleting…' : `Delete ${node.name}`}
                      title={fetching ? 'Deleting…' : undefined}
                      loading={fetching}
                      onClick={() => setLeaving(node.name)}
                    >
                      <IconTrash size={16} />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollRegion>
      </Paper>
    </Stack>
  );
}

/** The place that the address names: links from answers elsewhere lead here. */
function placeIn(search: string): Place | null {
  const given = new URLSearchParams(search);
  const documentId = given.get('document');
  const [start, end] = [Number(given.get('start') ?? 0), Number(given.get('end') ?? 0)];
  if (documentId === null || !(start >= 0 && end >= start)) return null;
  return { documentId, documentName: given.get('name') ?? 'Document', start, end };
}

/** One collection: its files, what became of them, and a bench to search it. */
export function CollectionView({ name }: { name: string }) {
  const [place, setPlace] = useState<Place | null>(placeIn(useSearch()));
  const pages = usePages({
    query: CollectionShownDocument,
    variables: { name, first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the collection" />;
  const { collection } = data;
  if (!collection)
    return (
      <EmptyState
        icon={IconFolderOff}
        title={`There is no collection “${name}”`}
        action={
          <Button component={Link} href="/knowledge">
            All collections
          </Button>
        }
      />
    );
  return (
    <>
      <Anchor component={Link} href="/knowledge" size="sm">
        ← All collections
      </Anchor>
      <PageHeader
        title={collection.name}
        actions={
          <Button component={Link} href={`/ask?collection=${encodeURIComponent(collection.name)}`} variant="default">
            Ask about it
          </Button>
        }
      >
        {collection.description && `${collection.description} · `}
        {plural(collection.documentCount, 'document')} · {plural(collection.chunkCount, 'passage')} ·{' '}
        {words(collection.language)}
      </PageHeader>
      <Tabs defaultValue="documents" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="documents">Documents</Tabs.Tab>
          <Tabs.Tab value="search">Search bench</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="documents">
          <Stack>
            <Ingest collection={collection.name} onDone={again} />
            <Documents collection={collection.name} edges={edges} onOpen={setPlace} onRemoved={again} />
            <ShowMore pages={pages} label="Show more documents" />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="search">
          <SearchBench collection={collection.name} onOpen={setPlace} />
        </Tabs.Panel>
      </Tabs>
      <DocumentDrawer place={place} onClose={() => setPlace(null)} />
    </>
  );
}
