import { Alert, Badge, Checkbox, Group, Paper, Select, Stack, Table, Text, Title } from '@mantine/core';
import { useRef, useState } from 'react';
import { useClient, useMutation, useQuery } from 'urql';
import {
  AddVersionInConsoleDocument,
  DataFieldsDocument,
  ImportPreviewShownDocument,
  ImportShownDocument,
  type ColumnUseInput,
  type ImportPreviewShownQuery,
  type ImportShownSubscription,
  type TaskKind,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { words } from '../../parts/format';
import { RunProgress } from '../../parts/run-progress';
import { ErrorState } from '../../parts/states';
import { upload } from '../../parts/upload';
import { WaitingButton } from '../../parts/waiting-button';
import { useRun } from '../../parts/use-run';
import { ScrollRegion } from '../../parts/scroll-region';
import { usesWith } from './column-uses';
import { outputText } from './content';

type Preview = ImportPreviewShownQuery['previewImport'];

interface Uploaded {
  id: string;
  name: string;
}

const eventOf = ({ importProgress }: ImportShownSubscription) => importProgress;
const SAMPLE_ROWS = 4;

/** A cell as the file has it: text, or JSON where it is nested. */
const cellText = (cell: unknown): string => (typeof cell === 'string' ? cell : JSON.stringify(cell ?? ''));

/** The columns of a file, a sample of each, and what each is used for, which can be corrected. */
function Mapping({
  preview,
  uses,
  disabled,
  onChange,
}: {
  preview: Preview;
  /** As they were corrected last, which the preview may not know yet. */
  uses: readonly ColumnUseInput[];
  disabled: boolean;
  onChange: (columns: ColumnUseInput[]) => void;
}) {
  const [{ data }] = useQuery({ query: DataFieldsDocument });
  const fields = data?.fields?.enumValues ?? [];
  return (
    <Paper p={0}>
      <ScrollRegion minWidth={560} stacks={3}>
        <Table verticalSpacing="xs" aria-label="Columns">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Column</Table.Th>
              <Table.Th>Used as</Table.Th>
              <Table.Th>Sample</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {preview.columns.map((column, index) => (
              <Table.Tr key={column}>
                <Table.Td>{column}</Table.Td>
                <Table.Td w={220} data-label="Used as" style={{ gridColumn: 'span 2' }}>
                  <Select
                    aria-label={`What ${column} is used as`}
                    placeholder="Not used"
                    clearable
                    searchable
                    disabled={disabled}
                    data={fields.map(({ name }) => ({ value: name, label: words(name) }))}
                    value={uses.find((each) => each.column === column)?.field ?? null}
                    onChange={(field) => onChange(usesWith(uses, column, field as ColumnUseInput['field'] | null))}
                  />
                </Table.Td>
                <Table.Td data-label="Sample">
                  <Text size="xs" c="dimmed" lineClamp={2}>
                    {preview.sample
                      .slice(0, SAMPLE_ROWS)
                      .map((row) => cellText(row[index]))
                      .join(' · ')}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

function PreviewRows({ rows }: { rows: Preview['rows'] }) {
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        The first rows as they would be imported
      </Title>
      <Stack gap={6}>
        {rows.map(({ content, fault }, index) => (
          <div key={index}>
            <Text size="sm" lineClamp={2} c={fault === null ? undefined : 'var(--mantine-color-red-light-color)'}>
              {content?.input ?? fault}
            </Text>
            {content && (
              <Text size="sm" c="dimmed" lineClamp={2}>
                → {outputText(content)}
              </Text>
            )}
          </div>
        ))}
      </Stack>
    </Paper>
  );
}

/** Takes a file, suggests what its columns mean, and makes a version of it once the person agrees. */
export function ImportFile({
  dataset,
  task,
  extendable,
  onDone,
}: {
  dataset: string;
  task: TaskKind;
  extendable: boolean;
  onDone: () => void;
}) {
  const client = useClient();
  const [file, setFile] = useState<Uploaded | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [columns, setColumns] = useState<ColumnUseInput[] | null>(null);
  const [extend, setExtend] = useState(extendable);
  const [busy, setBusy] = useState<string | null>(null);
  const [importing, setImporting] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [, add] = useMutation(AddVersionInConsoleDocument);
  const { event, error, watch } = useRun(ImportShownDocument, eventOf);

  // Which file and columns are looked at now: what comes back of those before says nothing any more.
  const newest = useRef(0);
  const look = async (looked: Uploaded, corrected: ColumnUseInput[] | null) => {
    const turn = ++newest.current;
    setBusy('Looking into the file…');
    const mapping = corrected === null ? null : { columns: corrected };
    const result = await client.query(
      ImportPreviewShownDocument,
      { input: { file: looked.id, task, mapping } },
      { requestPolicy: 'network-only' },
    );
    if (turn !== newest.current) return;
    setFailure(result.error ?? null);
    if (result.data) setPreview(result.data.previewImport);
    setBusy(null);
  };
  const take = async (taken: File) => {
    newest.current += 1;
    setFailure(null);
    setPreview(null);
    setColumns(null);
    try {
      const id = await upload(taken, (share) => setBusy(`Sending ${taken.name}: ${Math.round(share * 100)} %`));
      setFile({ id, name: taken.name });
      await look({ id, name: taken.name }, null);
    } catch (reason) {
      setFailure(reason);
      setBusy(null);
    }
  };
  const start = async () => {
    if (!file) return;
    setImporting(true);
    setBusy('Reading and checking every row…');
    const mapping = columns === null ? null : { columns };
    const result = await add({
      input: { dataset, files: [{ file: file.id, mapping }], extend, idempotencyKey: crypto.randomUUID() },
    });
    setFailure(result.error ?? null);
    if (result.data) {
      const ended = await watch(result.data.addDatasetVersion.run.id);
      // Of one that failed the mapping stays, to be corrected.
      if (ended?.status === 'SUCCEEDED') setPreview(null);
      onDone();
    }
    setBusy(null);
    setImporting(false);
  };

  return (
    <Stack>
      <DropZone
        busy={busy}
        accept=".csv,.tsv,.txt,.jsonl,.json,.parquet"
        onFiles={([taken]) => taken && void take(taken)}
      >
        Drop a CSV, TSV, JSONL, JSON or Parquet file here.
      </DropZone>
      {failure !== null && <ErrorState error={failure} />}
      <RunProgress event={event} error={error} />
      {file && preview && (
        <>
          <Group gap="xs">
            <Text fw={600}>{file.name}</Text>
            <Badge color="gray">{words(preview.mapping.format)}</Badge>
            <Badge color="gray">{preview.mapping.encoding.replaceAll('_', '-')}</Badge>
          </Group>
          {preview.problem && (
            <Alert color="yellow" title="Not yet a dataset">
              {preview.problem}
            </Alert>
          )}
          <Mapping
            preview={preview}
            uses={columns ?? preview.mapping.columns}
            // A look at other columns would say when it is done that nothing is under way.
            disabled={importing}
            onChange={(corrected) => {
              setColumns(corrected);
              void look(file, corrected);
            }}
          />
          {preview.rows.length > 0 && <PreviewRows rows={preview.rows} />}
          <Group>
            <WaitingButton disabled={preview.problem !== null} waits={busy} onClick={() => void start()}>
              Import
            </WaitingButton>
            {extendable && (
              <Checkbox
                label="Keep the rows of the newest version"
                checked={extend}
                onChange={(changed) => setExtend(changed.currentTarget.checked)}
              />
            )}
          </Group>
        </>
      )}
    </Stack>
  );
}
