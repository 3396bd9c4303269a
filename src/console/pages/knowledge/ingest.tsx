import { Badge, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { useCallback, useState } from 'react';
import { useMutation } from 'urql';
import {
  CreateCollectionInConsoleDocument,
  IngestInConsoleDocument,
  IngestionShownDocument,
  type IngestionShownSubscription,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { toGatewayError } from '../../parts/gateway-error';
import { plural } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { upload } from '../../parts/upload';
import { useRun } from '../../parts/use-run';
import { afterRun, documentName, refusalOf, type Incoming } from './incoming';

type Event = IngestionShownSubscription['ingestionProgress'];

const OUTCOMES = {
  INDEXED: { label: 'indexed', colour: 'green' },
  UNCHANGED: { label: 'unchanged', colour: 'gray' },
  FAILED: { label: 'failed', colour: 'red' },
} as const;

const eventOf = ({ ingestionProgress }: IngestionShownSubscription): Event => ingestionProgress;

/** Takes files, sends them, and shows what becomes of each. */
export function Ingest({
  collection,
  create = false,
  onDone,
}: {
  collection: string;
  /** Whether the collection may have to be made first. */
  create?: boolean;
  onDone: () => void;
}) {
  const [files, setFiles] = useState<readonly Incoming[]>([]);
  const [busy, setBusy] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [, ingest] = useMutation(IngestInConsoleDocument);
  const [, createCollection] = useMutation(CreateCollectionInConsoleDocument);

  const change = useCallback((name: string, part: Partial<Incoming>) => {
    setFiles((before) => before.map((file) => (file.name === name ? { ...file, ...part } : file)));
  }, []);
  const onEvent = useCallback(
    ({ result }: Event) => {
      if (!result) return;
      const note = result.error
        ? result.error.message
        : [plural(result.chunks, 'passage'), ...result.notes].join(' · ');
      change(result.name, { outcome: { ...OUTCOMES[result.outcome], note } });
    },
    [change],
  );
  const { event, error, watch } = useRun(IngestionShownDocument, eventOf, onEvent);

  const take = async (dropped: File[]) => {
    const named = dropped.map((file) => ({ file, name: documentName(file.name) }));
    const refusal = refusalOf(named.map(({ name }) => name));
    setFailure(refusal === null ? null : new Error(refusal));
    setFiles(refusal === null ? named.map(({ name }) => ({ name, sent: 0, outcome: null })) : []);
    if (refusal !== null) return;
    setBusy('Sending the files…');
    const documents: { name: string; file: string }[] = [];
    for (const { file, name } of named)
      try {
        documents.push({ name, file: await upload(file, (sent) => change(name, { sent })) });
      } catch (reason) {
        change(name, { outcome: { label: 'not sent', colour: 'red', note: toGatewayError(reason).message } });
      }
    if (documents.length > 0) {
      setBusy('Reading and indexing…');
      // One that exists already is what was wanted.
      if (create) await createCollection({ input: { name: collection } });
      const { data, error: refused } = await ingest({
        input: { collection, documents, idempotencyKey: crypto.randomUUID() },
      });
      const ended = data ? await watch(data.ingestDocuments.run.id) : null;
      if (ended) setFiles((before) => afterRun(before, ended.status));
      setFailure(refused ?? null);
      onDone();
    }
    setBusy(null);
  };

  return (
    <Stack gap="sm">
      <DropZone multiple busy={busy} onFiles={(dropped) => void take(dropped)}>
        Drop PDF, Word, Markdown, HTML or text files here. A file of the same name replaces the old one.
      </DropZone>
      {failure !== null && <ErrorState error={failure} />}
      {files.length > 0 && (
        <Paper>
          <Stack gap="sm">
            <RunProgress event={event} error={error} />
            {files.map(({ name, sent, outcome }) => (
              <div key={name}>
                <Group justify="space-between" wrap="nowrap" gap="sm">
                  <Text size="sm" truncate>
                    {name}
                  </Text>
                  <Badge color={outcome?.colour ?? 'blue'}>
                    {outcome?.label ?? (sent < 1 ? 'sending' : 'reading')}
                  </Badge>
                </Group>
                {outcome === null && sent < 1 && (
                  <Progress value={sent * 100} size="sm" mt={4} aria-label={`Sent of ${name}`} />
                )}
                {outcome && (
                  <Text size="xs" c="dimmed">
                    {outcome.note}
                  </Text>
                )}
              </div>
            ))}
          </Stack>
        </Paper>
      )}
    </Stack>
  );
}
