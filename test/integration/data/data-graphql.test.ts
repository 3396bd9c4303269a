import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { graphql, subscribe, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { createGraphContext, fromGlobalId, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';
import { ImportProgressDocument } from '../../../src/client/operations/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { schemaOf } from '../../support/schema-of.js';
import { readyOperation } from '../../../src/client/operations/ready.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { DataKit, ws } from './data-kit.js';

// Each version is made in a process of its own, which takes long where the cores are shared.
jest.setTimeout(240_000);

/** An operation that the Playground ships. */
const shipped = (name: string) => readyOperation(name).text;
const example = (name: string) => createReadStream(join(packageRoot(), `examples/${name}`));

interface Problem {
  rule: string;
  severity: string;
  count: number;
  quarantined: number;
  rows: { file: string; row: number; note: string; related: { row: number } | null }[];
}

describe('datasets over GraphQL', () => {
  let kit: DataKit;
  let schema: GraphQLSchema;
  beforeAll(async () => {
    kit = await DataKit.start();
    ({ schema } = schemaOf(kit.test, kit.domains));
  });
  afterAll(() => kit.dispose());

  const context = (workspace = ws) => createGraphContext(localCaller(workspace), 'request', new AbortController());
  const ask = async <Data>(
    source: string,
    variableValues = {},
    workspace = ws,
    contextValue = context(workspace),
  ): Promise<Data> => {
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    return JSON.parse(JSON.stringify(data)) as Data;
  };
  const uploaded = async (name: string) => toGlobalId('File', (await kit.upload(name, example(name))).id);

  /** The example messages as a version, as the Playground's tabs make it. */
  async function messages(name: string, more = {}): Promise<string> {
    await ask(shipped('CreateDataset'), { input: { name, task: 'CLASSIFICATION', language: 'en' } });
    const file = await uploaded('messages.csv');
    const input = { dataset: name, files: [{ file }], idempotencyKey: newId(), ...more };
    const { addDatasetVersion } = await ask<{ addDatasetVersion: { run: { id: string } } }>(
      shipped('AddDatasetVersion'),
      { input },
    );
    return addDatasetVersion.run.id;
  }

  it('imports the example messages with progress, and its report names every planted flaw', async () => {
    const runId = await messages('messages');
    const events = (await subscribe({
      schema,
      document: ImportProgressDocument,
      variableValues: { runId },
      contextValue: context(),
    })) as AsyncIterable<ExecutionResult>;
    const seen: { status: string; progress: number; message: string }[] = [];
    for await (const { data } of events) seen.push((data as { importProgress: (typeof seen)[number] }).importProgress);
    expect(seen.at(-1)).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.map((e) => e.progress)).toEqual(seen.map((e) => e.progress).sort((a, b) => a - b));

    const { datasets } = await ask<{
      datasets: {
        edges: {
          node: { name: string; latestVersion: { id: string; usable: boolean; report: { problems: Problem[] } } };
        }[];
      };
    }>(shipped('Datasets'));
    const version = datasets.edges[0]!.node.latestVersion;
    expect(version.usable).toBe(true);
    const found = Object.fromEntries(version.report.problems.map((p) => [p.rule, p]));
    // The flaws that examples/README.md lists; ids msg-0001… are rows 1….
    expect(found['exact-duplicate']!.rows.map((r) => [r.related!.row, r.row])).toEqual([
      [119, 120],
      [157, 185],
      [244, 260],
      [254, 288],
      [264, 289],
    ]);
    expect(found['contradicting-label']!.rows.map((r) => r.row)).toEqual([104, 109, 134, 139, 145, 177, 320, 323]);
    expect([...found['label-variant']!.rows, ...found['label-typo']!.rows].map((r) => r.row).sort()).toEqual([
      126, 241, 279,
    ]);
    expect(found['rare-label']!.rows.map((r) => r.row)).toEqual([182, 216]);
    expect([...found['personal-data']!.rows, ...found['secret']!.rows].map((r) => r.row).sort((a, b) => a - b)).toEqual(
      [12, 40, 158, 187, 209],
    );
    expect(found['chat-template-token']!.rows.map((r) => r.row)).toEqual([45, 236]);
    expect(found['empty-field']!.rows.map((r) => r.row)).toEqual([59, 64]);
    expect(found['language-mix']!.rows.map((r) => r.row)).toEqual([8, 295]);
    const near = [...(found['near-duplicate']?.rows ?? []), ...(found['near-split-leak']?.rows ?? [])];
    expect(near.length).toBeGreaterThanOrEqual(4);
    for (const { quarantined, severity, rule } of version.report.problems)
      if (severity === 'WARNING') expect([rule, quarantined]).toEqual([rule, 0]);
  });

  it('browses rows by rule, exports them, and finds all of it again by id', async () => {
    type Rows = {
      dataset: {
        latestVersion: {
          rows: {
            edges: { node: { key: string; problems: string[]; quarantined: boolean; content: { label: string } } }[];
          };
        };
      };
    };
    const variables = {
      dataset: 'messages',
      filter: { problem: 'contradicting-label' },
      order: { by: 'LABEL', descending: true },
    };
    const { dataset } = await ask<Rows>(shipped('DatasetRows'), variables);
    const nodes = dataset.latestVersion.rows.edges.map((e) => e.node);
    expect(nodes).toHaveLength(8);
    const labels = nodes.map((n) => n.content.label);
    expect(labels).toEqual([...labels].sort().reverse());

    const { dataset: known } = await ask<{
      dataset: { id: string; latestVersion: { id: string; dataset: { name: string }; parents: unknown[] } };
    }>('{ dataset(name: "messages") { id latestVersion { id dataset { name } parents { id } } } }');
    expect(known.latestVersion).toMatchObject({ dataset: { name: 'messages' }, parents: [] });
    const { exportDatasetVersion } = await ask<{ exportDatasetVersion: { run: { id: string } } }>(
      shipped('ExportDatasetVersion'),
      { input: { version: known.latestVersion.id, split: 'TEST', idempotencyKey: 'export-test' } },
    );
    const exportId = exportDatasetVersion.run.id;
    await kit.ended((await kit.runs.get(ws, fromGlobalId(exportId, 'DatasetExportRun', 'id')))!);
    const { node: exported } = await ask<{
      node: { rows: number; version: { id: string }; file: { id: string; name: string; path: string } };
    }>('query ($id: ID!) { node(id: $id) { ... on DatasetExportRun { rows version { id } file { id name path } } } }', {
      id: exportId,
    });
    expect(exported.version.id).toBe(known.latestVersion.id);
    const { file } = exported;
    expect(file).toMatchObject({ name: 'messages-v1.jsonl', path: `/files/${file.id}` });
    const opened = await kit.files.open(ws, fromGlobalId(file.id, 'File', 'id'));
    const lines = (await text(await opened.content()))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { split: string });
    expect(new Set(lines.map((l) => l.split))).toEqual(new Set(['TEST']));
    expect(lines).toHaveLength(exported.rows);
    for (const id of [known.id, known.latestVersion.id, file.id])
      expect(await ask('query ($id: ID!) { node(id: $id) { id __typename } }', { id })).toMatchObject({ node: { id } });
  });

  /** What a feature import says at its end. */
  async function imported(input: object): Promise<{ rows: number; added: number }> {
    const { importFeatures } = await ask<{ importFeatures: { run: { id: string } } }>(shipped('ImportFeatures'), {
      input,
    });
    const { id } = importFeatures.run;
    await kit.ended((await kit.runs.get(ws, fromGlobalId(id, 'FeatureImportRun', 'id')))!);
    const { node } = await ask<{ node: { rows: number; added: number } }>(shipped('FeatureImport'), { id });
    return node;
  }

  it('keeps features of entities with long ids apart, and refuses ids that may have lost digits', async () => {
    const fields = [{ name: 'plan', type: 'STRING' }];
    await ask(shipped('DefineFeatureView'), { input: { name: 'numbered', entity: 'customer', fields } });
    const outcome = async (ids: string[]) => {
      const rows = ids.map((id) => `{"entity":${id},"event_time":"2026-01-05T10:00:00Z","plan":"grower"}\n`);
      const file = toGlobalId('File', (await kit.upload('plans.jsonl', rows.join(''))).id);
      const input = { view: 'numbered', file, createdTimeColumn: null, idempotencyKey: newId() };
      const started = await ask<{ importFeatures: { run: { id: string } } }>(shipped('ImportFeatures'), { input });
      const id = fromGlobalId(started.importFeatures.run.id, 'FeatureImportRun', 'id');
      return kit.ended((await kit.runs.get(ws, id))!);
    };
    const long = await outcome(['9007199254740992', '9007199254740993']);
    expect(long).toMatchObject({ status: 'SUCCEEDED', output: { added: 2 } });
    expect(await outcome(['1e20'])).toMatchObject({ errorMessage: expect.stringContaining('entity is a number') });
  });

  it('joins the example features as of each message, never from later', async () => {
    await ask(shipped('DefineFeatureView'), JSON.parse(readyOperation('DefineFeatureView').example) as object);
    const file = await uploaded('customer-plans.csv');
    expect(await imported({ view: 'plans', file, idempotencyKey: 'plans-1' })).toMatchObject({ rows: 158, added: 158 });
    expect(await imported({ view: 'plans', file, idempotencyKey: 'plans-2' })).toMatchObject({ rows: 158, added: 0 });
    const runId = await messages('with-features', { features: ['plans'] });
    await kit.ended((await kit.runs.get(ws, fromGlobalId(runId, 'ImportRun', 'id')))!);
    type Row = { key: string; entity: string; eventTime: string; features: { plans: { plan: string } } | null };
    const { dataset } = await ask<{ dataset: { latestVersion: { rows: { edges: { node: Row }[] } } } }>(
      '{ dataset(name: "with-features") { latestVersion { rows(first: 100) { edges { node { key entity eventTime features } } } } } }',
    );
    let joined = 0;
    for (const { node } of dataset.latestVersion.rows.edges) {
      const online = await ask<{ features: { row: { values: unknown } | null }[] }>(shipped('Features'), {
        entity: node.entity,
        views: ['plans'],
        at: node.eventTime,
      });
      expect([node.key, node.features?.plans ?? null]).toEqual([node.key, online.features[0]!.row?.values ?? null]);
      if (node.features) joined++;
    }
    expect(joined).toBeGreaterThan(80);
  });

  it('compares two versions and follows their lineage in both directions', async () => {
    const extra = await kit.upload(
      'more.csv',
      'id,text,label,customer,sent_at\nmsg-9001,The vent does not open any more,irrigation_fault,customer:1,2026-03-01T00:00:00Z\n',
    );
    const input = {
      dataset: 'messages',
      files: [{ file: toGlobalId('File', extra.id) }],
      extend: true,
      idempotencyKey: newId(),
    };
    const { addDatasetVersion } = await ask<{ addDatasetVersion: { run: { id: string } } }>(
      shipped('AddDatasetVersion'),
      { input },
    );
    await kit.ended((await kit.runs.get(ws, fromGlobalId(addDatasetVersion.run.id, 'ImportRun', 'id')))!);
    type Lineage = { dataset: { latestVersion: { version: number; parents: { id: string; version: number }[] } } };
    const { dataset } = await ask<Lineage>(
      '{ dataset(name: "messages") { latestVersion { version parents { id version } } } }',
    );
    expect(dataset.latestVersion).toMatchObject({ version: 2, parents: [{ version: 1 }] });
    const against = dataset.latestVersion.parents[0]!.id;
    const { dataset: other } = await ask<{ dataset: { version: { diff: unknown } } }>(
      'query ($against: ID!) { dataset(name: "messages") { version(number: 2) { diff(against: $against) { added removed changed unchanged changes { edges { node { key kind after { input output ... on ClassificationContent { text label } } } } } } } } }',
      { against },
    );
    const [text, label] = ['The vent does not open any more', 'irrigation_fault'];
    const after = { input: text, output: label, text, label };
    expect(other.version.diff).toEqual({
      added: 1,
      removed: 0,
      changed: 0,
      unchanged: 552,
      changes: { edges: [{ node: { key: 'msg-9001', kind: 'ADDED', after } }] },
    });
  });

  it('deletes the rows about a person and says which files went and which stay', async () => {
    const [name, other] = ['forgetful', 'mindful'];
    const csv = 'id,text,label,customer\n1,The vent is stuck,fault,customer:1\n2,Thank you,thanks,customer:2\n';
    const file = toGlobalId('File', (await kit.upload('people.csv', csv)).id);
    const own = toGlobalId('File', (await kit.upload('own.csv', `${csv}3,Bye,thanks,customer:3\n`)).id);
    const finished = async (run: { id: string }) =>
      kit.output((await kit.runs.get(ws, fromGlobalId(run.id, 'ImportRun', 'id')))!);
    for (const dataset of [name, other])
      await ask(shipped('CreateDataset'), { input: { name: dataset, task: 'CLASSIFICATION' } });
    for (const [dataset, upload] of [
      [name, own],
      [name, file],
      [other, file],
    ]) {
      const input = { dataset, files: [{ file: upload }], idempotencyKey: newId() };
      const { addDatasetVersion } = await ask<{ addDatasetVersion: { run: { id: string } } }>(
        shipped('AddDatasetVersion'),
        { input },
      );
      await finished(addDatasetVersion.run);
    }
    const input = { dataset: name, subject: 'customer:1', reason: 'asked', idempotencyKey: newId() };
    const asked = context();
    const { deleteDatasetRows } = await ask<{ deleteDatasetRows: { run: { id: string } } }>(
      'mutation ($input: DeleteDatasetRowsInput!) { deleteDatasetRows(input: $input) { run { id } } }',
      { input },
      ws,
      asked,
    );
    expect(asked.change.before).toEqual({ dataset: name, version: 2 });
    await finished(deleteDatasetRows.run);
    const fields = 'version { version } withdrawn { version } deletedFiles keptFiles { file { id name } reason }';
    expect(
      await ask(`query ($id: ID!) { node(id: $id) { ... on ImportRun { ${fields} } } }`, deleteDatasetRows.run),
    ).toEqual({
      node: {
        version: { version: 3 },
        withdrawn: expect.arrayContaining([{ version: 1 }, { version: 2 }]),
        deletedFiles: ['own.csv'],
        keptFiles: [
          {
            file: { id: file, name: 'people.csv' },
            reason: 'Version 1 of mindful was made of it: delete the rows there too.',
          },
        ],
      },
    });
  });

  it('deletes a file unless a version was made of it or keeps its rows in it', async () => {
    const DELETE_FILE =
      'mutation ($file: ID!) { deleteFile(input: { file: $file }) { erasure { deletedFiles keptFiles { id reason } complete } } }';
    const run = await messages('kept');
    const { versionId } = await kit.output((await kit.runs.get(ws, fromGlobalId(run, 'ImportRun', 'id')))!);
    const rowGroups = await kit.database.prisma.datasetRowGroup.findMany({ where: { versionId: versionId! } });
    const uploads = await kit.database.prisma.storedFile.findMany({ where: { name: 'messages.csv' } });
    const needed = [
      ...rowGroups.map(({ fileId }) => [fileId, 'It keeps rows of version 1 of the dataset kept: delete them there.']),
      ...uploads.map(({ id }) => [id, 'Version 1 of the dataset kept was made of it: delete its rows there too.']),
    ];
    expect(rowGroups).not.toEqual([]);
    for (const [fileId, reason] of needed) {
      const id = toGlobalId('File', fileId!);
      expect(await ask(DELETE_FILE, { file: id })).toEqual({
        deleteFile: { erasure: { deletedFiles: [], keptFiles: [{ id, reason }], complete: true } },
      });
    }
    const file = toGlobalId('File', (await kit.upload('spare.csv', 'id,text\n1,Spare\n')).id);
    expect(await ask(DELETE_FILE, { file })).toEqual({
      deleteFile: { erasure: { deletedFiles: ['spare.csv'], keptFiles: [], complete: true } },
    });
    await expect(ask(DELETE_FILE, { file })).rejects.toMatchObject({ code: 'NOT_FOUND', field: 'input.file' });
  });

  it('suggests a mapping for an upload, with rows as they would be', async () => {
    type Preview = {
      previewImport: {
        task: string;
        problem: string | null;
        mapping: { columns: { field: string; column: string }[] };
        rows: { content: { label: string } }[];
      };
    };
    const { previewImport } = await ask<Preview>(shipped('PreviewImport'), {
      input: { file: await uploaded('messages.csv') },
    });
    expect(previewImport).toMatchObject({ task: 'CLASSIFICATION', problem: null });
    expect(Object.fromEntries(previewImport.mapping.columns.map((c) => [c.field, c.column]))).toEqual({
      TEXT: 'text',
      LABEL: 'label',
      ID: 'id',
      SUBJECT: 'customer',
      ENTITY: 'customer',
      EVENT_TIME: 'sent_at',
    });
    expect(previewImport.rows[0]!.content.label).toBe('returns_warranty');
  });

  it('reads a page of datasets, their newest versions and those of before in a few statements, however many there are', async () => {
    const query = jest.spyOn(kit.database.pool, 'query');
    const source =
      '{ datasets(first: 50) { edges { node { name latestVersion { version parents { version } dataset { name } } versions(first: 5) { edges { node { version } } } } } } }';
    await ask(source);
    const few = query.mock.calls.length;
    for (let i = 0; i < 10; i++)
      await ask(shipped('CreateDataset'), { input: { name: `empty-${i}`, task: 'EXTRACTION' } });
    query.mockClear();
    await ask(source);
    expect(query.mock.calls.length).toBeLessThanOrEqual(few + 1);
    query.mockRestore();
  });

  it('shows nothing of it to another workspace', async () => {
    const other = freshWorkspace();
    const { dataset } = await ask<{ dataset: { id: string; latestVersion: { id: string } } }>(
      '{ dataset(name: "messages") { id latestVersion { id } } }',
    );
    expect(
      await ask(
        '{ dataset(name: "messages") { id } datasets { edges { node { id } } } featureView(name: "plans") { id } }',
        {},
        other,
      ),
    ).toEqual({ dataset: null, datasets: { edges: [] }, featureView: null });
    for (const id of [dataset.id, dataset.latestVersion.id])
      expect(await ask('query ($id: ID!) { node(id: $id) { id } }', { id }, other)).toEqual({ node: null });
  });
});
