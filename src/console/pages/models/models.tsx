import { Badge, Button, Group, Paper, Stack, Table, Text, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { IconBox, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import {
  DownloadShownDocument,
  ModelsRecommendedDocument,
  ModelsShownDocument,
  RegisterModelInConsoleDocument,
  type DownloadShownSubscription,
  type ModelsRecommendedQuery,
  type ModelsShownQuery,
  type RegisterModelInput,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { bytes, count } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { upload } from '../../parts/upload';
import { useRun } from '../../parts/use-run';
import { ScrollRegion } from '../../parts/scroll-region';

type Event = DownloadShownSubscription['downloadProgress'];

const eventOf = ({ downloadProgress }: DownloadShownSubscription): Event => downloadProgress;

/** `135 M`, `1.5 B`. */
const weights = (parameters: number | string): string => {
  const millions = Number(parameters) / 1e6;
  return millions < 1000 ? `${Math.round(millions)} M` : `${(millions / 1000).toFixed(1)} B`;
};

type Fit = ModelsRecommendedQuery['modelRecommendations']['models'][number];

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
    <Paper p={0}>
      <ScrollRegion minWidth={640} stacks={3}>
        <Table verticalSpacing="xs" aria-label="Registered models">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Model</Table.Th>
              <Table.Th>Variant</Table.Th>
              <Table.Th ta="right">Weights</Table.Th>
              <Table.Th ta="right">Size</Table.Th>
              <Table.Th ta="right">Context</Table.Th>
              <Table.Th>Licence</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {models.edges.flatMap(({ node }) =>
              node.variants.map((variant) => (
                <Table.Tr key={variant.id}>
                  <Table.Td>
                    <Text size="sm" fw={600}>
                      {node.name}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {node.architecture} · from {node.source}
                    </Text>
                  </Table.Td>
                  <Table.Td data-label="Variant">
                    <Badge color="blue">{variant.quantization}</Badge>
                  </Table.Td>
                  <Table.Td ta="right" data-label="Weights">
                    {weights(node.parameters)}
                  </Table.Td>
                  <Table.Td ta="right" data-label="Size">
                    {bytes(variant.bytes)}
                  </Table.Td>
                  <Table.Td ta="right" data-label="Context">
                    {count(variant.contextLength)} tokens
                  </Table.Td>
                  <Table.Td data-label="Licence">{node.licence ?? 'unknown'}</Table.Td>
                </Table.Tr>
              )),
            )}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

function Catalogue({
  entries,
  fits,
  known,
  busy,
  onFetch,
}: {
  entries: ModelsShownQuery['modelCatalogue'];
  /** Empty until it is known. */
  fits: ReadonlyMap<string, Fit>;
  known: ReadonlySet<string>;
  busy: boolean;
  onFetch: (name: string) => void;
}) {
  return (
    <Paper p={0}>
      <ScrollRegion minWidth={640} stacks={3}>
        <Table verticalSpacing="xs" aria-label="Catalogue">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Model</Table.Th>
              <Table.Th ta="right">Weights</Table.Th>
              <Table.Th ta="right">Download</Table.Th>
              <Table.Th ta="right">Memory</Table.Th>
              <Table.Th ta="right">Answer here</Table.Th>
              <Table.Th>Licence</Table.Th>
              <Table.Th>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {entries.map((entry) => (
              <Table.Tr key={entry.name}>
                <Table.Td>
                  <Group gap="xs">
                    <Text size="sm" fw={600}>
                      {entry.name}
                    </Text>
                    {fits.get(entry.name)?.fit === 'RECOMMENDED' && <Badge color="blue">fits this machine</Badge>}
                  </Group>
                </Table.Td>
                <Table.Td ta="right" data-label="Weights">
                  {weights(entry.parameters)}
                </Table.Td>
                <Table.Td ta="right" data-label="Download">
                  {bytes(entry.bytes)}
                </Table.Td>
                <Table.Td ta="right" data-label="Memory">
                  {bytes(entry.memoryBytes)}
                </Table.Td>
                <Table.Td ta="right" data-label="Answer here">
                  {answerTime(entry.name, fits.get(entry.name))}
                </Table.Td>
                <Table.Td data-label="Licence">{entry.licence}</Table.Td>
                <Table.Td ta="right" data-label="">
                  {known.has(entry.name) ? (
                    <Badge color="green">registered</Badge>
                  ) : (
                    <Button
                      size="compact-sm"
                      variant="default"
                      disabled={busy}
                      leftSection={<IconDownload size={14} />}
                      aria-label={`Fetch ${entry.name}`}
                      onClick={() => onFetch(entry.name)}
                    >
                      Fetch
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

export default function ModelsPage() {
  const [{ data, error }, again] = useQuery({ query: ModelsShownDocument });
  const [{ data: recommended }] = useQuery({ query: ModelsRecommendedDocument });
  const told = recommended?.modelRecommendations;
  const [, register] = useMutation(RegisterModelInConsoleDocument);
  const { event, error: lost, watch } = useRun(DownloadShownDocument, eventOf);
  const [busy, setBusy] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [hubFile, setHubFile] = useState('');

  const take = async (what: string, source: () => Promise<Omit<RegisterModelInput, 'idempotencyKey'>>) => {
    setBusy(what);
    setFailure(null);
    try {
      const result = await register({ input: { ...(await source()), idempotencyKey: crypto.randomUUID() } });
      if (result.error) setFailure(result.error);
      if (result.data) await watch(result.data.registerModel.run.id);
      again({ requestPolicy: 'network-only' });
    } catch (reason) {
      setFailure(reason);
    }
    setBusy(null);
  };
  const sent = event?.totalBytes ? ` · ${bytes(event.bytes ?? 0)} of ${bytes(event.totalBytes)}` : '';

  return (
    <>
      <PageHeader title="Models">
        Open models that answer; each file is verified and loaded once before it is accepted.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!data && !error && <Loading label="Loading the models" />}
      {data && (
        <Stack>
          <Registry models={data.models} />
          {failure !== null && <ErrorState error={failure} />}
          {(event !== null || lost !== null) && (
            <Paper>
              <RunProgress event={event && { ...event, message: event.message + sent }} error={lost} />
            </Paper>
          )}
          <Title order={2}>Catalogue</Title>
          {told && (
            <Text size="sm" c="dimmed">
              An answer reads {count(told.readTokens)} tokens and writes {told.writtenTokens}; the largest model within{' '}
              {told.answerSeconds} s fits this machine. “About” is scaled from a model that was measured.
              {told.quiet ? '' : ' Other programs were busy meanwhile: an idle machine may be faster.'}
            </Text>
          )}
          <Catalogue
            entries={data.modelCatalogue}
            fits={new Map(told?.models.map((one) => [one.model.name, one]))}
            known={new Set(data.models.edges.map(({ node }) => node.name))}
            busy={busy !== null}
            onFetch={(catalogueName) => void take(`Fetching ${catalogueName}…`, async () => ({ catalogueName }))}
          />
          <Title order={2}>Your own</Title>
          <form
            onSubmit={(submitted) => {
              submitted.preventDefault();
              void take('Fetching from the hub…', async () => ({ hubFile: hubFile.trim() }));
            }}
          >
            <Group align="flex-end" gap="sm">
              <TextInput
                label="A GGUF file of the Hugging Face hub"
                placeholder="hf:owner/repository/file.gguf"
                flex="1 1 260px"
                value={hubFile}
                onChange={(changed) => setHubFile(changed.currentTarget.value)}
              />
              <Button type="submit" disabled={hubFile.trim() === '' || busy !== null}>
                Fetch
              </Button>
            </Group>
          </form>
          <DropZone
            accept=".gguf"
            busy={busy}
            onFiles={([file]) => {
              if (file)
                void take(`Sending ${file.name}…`, async () => ({
                  fileId: await upload(file, (share) => setBusy(`Sending ${file.name}: ${Math.round(share * 100)} %`)),
                }));
            }}
          >
            Drop a GGUF file here.
          </DropZone>
        </Stack>
      )}
    </>
  );
}
