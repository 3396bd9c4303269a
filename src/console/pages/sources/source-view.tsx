import { Badge, Group, Paper, SimpleGrid, Stack } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useCallback, useEffect } from 'react';
import { useQuery } from 'urql';
import {
  SourceOpenedDocument,
  SourceSyncProgressDocument,
  SyncFolderDocument,
  type SourceOpenedQuery,
  type SourceShownFragment,
  type SourceState,
} from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { count, dateTime, plural, words } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { Opened } from '../../parts/loaded';
import { ErrorState, Figure, Gone, Note, PageHeader, Section, To } from '../../parts/page';
import { collectionPath } from '../../parts/paths';
import { isOpen, RunProgress, useRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';
import { useLook } from '../../parts/use-look';

type Source = NonNullable<SourceOpenedQuery['source']>;

/** Between two looks at sources, in ms: they are synced by themselves and by others. */
export const LOOK_MS = 10_000;
/** The API gives no more at once. */
const MOST_FAILURES = 100;

const COLOURS: Record<SourceState, string> = { NEW: 'gray', SYNCING: 'blue', SYNCED: 'green', FAILED: 'red' };

export const StateBadges = ({ state, stale }: Pick<SourceShownFragment, 'state' | 'stale'>) => (
  <Group gap={4} component="span" display="inline-flex">
    <Badge color={COLOURS[state]}>{words(state)}</Badge>
    {stale && <Badge color="yellow">Stale</Badge>}
  </Group>
);

/** When it was synced last, and when it is next. */
function timesOf({ kind, everyMinutes, lastSyncedAt, nextSyncAt }: Source): string {
  const by = kind === 'FOLDER' ? 'by hand' : 'by its client';
  const next = nextSyncAt
    ? `next ${dateTime(nextSyncAt)}`
    : `to be synced ${everyMinutes === null ? by : `every ${plural(everyMinutes, 'minute')}`}`;
  return `${lastSyncedAt ? `as of ${dateTime(lastSyncedAt)}` : 'never synced'} · ${next}`;
}

/** Files that are no documents, each with its reason. */
function Failures({ source: { failures, counts, lastSyncedAt } }: { source: Source }) {
  const total = counts.failed + counts.empty;
  if (total === 0) return lastSyncedAt && <Note>Every file is in.</Note>;
  return (
    <Section title="Files that are no documents" says="Each is asked for again once it has changed.">
      <DataTable
        label="Files that are no documents"
        minWidth={560}
        stacks={2}
        rows={failures}
        keyOf={({ path }) => path}
        columns={[
          { head: 'File', label: null, maw: 320, style: { overflowWrap: 'anywhere' }, cell: ({ path }) => path },
          { head: 'Why', label: null, cell: ({ reason }) => reason },
          { head: 'Changed', minor: true, cell: ({ modifiedAt }) => modifiedAt && dateTime(modifiedAt) },
        ]}
      />
      {failures.length < total && (
        <Note mt="xs">
          {count(failures.length)} of {count(total)}: there are more, or some that you may not see.
        </Note>
      )}
    </Section>
  );
}

/** Reads the folder of a source now, and follows whatever reads it: begun here, elsewhere or by itself. */
function useFolderSync({ lastRun }: Pick<Source, 'lastRun'>, onDone: () => void) {
  const { watch, ...followed } = useRun(SourceSyncProgressDocument);
  const follow = useCallback((id: string) => void watch(id).then(onDone), [watch, onDone]);
  const { send, fetching, error } = useSend(SyncFolderDocument, ({ syncFolder }) => follow(syncFolder.run.id));
  const openId = lastRun && isOpen(lastRun.status) ? lastRun.id : null;
  useEffect(() => {
    if (openId !== null) follow(openId);
  }, [openId, follow]);
  const failure = lastRun?.error ? new GatewayError(lastRun.error.code, lastRun.error.message) : null;
  return {
    // Why it failed last stands there until it is read again.
    run: { event: followed.event, error: error ?? followed.error ?? (followed.event === null ? failure : null) },
    busy: followed.busy || fetching,
    sync: (source: string) => send({ source, idempotencyKey: crypto.randomUUID() }),
  };
}

function OpenedSource({ source, mayEdit, again }: { source: Source; mayEdit: boolean; again: () => void }) {
  const { name, kind, folder, collection, counts } = source;
  const { run, busy, sync } = useFolderSync(source, again);
  const isFolder = kind === 'FOLDER';
  return (
    <>
      <PageHeader
        title={name}
        back={['/sources', 'All sources']}
        actions={
          isFolder &&
          mayEdit && (
            <WaitingButton
              leftSection={<IconRefresh size={16} />}
              waits={busy && 'Reading the folder…'}
              onClick={() => sync(name)}
            >
              Sync now
            </WaitingButton>
          )
        }
      >
        <StateBadges {...source} /> {isFolder ? `Folder ${folder}` : 'Listed by a client'}
        {collection && (
          <>
            , into{' '}
            <To href={collectionPath(collection.name)} inherit underline="always">
              {collection.name}
            </To>
          </>
        )}{' '}
        · {timesOf(source)}
      </PageHeader>
      <Stack>
        {run.event === null ? (
          <ErrorState error={run.error} />
        ) : (
          <Paper>
            <RunProgress run={run} />
          </Paper>
        )}
        <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
          <Figure label="Documents in" value={count(counts.in)} />
          <Figure label="Failed" value={count(counts.failed)} />
          <Figure label="Without text" value={count(counts.empty)} />
          <Figure label="Gone last time" value={count(counts.gone)} />
        </SimpleGrid>
        <Failures source={source} />
      </Stack>
    </>
  );
}

/** One source: how fresh it is, how much of it is in, and why the rest isn't. */
export function SourceView({ name }: { name: string }) {
  const result = useQuery({ query: SourceOpenedDocument, variables: { name, failures: MOST_FAILURES } });
  const [{ data }, refetch] = result;
  const again = useCallback(() => refetch({ requestPolicy: 'network-only' }), [refetch]);
  useLook(result, LOOK_MS);
  return (
    <Opened
      shown={result}
      what="source"
      thing={({ source }) => source}
      missing={<Gone title={`There is no source “${name}”`} href="/sources" all="All sources" />}
    >
      {(source) => <OpenedSource source={source} mayEdit={data?.me.role !== 'ASK'} again={again} />}
    </Opened>
  );
}
