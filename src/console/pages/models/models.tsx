import { Badge, Button, Group, Paper, Stack, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconBox, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import {
  DownloadProgressDocument,
  ModelRecommendationsDocument,
  ModelsShownDocument,
  RegisterModelDocument,
  type ModelRecommendationsQuery,
  type ModelsShownQuery,
  type RegisterModelInput,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { LineForm } from '../../parts/form';
import { bytes, count } from '../../parts/format';
import { Loaded } from '../../parts/loaded';
import { EmptyState, ErrorState, Note, PageHeader, Strong } from '../../parts/page';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';
import { upload } from '../../parts/upload';

/** `135 M`, `1.5 B`. */
const weights = (parameters: number | string): string => {
  const millions = Number(parameters) / 1e6;
  return millions < 1000 ? `${Math.round(millions)} M` : `${(millions / 1000).toFixed(1)} B`;
};

type Recommendations = ModelRecommendationsQuery['modelRecommendations'];
type Fit = Recommendations['models'][number];

/** `about 12 s`, where it was not measured itself. */
const answerTime = (name: string, fit: Fit | undefined): string =>
  fit === undefined
    ? ''
    : `${fit.measuredOn === name ? '' : 'about '}${fit.seconds < 10 ? fit.seconds.toFixed(1) : Math.round(fit.seconds)} s`;

function Registry({ models }: { models: ModelsShownQuery['models'] }) {
  if (models.edges.length === 0)
    return (
      <EmptyState icon={IconBox} title="No model yet">
        Fetch one from the catalogue below, or register a GGUF file of your own.
      </EmptyState>
    );
  return (
    <DataTable
      framed
      label="Registered models"
      minWidth={640}
      stacks={3}
      rows={models.edges.flatMap(({ node }) => node.variants.map((variant) => ({ ...node, ...variant })))}
      columns={[
        {
          head: 'Model',
          label: null,
          cell: ({ name, architecture, source }) => (
            <>
              <Strong>{name}</Strong>
              <Note size="xs">
                {architecture} · from {source}
              </Note>
            </>
          ),
        },
        { head: 'Variant', cell: ({ quantization }) => <Badge color="blue">{quantization}</Badge> },
        { head: 'Weights', right: true, cell: ({ parameters }) => weights(parameters) },
        { head: 'Size', right: true, cell: (variant) => bytes(variant.bytes) },
        { head: 'Context', right: true, cell: ({ contextLength }) => `${count(contextLength)} tokens` },
        { head: 'Licence', cell: ({ licence }) => licence ?? 'unknown' },
      ]}
    />
  );
}

function Catalogue(props: {
  entries: ModelsShownQuery['modelCatalogue'];
  /** Empty until it is known. */
  fits: ReadonlyMap<string, Fit>;
  known: ReadonlySet<string>;
  busy: boolean;
  onFetch: (name: string) => void;
}) {
  const { entries, fits, known, busy, onFetch } = props;
  const fetchButton = ({ name }: { name: string }) =>
    known.has(name) ? (
      <Badge color="green">registered</Badge>
    ) : (
      <Button
        size="compact-sm"
        variant="default"
        disabled={busy}
        leftSection={<IconDownload size={14} />}
        aria-label={`Fetch ${name}`}
        onClick={() => onFetch(name)}
      >
        Fetch
      </Button>
    );
  return (
    <DataTable
      framed
      label="Catalogue"
      minWidth={640}
      stacks={3}
      rows={entries}
      columns={[
        {
          head: 'Model',
          label: null,
          cell: ({ name }) => (
            <Group gap="xs">
              <Strong>{name}</Strong>
              {fits.get(name)?.fit === 'RECOMMENDED' && <Badge color="blue">fits this machine</Badge>}
            </Group>
          ),
        },
        { head: 'Weights', right: true, cell: ({ parameters }) => weights(parameters) },
        { head: 'Download', right: true, cell: (entry) => bytes(entry.bytes) },
        { head: 'Memory', right: true, cell: ({ memoryBytes }) => bytes(memoryBytes) },
        { head: 'Answer here', right: true, cell: ({ name }) => answerTime(name, fits.get(name)) },
        { head: 'Licence', cell: ({ licence }) => licence },
        { head: <VisuallyHidden>Actions</VisuallyHidden>, label: '', right: true, cell: fetchButton },
      ]}
    />
  );
}

type Take = (what: string, source: () => Promise<Omit<RegisterModelInput, 'idempotencyKey'>>) => Promise<void>;

/** A file of the hub, or one that is sent from here. */
function OwnModel({ busy, take, onSent }: { busy: string | null; take: Take; onSent: (line: string) => void }) {
  const [hubFile, setHubFile] = useInputState('');
  const sendFile = (file: File) =>
    take(`Sending ${file.name}…`, async () => ({
      fileId: await upload(file, (share) => onSent(`Sending ${file.name}: ${Math.round(share * 100)} %`)),
    }));
  return (
    <>
      <Title order={2}>Your own</Title>
      <LineForm
        onSubmit={() => take('Fetching from the hub…', async () => ({ hubFile: hubFile.trim() }))}
        action="Fetch"
        disabled={hubFile.trim() === '' || busy !== null}
      >
        <TextInput
          label="A GGUF file of the Hugging Face hub"
          placeholder="hf:owner/repository/file.gguf"
          flex="1 1 260px"
          value={hubFile}
          onChange={setHubFile}
        />
      </LineForm>
      <DropZone accept=".gguf" busy={busy} onFiles={([file]) => file && void sendFile(file)}>
        Drop a GGUF file here.
      </DropZone>
    </>
  );
}

/** How long answers take here, and what that is measured on. */
function Recommended({ answerSeconds, readTokens, writtenTokens, quiet }: Recommendations) {
  return (
    <Note>
      An answer reads {count(readTokens)} tokens and writes {writtenTokens}; the largest model within {answerSeconds} s
      fits this machine. “About” is scaled from a model that was measured.
      {quiet ? '' : ' Other programs were busy meanwhile: an idle machine may be faster.'}
    </Note>
  );
}

export default function ModelsPage() {
  const result = useQuery({ query: ModelsShownDocument });
  const [{ data: recommended }] = useQuery({ query: ModelRecommendationsDocument });
  const recommendations = recommended?.modelRecommendations;
  const run = useStartedRun(RegisterModelDocument, DownloadProgressDocument);
  const [busy, setBusy] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const take: Take = async (activity, source) => {
    setBusy(activity);
    setFailure(null);
    try {
      await run.start(await source());
      result[1]({ requestPolicy: 'network-only' });
    } catch (reason) {
      setFailure(reason);
    }
    setBusy(null);
  };
  const { event, error } = run;
  const progressText = event?.totalBytes ? ` · ${bytes(event.bytes ?? 0)} of ${bytes(event.totalBytes)}` : '';
  return (
    <>
      <PageHeader title="Models">
        Open models that answer; each file is verified and loaded once before it is accepted.
      </PageHeader>
      <Loaded shown={result} what="the models">
        {({ models, modelCatalogue }) => (
          <Stack>
            <Registry models={models} />
            <ErrorState error={failure} />
            {(event !== null || error !== null) && (
              <Paper>
                <RunProgress run={{ event: event && { ...event, message: event.message + progressText }, error }} />
              </Paper>
            )}
            <Title order={2}>Catalogue</Title>
            {recommendations && <Recommended {...recommendations} />}
            <Catalogue
              entries={modelCatalogue}
              fits={new Map(recommendations?.models.map((fit) => [fit.model.name, fit]))}
              known={new Set(models.edges.map(({ node }) => node.name))}
              busy={busy !== null}
              onFetch={(catalogueName) => void take(`Fetching ${catalogueName}…`, async () => ({ catalogueName }))}
            />
            <OwnModel busy={busy} take={take} onSent={setBusy} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}
