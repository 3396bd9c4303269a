import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { GraftClient as Client } from '../../src/client/graft-client.js';
import { parseGlobalId } from '../../src/kit/graphql/index.js';
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
} from '../../src/client/operations/index.js';
import { homeName } from '../../src/platform/artifacts/index.js';
import { chromaUrl } from './chroma.js';
import { emptyDatabase } from './database.js';
import { eventually } from './eventually.js';
import { processesMentioning } from './gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from './graft-program.js';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const DOCUMENTS = 12;
const ROWS = 300;
/** Far more than a quiet machine takes, for one that is starved of processor time. */
const WAIT_MS = 240_000;
/** By then the database has done what it was sent. */
const SENT_MS = 100;

/** Long enough that a gateway can be killed while it is ingested: some twenty chunks. */
const manual = (n: number) =>
  Array.from(
    { length: 60 },
    (_, i) =>
      `The Orlo pump number ${n} runs at ${100 + n} bar. Part ${i} of pump ${n} was checked in the year ${1900 + i}.`,
  ).join('\n\n');
const questionAbout = (n: number) => `At what pressure does the Orlo pump number ${n} run?`;

type Run = RunsQuery['runs']['edges'][number]['node'];

/** One of the two: a home, and the process that holds it now. */
export class Gateway {
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

  /** Holds it still, or lets it go on. */
  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.program?.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.program?.child.kill('SIGKILL');
    await this.program?.ended;
    await eventually('no process of the home is left', () => processesMentioning(this.home.path).length === 0);
  }
}

/** Two gateways of one PostgreSQL and one Chroma. */
export class TwoGateways {
  private constructor(
    private readonly folder: TemporaryFolder,
    private readonly database: Awaited<ReturnType<typeof emptyDatabase>>,
    private readonly gateways: readonly [Gateway, Gateway],
  ) {}

  /** @param env of both, besides where database and vector store are */
  static async start(env: NodeJS.ProcessEnv): Promise<TwoGateways> {
    const [folder, database] = [await temporaryFolder(), await emptyDatabase()];
    const where = { ...env, DATABASE_URL: database.url, CHROMA_URL: chromaUrl() };
    const gateways = [new Gateway(await temporaryHome(), where), new Gateway(await temporaryHome(), where)] as const;
    const both = new TwoGateways(folder, database, gateways);
    try {
      // At once: both find a database without tables.
      await Promise.all(gateways.map((gateway) => gateway.start()));
    } catch (error) {
      await both.stop();
      throw error;
    }
    return both;
  }

  async stop(): Promise<void> {
    for (const gateway of this.gateways) {
      await gateway.kill();
      await gateway.home.remove();
    }
    await this.database.drop();
    await this.folder.remove();
  }

