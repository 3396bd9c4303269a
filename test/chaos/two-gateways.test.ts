import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { GraftClient as Client } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AskDocument,
  CollectionDocument,
  CreateCollectionDocument,
  CreateDatasetDocument,
  DatasetDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  RunsDocument,
  type RunsQuery,
} from '../../src/operations/index.js';
import { homeName } from '../../src/platform/artifacts/index.js';
import { chromaUrl } from '../support/chroma.js';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { processesMentioning } from '../support/gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { startS3Server } from '../support/s3-server.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const DOCUMENTS = 12;
const ROWS = 300;
/** Far more than a quiet machine takes, for one that is starved of processor time. */
const WAIT_MS = 240_000;
const MOST_MS = 900_000;

const server = await startS3Server();
const [s3, absent] = typeof server === 'string' ? [null, server] : [server, ''];

/** Long enough that a gateway can be killed while it is ingested: some twenty chunks. */
const manual = (n: number) =>
  Array.from(
    { length: 60 },
    (_, i) =>
      `The Orlo pump number ${n} runs at ${100 + n} bar. Part ${i} of pump ${n} was checked in the year ${1900 + i}.`,
  ).join('\n\n');
const questionAbout = (n: number) => `At what pressure does the Orlo pump number ${n} run?`;

/** One of the two: a home, and the process that holds it now. */
class Gateway {
  client!: Client;
  private program: Omit<GraftProgram, 'url'> | undefined;

