import { Badge, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { useSend } from '../../parts/form';
import { plural } from '../../parts/format';
import { toGatewayError } from '../../parts/gateway-error';
import { ErrorState, Note } from '../../parts/page';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { upload } from '../../parts/upload';
import { afterRun, documentName, refusalOf, type Incoming } from './incoming';

const OUTCOMES = {
  INDEXED: { label: 'indexed', colour: 'green' },
  UNCHANGED: { label: 'unchanged', colour: 'gray' },
  FAILED: { label: 'failed', colour: 'red' },
} as const;

/** A file on its way: how much of it was sent, then what became of it. */
function FileLine({ file: { name, sent, outcome } }: { file: Incoming }) {
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm" truncate>
          {name}
        </Text>
        <Badge color={outcome?.colour ?? 'blue'}>{outcome?.label ?? (sent < 1 ? 'sending' : 'reading')}</Badge>
      </Group>
      {outcome === null && sent < 1 && <Progress value={sent * 100} size="sm" mt={4} aria-label={`Sent of ${name}`} />}
      {outcome && <Note size="xs">{outcome.note}</Note>}
    </div>
  );
}

/**
 * Takes files, sends them, and learns what becomes of each: of whoever outlives the panel that shows it.
 * @param create whether the collection may have to be made first
 */
export function useIngestion(collection: string, onDone: () => void, create = false) {
  const [files, setFiles] = useState<readonly Incoming[]>([]);
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { send: createCollection } = useSend(CreateCollectionDocument);

  const change = (name: string, part: Partial<Incoming>) =>
    setFiles((previousFiles) => previousFiles.map((file) => (file.name === name ? { ...file, ...part } : file)));
  const run = useStartedRun(IngestDocumentsDocument, IngestionProgressDocument, ({ result }) => {
    if (!result) return;
    const note = result.error ? result.error.message : [plural(result.chunks, 'passage'), ...result.notes].join(' · ');
    change(result.name, { outcome: { ...OUTCOMES[result.outcome], note } });
  });

  const sendAll = async (namedFiles: readonly { file: File; name: string }[]) => {
    const documents: { name: string; file: string }[] = [];
    for (const { file, name } of namedFiles)
      try {
        documents.push({ name, file: await upload(file, (share) => change(name, { sent: share })) });
      } catch (reason) {
        change(name, { outcome: { label: 'not sent', colour: 'red', note: toGatewayError(reason).message } });
      }
    return documents;
  };
  const take = async (dropped: File[]) => {
    const namedFiles = dropped.map((file) => ({ file, name: documentName(file.name) }));
    const refusalText = refusalOf(namedFiles.map(({ name }) => name));
    setRefusal(refusalText);
    setFiles(refusalText === null ? namedFiles.map(({ name }) => ({ name, sent: 0, outcome: null })) : []);
    if (refusalText !== null) return;
    setSending(true);
    const documents = await sendAll(namedFiles);
    if (documents.length > 0) {
      // One that exists already is what was wanted.
      if (create) await createCollection({ name: collection });
      const startedRun = await run.start({ collection, documents });
      const status = startedRun?.last?.status;
      if (status) setFiles((previousFiles) => afterRun(previousFiles, status));
      onDone();
    }
    setSending(false);
  };
  const busy = run.busy ? 'Reading and indexing…' : sending ? 'Sending the files…' : null;
  return { files, refusal, run, busy, take };
}
export type Ingestion = ReturnType<typeof useIngestion>;

/** Where files are dropped, and what becomes of each. */
export function Ingest({ ingestion: { files, refusal, run, busy, take } }: { ingestion: Ingestion }) {
  return (
    <Stack gap="sm">
      <DropZone multiple busy={busy} onFiles={(dropped) => void take(dropped)}>
        Drop PDF, Word, Markdown, HTML or text files here. A file of the same name replaces the old one.
      </DropZone>
      <ErrorState error={refusal} />
      {files.length > 0 && (
        <Paper>
          <Stack gap="sm">
            <RunProgress run={run} />
            {files.map((file) => (
              <FileLine key={file.name} file={file} />
            ))}
          </Stack>
        </Paper>
      )}
    </Stack>
  );
}