  /**
   * Gives both work, kills one in the middle of it, starts it again, then the other; expects that nothing is lost, failed, or done twice.
   * @param waits whether the killed gateway's files are out of the other's reach
   */
  async surviveEach(waits: boolean): Promise<void> {
    const [a, b] = this.gateways;
    await a.client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    await b.client.request(CreateDatasetDocument, { input: { name: 'messages', task: 'CLASSIFICATION' } });
    const lines = Array.from(
      { length: ROWS },
      (_, n) => `"message ${n} ${randomBytes(8).toString('hex')}",${n % 2 ? 'yes' : 'no'}`,
    );
    const file = await this.upload(a, 'messages.csv', `text,label\n${lines.join('\n')}\n`);

    let documents = 0;
    for (const [dying, living] of [
      [a, b],
      [b, a],
    ] as const) {
      const numbers = Array.from({ length: DOCUMENTS / 2 }, (_, n) => documents + n);
      const runs = await this.ingest(numbers);
      if (documents === 0)
        await a.client.request(AddDatasetVersionDocument, {
          input: { dataset: 'messages', files: [{ file }], idempotencyKey: 'messages' },
        });
      documents += numbers.length;
      const followed = [...runs].find(([, gateway]) => gateway === living)![0];
      const seen = await follow(dying, followed, null, 2);
      // A run whose files the other has may be in its hands for the moment until it notices; that one does not wait for it.
      const elsewhere = waits
        ? [...runs].filter(([, gateway]) => gateway === living).map(([id]) => parseGlobalId(id, 'run').id)
        : [];
      const left = await this.killInTheMiddle(dying, elsewhere);
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
        expect(await this.sql(queued, [left])).toHaveLength(left.length);
      } else await openRuns('the other gateway ends all runs', living, (open) => open.length === 0);
      await dying.start();
      await openRuns('all runs are ended', living, (open) => open.length === 0);
    }
    for (const gateway of this.gateways) await everythingIsThere(gateway, documents);
    expect(await this.sql(`SELECT id FROM run WHERE failures > 0 OR error_code IS NOT NULL`)).toEqual([]);
    const [{ chunks, distinct }] = (await this.sql<{ chunks: number; distinct: number }>(
      `SELECT count(*)::int AS chunks, count(DISTINCT (document_id, ordinal))::int AS distinct FROM chunk`,
    )) as [{ chunks: number; distinct: number }];
    expect(chunks).toBe(distinct);
  }

  private async sql<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.database.url });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  private async upload(gateway: Gateway, name: string, text: string): Promise<string> {
    const path = join(this.folder.path, name);
    await writeFile(path, text);
    return gateway.client.upload(path);
  }

  /** Half of the documents as inline text, half as files, of each gateway in turn; one run each. @returns the runs' ids */
  private async ingest(numbers: readonly number[]): Promise<Map<string, Gateway>> {
    const runs = new Map<string, Gateway>();
    for (const n of numbers) {
      const gateway = this.gateways[n % 2]!;
      const name = `pump-${n}.txt`;
      const document =
        n % 4 < 2 ? { name, text: manual(n) } : { name, file: await this.upload(gateway, name, manual(n)) };
      const { ingestDocuments } = await gateway.client.request(IngestDocumentsDocument, {
        input: { collection: 'pumps', documents: [document], idempotencyKey: `pump-${n}` },
      });
      runs.set(ingestDocuments.run.id, gateway);
    }
    return runs;
  }

  /**
   * Kills it in the middle of a run that it works on.
   * @param but runs that don't count, since it can't read their files
   * @returns the runs that it leaves behind so, as the database names them
   */
  private async killInTheMiddle(gateway: Gateway, but: readonly string[]): Promise<string[]> {
    // The attestation of the reader that ships needs no file of a home's own, so that either may go on with it.
    // Nor does an ingestion of one document behind its checkpoint: the document is stored, and only the end is left.
    const working = () =>
      this.sql<{ id: string }>(
        `SELECT id FROM run WHERE status = 'RUNNING' AND checkpoint IS NULL AND lease_owner = $1
           AND kind <> 'ATTESTATION' AND id <> ALL($2::uuid[])`,
        [gateway.name, but],
      );
    // Held still while the database is asked, or a run could end between the look and the kill.
    const heldAtWork = async () => {
      gateway.send('SIGSTOP');
      await sleep(SENT_MS);
      if ((await working()).length > 0) return true;
      gateway.send('SIGCONT');
      return false;
    };
    await eventually('it works on a run', heldAtWork, WAIT_MS);
    await gateway.kill();
    return (await working()).map(({ id }) => id);
  }
}

/** Waits for what is to hold of the runs that have not succeeded, as a gateway tells of them. */
async function openRuns(what: string, gateway: Gateway, holds: (open: Run[]) => boolean): Promise<void> {
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
}

async function follow(gateway: Gateway, runId: string, after: string | null, most = Infinity) {
  const events: { id: string; status: string }[] = [];
  for await (const { ingestionProgress } of gateway.client.subscribe(IngestionProgressDocument, { runId, after })) {
    events.push(ingestionProgress);
    if (events.length >= most) break;
  }
  return events;
}

async function everythingIsThere(gateway: Gateway, documents: number): Promise<void> {
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
}
