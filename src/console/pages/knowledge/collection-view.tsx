import { ActionIcon, Anchor, Button, Stack, Tabs, VisuallyHidden } from '@mantine/core';
import { IconFileText, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useSearch } from 'wouter';
import {
  CollectionShownDocument,
  DeleteDocumentsDocument,
  type CollectionShownQuery,
} from '../../generated/operations';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { DocumentDrawer, type Place } from '../../parts/document/document-place';
import { useSend } from '../../parts/form';
import { bytes, count, dateTime, plural, words } from '../../parts/format';
import { Opened, ShowMore } from '../../parts/loaded';
import { EmptyState, ErrorState, Gone, Note, PageHeader } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { usePages } from '../../parts/use-pages';
import { Ingest, useIngestion } from './ingest';
import { SearchBench } from './search-bench';

type Collection = NonNullable<CollectionShownQuery['collection']>;

type Edge = Collection['documents']['edges'][number];
type Document = Edge['node'];

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

function DocumentName(props: { document: Document; onOpen: (place: Place) => void }) {
  const { id, name, title } = props.document;
  return (
    <>
      <Anchor
        component="button"
        type="button"
        size="sm"
        ta="left"
        onClick={() => props.onOpen({ documentId: id, documentName: name, start: 0, end: 0 })}
      >
        {name}
      </Anchor>
      {title !== name && (
        <Note size="xs" truncate>
          {title}
        </Note>
      )}
    </>
  );
}

function Documents(props: {
  collection: string;
  edges: readonly Edge[];
  onOpen: (place: Place) => void;
  /** A document was deleted, or turned out to be gone already. */
  onRemoved: () => void;
}) {
  const { collection, edges, onOpen, onRemoved } = props;
  const { error, fetching, send } = useSend(DeleteDocumentsDocument);
  const [leaving, setLeaving] = useState<string | null>(null);
  const erase = async () => {
    setLeaving(null);
    if (leaving === null) return;
    await send({ collection, names: [leaving] });
    onRemoved();
  };
  if (edges.length === 0)
    return (
      <EmptyState icon={IconFileText} title="No documents yet">
        Drop files above. They can be asked about as soon as they are indexed.
      </EmptyState>
    );
  const removalOf = ({ name }: Document) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={fetching ? 'Deleting…' : `Delete ${name}`}
      title={fetching ? 'Deleting…' : undefined}
      loading={fetching}
      onClick={() => setLeaving(name)}
    >
      <IconTrash size={16} />
    </ActionIcon>
  );
  return (
    <Stack>
      <ErrorState error={error} />
      <ConfirmDialog
        asked={leaving === null ? null : { title: `Delete ${leaving}?`, text: 'Search finds none of it from then on.' }}
        confirm="Delete it"
        onConfirm={erase}
        onClose={() => setLeaving(null)}
      />
      <DataTable
        framed
        label="Documents"
        minWidth={640}
        stacks={3}
        rows={edges.map(({ node }) => node)}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Document',
            label: null,
            maw: 320,
            cell: (document) => <DocumentName document={document} onOpen={onOpen} />,
          },
          { head: 'Type', minor: true, cell: ({ mediaType }) => kindOf(mediaType) },
          { head: 'Size', right: true, cell: (document) => bytes(document.bytes) },
          { head: 'Pages', right: true, minor: true, cell: ({ pages }) => pages ?? '–' },
          { head: 'Passages', right: true, cell: ({ chunkCount }) => count(chunkCount) },
          { head: 'Read', minor: true, cell: ({ createdAt }) => dateTime(createdAt) },
          { head: <VisuallyHidden>Actions</VisuallyHidden>, label: '', right: true, cell: removalOf },
        ]}
      />
    </Stack>
  );
}

/** The place that the address names: links from answers elsewhere lead here. */
function placeIn(search: string): Place | null {
  const params = new URLSearchParams(search);
  const documentId = params.get('document');
  const [start, end] = [Number(params.get('start') ?? 0), Number(params.get('end') ?? 0)];
  if (documentId === null || !(start >= 0 && end >= start)) return null;
  return { documentId, documentName: params.get('name') ?? 'Document', start, end };
}

/** One collection: its files, what became of them, and a bench to search it. */
export function CollectionView({ name }: { name: string }) {
  const [place, setPlace] = useState<Place | null>(placeIn(useSearch()));
  const pages = usePages(
    CollectionShownDocument,
    { name, first: 50 },
    ({ collection }) => collection?.documents ?? null,
  );
  const { edges, again } = pages;
  const ingestion = useIngestion(name, again);
  return (
    <Opened
      shown={pages}
      what="collection"
      thing={({ collection }) => collection}
      missing={<Gone title={`There is no collection “${name}”`} href="/knowledge" all="All collections" />}
    >
      {(collection) => (
        <>
          <PageHeader
            title={collection.name}
            back={['/knowledge', 'All collections']}
            actions={
              <Button
                component={Link}
                href={`/ask?collection=${encodeURIComponent(collection.name)}`}
                variant="default"
              >
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
                <Ingest ingestion={ingestion} />
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
      )}
    </Opened>
  );
}
