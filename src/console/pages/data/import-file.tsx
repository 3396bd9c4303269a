import { Alert, Badge, Checkbox, Group, Select, Stack, Text } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { useRef, useState } from 'react';
import { useClient, useQuery } from 'urql';
import {
  AddDatasetVersionDocument,
  DataFieldsDocument,
  ImportPreviewShownDocument,
  ImportProgressDocument,
  type ColumnUseInput,
  type ImportPreviewShownQuery,
  type TaskKind,
} from '../../generated/operations';
import { DropZone } from '../../parts/drop-zone';
import { WaitingButton } from '../../parts/form';
import { words } from '../../parts/format';
import { ErrorState, Note, Section } from '../../parts/page';
import { RunProgress, useStartedRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';
import { upload } from '../../parts/upload';
import { usesWith } from './column-uses';
import { outputText } from './content';

type Preview = ImportPreviewShownQuery['previewImport'];

interface Uploaded {
  id: string;
  name: string;
}

const SAMPLE_ROWS = 4;

/** A cell as the file has it: text, or JSON where it is nested. */
const cellText = (cell: unknown): string => (typeof cell === 'string' ? cell : JSON.stringify(cell ?? ''));

/** The columns of a file, a sample of each, and what each is used for, which can be corrected. */
function Mapping(props: {
  preview: Preview;
  /** As they were corrected last, which the preview may not know yet. */
  uses: readonly ColumnUseInput[];
  disabled: boolean;
  onChange: (columns: ColumnUseInput[]) => void;
}) {
  const { preview, uses, disabled, onChange } = props;
  const [{ data }] = useQuery({ query: DataFieldsDocument });
  const fields = data?.fields?.enumValues ?? [];
  return (
    <DataTable
      framed
      label="Columns"
      minWidth={560}
      stacks={3}
      rows={preview.columns}
      keyOf={(column) => column}
      columns={[
        { head: 'Column', label: null, cell: (column) => column },
        {
          head: 'Used as',
          w: 220,
          style: { gridColumn: 'span 2' },
          cell: (column) => (
            <Select
              aria-label={`What ${column} is used as`}
              placeholder="Not used"
              clearable
              searchable
              disabled={disabled}
              data={fields.map(({ name }) => ({ value: name, label: words(name) }))}
              value={uses.find((use) => use.column === column)?.field ?? null}
              onChange={(field) => onChange(usesWith(uses, column, field as ColumnUseInput['field'] | null))}
            />
          ),
        },
        {
          head: 'Sample',
          cell: (_column, index) => (
            <Note size="xs" lineClamp={2}>
              {preview.sample
                .slice(0, SAMPLE_ROWS)
                .map((row) => cellText(row[index]))
                .join(' · ')}
            </Note>
          ),
        },
      ]}
    />
  );
}

function PreviewRows({ rows }: { rows: Preview['rows'] }) {
  return (
    <Section title="The first rows as they would be imported">
      <Stack gap={6}>
        {rows.map(({ content, fault }, index) => (
          <div key={index}>
            <Text size="sm" lineClamp={2} c={fault === null ? undefined : 'var(--mantine-color-red-light-color)'}>
              {content?.input ?? fault}
            </Text>
            {content && <Note lineClamp={2}>→ {outputText(content)}</Note>}
          </div>
        ))}
      </Stack>
    </Section>
  );
}

/** A file that was sent, and what is made of it; it is looked into anew with each correction of its columns. */
function useFile(task: TaskKind) {
  const client = useClient();
  const [file, setFile] = useState<Uploaded | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [columns, setColumns] = useState<ColumnUseInput[] | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
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
  const take = async (droppedFile: File) => {
    newest.current += 1;
    setFailure(null);
    setPreview(null);
    setColumns(null);
    try {
      const id = await upload(droppedFile, (share) =>
        setBusy(`Sending ${droppedFile.name}: ${Math.round(share * 100)} %`),
      );
      setFile({ id, name: droppedFile.name });
      await look({ id, name: droppedFile.name }, null);
    } catch (reason) {
      setFailure(reason);
      setBusy(null);
    }
  };
  const correct = (corrected: ColumnUseInput[]) => {
    setColumns(corrected);
    if (file) void look(file, corrected);
  };
  const closePreview = () => setPreview(null);
  return { file, preview, columns, busy, failure, take, correct, done: closePreview };
}

/** An import of whoever outlives the panel: hidden, a panel's effects end, and with them what it follows. */
export const useImport = () => useStartedRun(AddDatasetVersionDocument, ImportProgressDocument);
type ImportRun = ReturnType<typeof useImport>;

/** Takes a file, suggests what its columns mean, and makes a version of it once the person agrees. */
export function ImportFile(props: {
  dataset: string;
  task: TaskKind;
  extendable: boolean;
  run: ImportRun;
  onDone: () => void;
}) {
  const { dataset, task, extendable, run, onDone } = props;
  const { file, preview, columns, failure, take, correct, done, ...looking } = useFile(task);
  const [extend, setExtend] = useInputState(extendable);
  const busy = run.busy ? 'Reading and checking every row…' : looking.busy;
  const start = async () => {
    if (!file) return;
    const mapping = columns === null ? null : { columns };
    const startedRun = await run.start({ dataset, files: [{ file: file.id, mapping }], extend });
    // Of one that failed the mapping stays, to be corrected.
    if (startedRun?.last?.status === 'SUCCEEDED') done();
    if (startedRun) onDone();
  };
  return (
    <Stack>
      <DropZone
        busy={busy}
        accept=".csv,.tsv,.txt,.jsonl,.json,.parquet"
        onFiles={([droppedFile]) => droppedFile && void take(droppedFile)}
      >
        Drop a CSV, TSV, JSONL, JSON or Parquet file here.
      </DropZone>
      <ErrorState error={failure} />
      <RunProgress run={run} />
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
            disabled={run.busy}
            onChange={correct}
          />
          {preview.rows.length > 0 && <PreviewRows rows={preview.rows} />}
          <Group>
            <WaitingButton disabled={preview.problem !== null} waits={busy} onClick={start}>
              Import
            </WaitingButton>
            {extendable && (
              <Checkbox label="Keep the rows of the newest version" checked={extend} onChange={setExtend} />
            )}
          </Group>
        </>
      )}
    </Stack>
  );
}
