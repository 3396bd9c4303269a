import { Anchor, Group, Paper, Progress, SegmentedControl, Text } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { CancelRunDocument, RunListDocument, type RunStatus } from '../../generated/operations';
import { useSend, WaitingButton } from '../../parts/form';
import { bytes, dateTime, duration, words } from '../../parts/format';
import { Loaded } from '../../parts/loaded';
import { EmptyState, ErrorState, Note, PageHeader, Strong, To } from '../../parts/page';
import { isOpen, RunBadge } from '../../parts/runs';
import { useDownload } from '../../parts/sign-in/download';
import { usePages } from '../../parts/use-pages';
import { fileOf, lineOf, subjectOf, type Run } from './subject';

const PAGE = 50;
const REFRESH_MS = 3_000;
const FILTERS = [
  { value: 'ALL', label: 'All' },
  { value: 'RUNNING', label: 'Working' },
  { value: 'QUEUED', label: 'Waiting' },
  { value: 'FAILED', label: 'Failed' },
];

/** When it began, how long it took or takes, or since when it waits. */
function times({ createdAt, startedAt, finishedAt }: Run): string {
  if (startedAt === null) return `asked for ${dateTime(createdAt)}`;
  const end = finishedAt === null ? Date.now() : Date.parse(finishedAt);
  return `${dateTime(startedAt)} · ${duration(end - Date.parse(startedAt))}`;
}

function RunRow({ run }: { run: Run }) {
  const { fetching, error, send: cancel } = useSend(CancelRunDocument);
  const { download, error: notSaved } = useDownload();
  const open = isOpen(run.status);
  const [subject, file] = [subjectOf(run), fileOf(run)];
  return (
    <Paper p="sm" data-testid="run">
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="sm">
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group gap="xs">
            <Strong>
              {words(run.kind)}
              {subject && (
                <>
                  {' '}
                  of{' '}
                  <To href={subject.path} inherit underline="always">
                    {subject.name}
                  </To>
                </>
              )}
            </Strong>
            <RunBadge status={run.status} />
            <Note size="xs">{times(run)}</Note>
          </Group>
          <Text size="sm" c={run.error ? 'var(--mantine-color-red-light-color)' : 'dimmed'} lineClamp={2}>
            {lineOf(run)} {run.error && <code>{run.error.code}</code>}
          </Text>
          {file && (
            <Text size="sm">
              <Anchor href={file.path} download={file.name} onClick={download} inherit>
                {file.name}
              </Anchor>
              , {bytes(file.bytes)}
            </Text>
          )}
          {open && <Progress mt={6} value={run.progress * 100} aria-label={`Progress of ${words(run.kind)}`} />}
        </div>
        {open && (
          <WaitingButton
            size="compact-sm"
            variant="default"
            waits={fetching && 'Cancelling…'}
            onClick={() => cancel({ id: run.id })}
          >
            Cancel
          </WaitingButton>
        )}
      </Group>
      <ErrorState error={error} />
      <ErrorState error={notSaved} />
    </Paper>
  );
}

const NoRun = ({ any }: { any: boolean }) => (
  <EmptyState icon={IconActivity} title={any ? 'No run yet' : 'No run is in this state'}>
    {any
      ? 'Long work stands here: ingestions, imports, trainings, downloads. Start one from Knowledge, Data, Training or Models.'
      : 'Choose “All” to see the others.'}
  </EmptyState>
);

function RunList({ status }: { status: RunStatus | null }) {
  const client = useClient();
  const pages = usePages(RunListDocument, { first: PAGE, status }, ({ runs }) => runs);
  const { edges, hasMore, fetching, error, more } = pages;
  const holder = useRef<HTMLDivElement>(null);
  const runs = edges.map(({ node }) => node);
  const rows = useVirtualizer({
    count: runs.length,
    getScrollElement: () => holder.current,
    estimateSize: () => 76,
    gap: 8,
    overscan: 8,
    getItemKey: (index) => runs[index]?.id ?? index,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? -1;

  // The newest page is asked again; runs of it that changed change wherever they are shown.
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible')
        void client
          .query(RunListDocument, { first: PAGE, after: null, status }, { requestPolicy: 'network-only' })
          .toPromise();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [client, status]);
  useEffect(() => {
    if (hasMore && !fetching && !error && last >= runs.length - 10) more();
  }, [hasMore, fetching, error, last, runs.length, more]);

  if (!pages.data || runs.length === 0)
    return (
      <Loaded shown={pages} what="the runs">
        {() => <NoRun any={status === null} />}
      </Loaded>
    );
  return (
    <div ref={holder} className="run-list" tabIndex={0} role="region" aria-label="Runs">
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {visible.map(({ key, index, start }) => (
          <div
            key={key}
            ref={rows.measureElement}
            data-index={index}
            style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${start}px)` }}
          >
            {runs[index] && <RunRow run={runs[index]} />}
          </div>
        ))}
      </div>
    </div>
  );
}

export default function RunsPage() {
  const [filter, setFilter] = useState('ALL');
  return (
    <>
      <PageHeader title="Runs">
        Long work that goes on by itself and survives restarts: what works, waits and failed.
      </PageHeader>
      <SegmentedControl mb="md" aria-label="Which runs" data={FILTERS} value={filter} onChange={setFilter} />
      <RunList key={filter} status={filter === 'ALL' ? null : (filter as RunStatus)} />
    </>
  );
}
