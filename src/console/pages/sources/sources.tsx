import { Code } from '@mantine/core';
import { IconFolders } from '@tabler/icons-react';
import { SourceListDocument, type SourceShownFragment } from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { Loaded, ShowMore } from '../../parts/loaded';
import { EmptyState, Note, PageHeader, To } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { collectionPath, sourcePath } from '../../parts/paths';
import { DataTable } from '../../parts/table';
import { useLook } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';
import { LOOK_MS, SourceView, StateBadges } from './source-view';

function SourceTable({ sources }: { sources: readonly SourceShownFragment[] }) {
  return (
    <DataTable
      framed
      label="Sources"
      minWidth={760}
      stacks={3}
      rows={sources}
      keyOf={({ id }) => id}
      columns={[
        {
          head: 'Source',
          label: null,
          cell: ({ name, folder }) => (
            <>
              <To href={sourcePath(name)} fw={600}>
                {name}
              </To>
              <Note size="xs">{folder ?? 'listed by a client'}</Note>
            </>
          ),
        },
        {
          head: 'Collection',
          cell: ({ collection }) => collection && <To href={collectionPath(collection.name)}>{collection.name}</To>,
        },
        { head: 'State', cell: StateBadges },
        { head: 'In', right: true, cell: ({ counts }) => count(counts.in) },
        { head: 'Failed', right: true, cell: ({ counts }) => count(counts.failed) },
        { head: 'Without text', right: true, cell: ({ counts }) => count(counts.empty) },
        { head: 'Last synced', cell: ({ lastSyncedAt }) => (lastSyncedAt ? dateTime(lastSyncedAt) : 'never') },
        { head: 'Next', cell: ({ nextSyncAt }) => (nextSyncAt ? dateTime(nextSyncAt) : '–') },
      ]}
    />
  );
}

function SourceList() {
  const pages = usePages(SourceListDocument, { first: 50 }, ({ sources }) => sources);
  useLook([pages, pages.again], LOOK_MS);
  return (
    <>
      <PageHeader title="Sources">What collections have of other places, and how fresh it is.</PageHeader>
      <Loaded shown={pages} what="the sources">
        {() =>
          pages.edges.length === 0 ? (
            <EmptyState
              icon={IconFolders}
              title="No source yet"
              action={
                <Code block style={{ whiteSpace: 'pre-wrap' }}>
                  npx graft sync ./handbook --collection handbook --create
                </Code>
              }
            >
              A collection can follow a folder: what is new or changed comes in, and what is gone goes. Run this with
              the path of yours, and again whenever it changes.
            </EmptyState>
          ) : (
            <SourceTable sources={pages.edges.map(({ node }) => node)} />
          )
        }
      </Loaded>
      <ShowMore pages={pages} label="Show more sources" />
    </>
  );
}

/** What collections have of other places; each source with what of it is in, and why the rest isn't. */
export default pageOf(SourceList, { '/sources/:name': SourceView });
