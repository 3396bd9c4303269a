import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { GraftClient } from '../../../src/client/graft-client.js';
import { migrate } from '../../../src/platform/database/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { chromaUrl } from '../../support/chroma.js';
import { emptyDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../../support/graft-program.js';

/** The migrations that the release of commit eec9d7f had. */
const OLD_MIGRATIONS = [
  '20261124000000_init',
  '20261124010000_datasets',
  '20261124190000_answer_lease',
  '20261124220000_erasure',
];
const OLD_HOME = join(packageRoot(), 'test', 'integration', 'old-home');

interface Asked {
  id: string;
  text: string;
}

interface Run {
  kind: string;
  status: string;
  failures: number;
  error: { code: string } | null;
  documents?: { name: string; outcome: string; chunks: number; document: { id: string } | null }[];
  version?: { version: number } | null;
}

/**
 * `rows.sql` and `artifacts` are a home of eec9d7f, killed while it ingested six documents (two were done) and imported rows,
 * with one more import waiting. `scripts/dump-rows.mjs` wrote the rows.
 */
describe('a home of the release before starts, and', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let client: GraftClient;

  beforeAll(async () => {
    database = await emptyDatabase();
    home = await temporaryHome();
    await migrateAsBefore(database.url);
    await load(database.url);
    await cp(join(OLD_HOME, 'artifacts'), join(home.path, 'artifacts'), { recursive: true });
    const env = { DATABASE_URL: database.url, CHROMA_URL: chromaUrl(), LOG_LEVEL: 'warn' };
    graft = await spawnGraft(home.path, env).started;
    client = new GraftClient(graft.url);
  }, 180_000);

  afterAll(async () => {
    client.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
    await database.drop();
  }, 60_000);

  it('its answers are read whole, and given again to who asks under the same request id', async () => {
    const fields = `id text abstained output { __typename } features { view } route { strategy }
      citations { quote document { name } } evidence { quote } passages { used } model { quantization model { name } }
      usage { generatedTokens } stages { name } configuration { digest }`;
    const { answers } = await client.request<{ answers: { edges: { node: Asked }[] } }>(
      `{ answers { edges { node { ${fields} } } } }`,
    );
    const text = 'The kettle in the kitchen switches itself off after 90 seconds.';
    expect(answers.edges.map(({ node }) => node)).toMatchObject([
      {
        text,
        abstained: false,
        output: { __typename: 'TextOutput' },
        route: { strategy: 'RAG' },
        citations: [{ quote: text, document: { name: 'kettle.md' } }],
        model: { quantization: 'Q4_1', model: { name: 'smollm2-135m-instruct' } },
        usage: { generatedTokens: 14 },
      },
    ]);
    const { ask } = await client.request<{ ask: Asked }>(
      'query ($input: AskInput!) { ask(input: $input) { id text } }',
      {
        input: {
          question: 'After how many seconds does the kettle switch itself off?',
          collections: ['notes'],
          requestId: 'first-answer',
        },
      },
    );
    expect(ask).toEqual({ id: answers.edges[0]!.node.id, text });
  });

  it('its interrupted runs go on from where they were, its waiting ones have their turn, its ended ones stay', async () => {
    const runs = await eventually(
      'all runs to end',
      async () => {
        const all = await allRuns();
        return all.every(({ status }) => status !== 'QUEUED' && status !== 'RUNNING') && all;
      },
      120_000,
    );
    // The reader that comes with Graft is attested at the first start.
    const old = runs.filter(({ kind }) => kind !== 'ATTESTATION');
    expect(old.map(({ kind, status, failures, error }) => [kind, status, failures, error?.code ?? null])).toEqual([
      ['INGESTION', 'SUCCEEDED', 1, null],
      ['IMPORT', 'SUCCEEDED', 0, null],
      ['IMPORT', 'SUCCEEDED', 0, null],
      ['IMPORT', 'SUCCEEDED', 0, null],
      ['DOWNLOAD', 'FAILED', 0, 'MODEL_FILE_INVALID'],
      ['INGESTION', 'SUCCEEDED', 0, null],
      ['IMPORT', 'SUCCEEDED', 0, null],
      ['IMPORT', 'SUCCEEDED', 0, null],
    ]);
    expect(runs[0]!.documents!.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['kettle.md', 'INDEXED'],
      ['boiler.md', 'INDEXED'],
      ['broken.pdf', 'FAILED'],
    ]);
    const ingested = runs[5]!.documents!;
    expect(ingested.map(({ name, outcome }) => [name, outcome])).toEqual(
      Array.from({ length: 6 }, (_, i) => [`room-${i}.md`, 'INDEXED']),
    );
    // Those that were done are the same documents, not made anew.
    const done = await query<{ document: { id: string }[] }>(
      `SELECT json_agg(json_build_object('id', "documentId")) AS document FROM run,
         jsonb_to_recordset(output -> 'documents') AS report("documentId" text, name text)
       WHERE idempotency_key = 'rooms' AND name IN ('room-0.md', 'room-1.md')`,
    );
    const before = (await readFile(join(OLD_HOME, 'rows.sql'), 'utf8')).split('INSERT INTO "chunk"')[0]!;
    for (const { id } of done[0]!.document) expect(before).toContain(id);
    expect(runs.slice(6).map(({ version }) => version?.version)).toEqual([4, 5]);
  });

  it('its dataset versions, withdrawn and standing, keep report, statistics, sources and rows', async () => {
    interface Version {
      id: string;
      version: number;
      usable: boolean;
    }
    const { dataset } = await client.request<{ dataset: { versions: { edges: { node: Version }[] } } }>(
      `{ dataset(name: "messages") { versions { edges { node {
         id version usable unusableReason digest manifest steps sources { name } counts { train validation test }
         statistics { __typename } report { rows quarantinedRows problems { rule count } }
       } } } } }`,
    );
    const versions = dataset.versions.edges.map(({ node }) => node).filter(({ version }) => version <= 3);
    expect(versions).toMatchObject([
      { version: 3, unusableReason: null, sources: [{ name: 'messages.csv' }], report: { rows: 23 } },
      { version: 2, usable: false },
      { version: 1, usable: false, steps: ['UNICODE_NFC', 'WHITESPACE'] },
    ]);
    const { node } = await client.request<{ node: { rows: { edges: unknown[] } } }>(
      'query ($id: ID!) { node(id: $id) { ... on DatasetVersion { rows(first: 100) { edges { node { key } } } } } }',
      { id: versions[0]!.id },
    );
    expect(node.rows.edges).toHaveLength(23);
  });

  it('its models, collections and features are there', async () => {
    const found = await client.request<object>(
      `{ models { edges { node { name variants { quantization } } } }
         collection(name: "notes") { description documents(first: 2) { edges { node { name text metadata } } } }
         features(entity: "customer:7", views: ["plans"]) { row { values } }
         featureView(name: "plans") { fields { name type } } }`,
    );
    expect(found).toMatchObject({
      models: { edges: [{ node: { name: 'smollm2-135m-instruct', variants: [{ quantization: 'Q4_1' }] } }] },
      collection: {
        description: 'Notes of the house.',
        documents: {
          edges: [{ node: { name: 'kettle.md', metadata: { room: 'kitchen' } } }, { node: { name: 'boiler.md' } }],
        },
      },
      features: [{ row: { values: { plan: 'seedling', seats: 2, open_tickets: 0 } } }],
      featureView: { fields: [{ name: 'plan', type: 'STRING' }, { name: 'seats' }, { name: 'open_tickets' }] },
    });
  });

  /** Oldest first. */
  async function allRuns(): Promise<Run[]> {
    const { runs } = await client.request<{ runs: { edges: { node: Run }[] } }>(
      `{ runs(first: 50) { edges { node { kind status failures error { code }
         ... on IngestionRun { documents { name outcome chunks document { id } } }
         ... on ImportRun { version { version } } } } } }`,
    );
    return runs.edges.map(({ node }) => node).reverse();
  }

  async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    return withClient(database.url, async (connection) => (await connection.query<Row>(sql)).rows);
  }
});

async function migrateAsBefore(url: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-migrations-'));
  try {
    for (const name of OLD_MIGRATIONS)
      await cp(join(packageRoot(), 'prisma', 'migrations', name), join(folder, name), { recursive: true });
    await migrate(url, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function load(url: string): Promise<void> {
  const rows = await readFile(join(OLD_HOME, 'rows.sql'), 'utf8');
  await withClient(url, (connection) => connection.query(rows));
}

async function withClient<T>(url: string, work: (connection: pg.Client) => Promise<T>): Promise<T> {
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