  constructor(
    readonly home: Awaited<ReturnType<typeof temporaryHome>>,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** As its runs and files name it. */
  get name(): string {
    return homeName(this.home.path);
  }

  async start(): Promise<void> {
    const { program, started } = spawnGraft(this.home.path, { ...this.env, LOG_LEVEL: 'warn' });
    this.program = program;
    this.client = new Client((await started).url);
  }

  async kill(): Promise<void> {
    this.program?.child.kill('SIGKILL');
    await this.program?.ended;
    await eventually('no process of the home is left', () => processesMentioning(this.home.path).length === 0);
  }
}

describe('two gateways of one PostgreSQL and one Chroma, of which each is killed once', () => {
  let folder: TemporaryFolder;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let gateways: Gateway[];

  beforeEach(async () => {
    folder = await temporaryFolder();
    database = await emptyDatabase();
    gateways = [];
  });
  afterEach(async () => {
    for (const gateway of gateways) {
      await gateway.kill();
      await gateway.home.remove();
    }
    await database.drop();
    await folder.remove();
  });
  afterAll(() => s3?.stop());

  const begin = async (env: NodeJS.ProcessEnv): Promise<[Gateway, Gateway]> => {
    for (let n = 0; n < 2; n++)
      gateways.push(
        new Gateway(await temporaryHome(), { ...env, DATABASE_URL: database.url, CHROMA_URL: chromaUrl() }),
      );
    // At once: both find a database without tables.
    await Promise.all(gateways.map((gateway) => gateway.start()));
    return gateways as [Gateway, Gateway];
  };

  const sql = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  };

  const upload = async (gateway: Gateway, name: string, text: string): Promise<string> => {
    const path = join(folder.path, name);
    await writeFile(path, text);
    return gateway.client.upload(path);
  };

  /** Half of the documents as inline text, half as files, of each gateway in turn; one run each. @returns the runs' ids */
  const ingest = async (between: readonly Gateway[], numbers: number[]): Promise<Map<string, Gateway>> => {
    const runs = new Map<string, Gateway>();
    for (const n of numbers) {
      const gateway = between[n % 2]!;
      const name = `pump-${n}.txt`;
      const document = n % 4 < 2 ? { name, text: manual(n) } : { name, file: await upload(gateway, name, manual(n)) };
      const { ingestDocuments } = await gateway.client.request(IngestDocumentsDocument, {
        input: { collection: 'pumps', documents: [document], idempotencyKey: `pump-${n}` },
      });
      runs.set(ingestDocuments.run.id, gateway);
    }
    return runs;
  };

  type Run = RunsQuery['runs']['edges'][number]['node'];
  /** Waits for what is to hold of the runs that have not succeeded, as a gateway tells of them. */
  const openRuns = async (what: string, gateway: Gateway, holds: (open: Run[]) => boolean): Promise<void> => {
    await eventually(
      what,
      async () => {
        const { runs } = await gateway.client.request(RunsDocument, { first: 100 });
        const open = runs.edges
          .map(({ node }) => node)
          // The reader of the default model is attested at each home's first start, by whichever gateway has the time.
          .filter(({ status, kind }) => status !== 'SUCCEEDED' && kind !== 'ATTESTATION');
        if (!holds(open)) throw new Error(`open: ${JSON.stringify(open)}`);
        return true;
      },
      WAIT_MS,
    );
  };

  /** Kills it in the middle of a run that it works on. @returns the runs that it leaves behind so, as the database names them */
  const killInTheMiddle = async (gateway: Gateway): Promise<string[]> => {
    // The attestation of the reader that ships needs no file of a home's own, so that either may go on with it.
    const working = () =>
      sql<{ id: string }>(
        `SELECT id FROM run WHERE status = 'RUNNING' AND lease_owner = $1 AND kind <> 'ATTESTATION'`,
        [gateway.name],
      );
    await eventually('it works on a run', async () => (await working()).length > 0, WAIT_MS);
    await gateway.kill();
    return (await working()).map(({ id }) => id);
  };

  const follow = async (gateway: Gateway, runId: string, after: string | null, most = Infinity) => {
    const events: { id: string; status: string }[] = [];
    for await (const { ingestionProgress } of gateway.client.subscribe(IngestionProgressDocument, { runId, after })) {
      events.push(ingestionProgress);
      if (events.length >= most) break;
    }
    return events;
  };

  const everythingIsThere = async (gateway: Gateway, documents: number): Promise<void> => {
    const { collection } = await gateway.client.request(CollectionDocument, { name: 'pumps' });
    expect(collection?.documentCount).toBe(documents);
    for (const n of [0, documents - 1]) {
      const { ask } = await gateway.client.request(AskDocument, {
        input: { question: questionAbout(n), collections: ['pumps'], generation: { maxTokens: 32 } },
      });
      expect(ask.citations.map(({ documentName }) => documentName)).toContain(`pump-${n}.txt`);
    }
    const { dataset } = await gateway.client.request(DatasetDocument, { name: 'messages' });
    expect(dataset?.latestVersion).toMatchObject({ usable: true, report: { rows: ROWS } });
  };

  /** @param waits whether the killed gateway's files are out of the other's reach */
  const surviveEach = async ([a, b]: [Gateway, Gateway], waits: boolean): Promise<void> => {
    await a.client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    await b.client.request(CreateDatasetDocument, { input: { name: 'messages', task: 'CLASSIFICATION' } });
    const lines = Array.from(
      { length: ROWS },
      (_, n) => `"message ${n} ${randomBytes(8).toString('hex')}",${n % 2 ? 'yes' : 'no'}`,
    );
    const file = await upload(a, 'messages.csv', `text,label\n${lines.join('\n')}\n`);

    let documents = 0;
    for (const [dying, living] of [
      [a, b],
      [b, a],
    ] as const) {
      const numbers = Array.from({ length: DOCUMENTS / 2 }, (_, n) => documents + n);
      const runs = await ingest([a, b], numbers);
      if (documents === 0)
        await a.client.request(AddDatasetVersionDocument, {
          input: { dataset: 'messages', files: [{ file }], idempotencyKey: 'messages' },
        });
      documents += numbers.length;
      const followed = [...runs].find(([, gateway]) => gateway === living)![0];
      const seen = await follow(dying, followed, null, 2);
      const left = await killInTheMiddle(dying);
      expect(left).not.toEqual([]);

      // What began at the gateway that died goes on at the other, without a gap and without anything twice.
      const rest = await follow(living, followed, seen.at(-1)!.id);
      expect([...seen, ...rest]).toEqual(await follow(living, followed, null));
      expect(rest.at(-1)).toMatchObject({ status: 'SUCCEEDED' });
      if (waits) {
        await openRuns(
          'only what the dead gateway alone can read is left, and says for whom it waits',
          living,
          (open) => open.every(({ status, message }) => status === 'QUEUED' && message?.includes(dying.name)),
        );
        const queued = `SELECT id FROM run WHERE status = 'QUEUED' AND id = ANY($1::uuid[])`;
        expect(await sql(queued, [left])).toHaveLength(left.length);
      } else await openRuns('the other gateway ends all runs', living, (open) => open.length === 0);
      await dying.start();
      await openRuns('all runs are ended', living, (open) => open.length === 0);
      for (const gateway of [dying, living]) await everythingIsThere(gateway, documents);
    }
    expect(await sql(`SELECT id FROM run WHERE failures > 0 OR error_code IS NOT NULL`)).toEqual([]);
    const [{ chunks, distinct }] = (await sql<{ chunks: number; distinct: number }>(
      `SELECT count(*)::int AS chunks, count(DISTINCT (document_id, ordinal))::int AS distinct FROM chunk`,
    )) as [{ chunks: number; distinct: number }];
    expect(chunks).toBe(distinct);
  };

  it(
    'with homes of their own: runs wait for the gateway that has their files, and nothing is lost or failed',
    async () => {
      await surviveEach(await begin({}), true);
    },
    MOST_MS,
  );

  itWhen(s3 !== null, absent)(
    'with a store that they share: the other goes on with everything at once',
    async () => {
      const access = await s3!.bucket();
      const env = {
        GRAFT_S3_ENDPOINT: access.endpoint,
        GRAFT_S3_BUCKET: access.bucket,
        GRAFT_S3_REGION: access.region,
        GRAFT_S3_ACCESS_KEY_ID: access.accessKeyId,
        GRAFT_S3_SECRET_ACCESS_KEY: access.secretAccessKey,
      };
      await surviveEach(await begin(env), false);
    },
    MOST_MS,
  );
});
