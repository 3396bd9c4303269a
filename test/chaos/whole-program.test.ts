import { readFileSync } from 'node:fs';
import { GraftClient as Client, GraftClientError as ClientError } from '../../src/client/graft-client.js';
import {
  AskDocument,
  AskStreamDocument,
  CollectionDocument,
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  SearchDocument,
  type AskInput,
  type DocumentInput,
} from '../../src/client/operations/index.js';
import { eventually } from '../support/eventually.js';
import { childrenOf, processesMentioning } from '../support/gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

const FACT = 'The Orlo pump runs at 37 bar. The Orlo pump was built in Tarn Hollow in 1968.';
const QUESTION = 'At what pressure does the Orlo pump run?';

const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

describe('the whole program when its parts are killed', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let client: Client;

  const start = async () => {
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    client = new Client(graft.url);
  };
  const child = (sign: string) => childrenOf(graft.child.pid!).find((pid) => commandLine(pid).includes(sign))!;
  const ask = (input: Partial<AskInput> = {}) =>
    client.request(AskDocument, { input: { question: QUESTION, generation: { maxTokens: 64 }, ...input } });
  const ingest = async (idempotencyKey: string, documents: DocumentInput[]) =>
    (await client.request(IngestDocumentsDocument, { input: { collection: 'pumps', documents, idempotencyKey } }))
      .ingestDocuments.run.id;
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (error instanceof ClientError ? error.code : String(error)),
    );
  const ready = () => eventually('/readyz says ready', async () => (await fetch(`${graft.url}/readyz`)).ok, 60_000);

  beforeAll(async () => {
    home = await temporaryHome();
    await start();
    await client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const runId = await ingest('first', [{ name: 'orlo.txt', text: FACT }]);
    for await (const event of client.subscribe(IngestionProgressDocument, { runId })) void event;
  }, 180_000);

  afterAll(async () => {
    client.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  it('answers from the document before anything is killed', async () => {
    const { ask: answer } = await ask();
    expect(answer.citations[0]!.quote).toBe('The Orlo pump runs at 37 bar.');
  });

  it('a worker killed in the middle of an answer: WORKER_CRASHED for that one, the next is answered', async () => {
    const seen: string[] = [];
    const code = await codeOf(
      (async () => {
        for await (const { askStream } of client.subscribe(AskStreamDocument, {
          input: { question: 'Tell a long story.', strategy: 'BASE', generation: { maxTokens: 400 } },
        })) {
          // Deltas that were on their way arrive after the kill: only the first may kill.
          if (askStream.__typename === 'TextDelta' && !seen.includes('TextDelta'))
            process.kill(child('gpu-worker'), 'SIGKILL');
          seen.push(askStream.__typename);
        }
      })(),
    );
    expect(seen).toContain('TextDelta');
    expect(code).toBe('WORKER_CRASHED');
    expect((await ask()).ask.citations).not.toHaveLength(0);
  });

  it('Chroma killed: questions go on by words alone, vectors come back without a restart', async () => {
    process.kill(child('chroma'), 'SIGKILL');
    expect((await ask()).ask.citations[0]!.quote).toBe('The Orlo pump runs at 37 bar.');
    await ready();
    const { search: found } = await client.request(SearchDocument, {
      input: { query: 'pressure of the pump', mode: 'DENSE' },
    });
    expect(found.hits).not.toHaveLength(0);
  });

  it('PostgreSQL killed: a clear code, then recovery without a restart, with every recorded answer', async () => {
    const { ask: before } = await ask({ requestId: 'before-the-crash' });
    process.kill(child('postgres'), 'SIGKILL');
    const code = await codeOf(ask({ requestId: 'during-the-crash' }));
    expect([null, 'DATABASE_UNAVAILABLE']).toContain(code);
    await ready();
    const { ask: again } = await ask({ requestId: 'before-the-crash' });
    expect(again.id).toBe(before.id);
    expect((await ask({ requestId: 'during-the-crash' })).ask.citations).not.toHaveLength(0);
  });

  it('the gateway killed: no process is left, and a new start has all that was acknowledged, running ingestion included', async () => {
    const { ask: before } = await ask({ requestId: 'before-the-kill' });
    const documents = Array.from({ length: 20 }, (_, n) => ({
      name: `valve-${n}.txt`,
      text: `The valve V${n} opens at ${100 + n} degrees. `.repeat(40),
    }));
    const runId = await ingest('second', documents);
    graft.child.kill('SIGKILL');
    client.close();
    await graft.ended;
    await eventually('no process of the home is left', () => processesMentioning(home.path).length === 0);

    await start();
    const { ask: again } = await ask({ requestId: 'before-the-kill' });
    expect(again.id).toBe(before.id);
    let last = '';
    for await (const { ingestionProgress } of client.subscribe(IngestionProgressDocument, { runId }))
      last = ingestionProgress.status;
    expect(last).toBe('SUCCEEDED');
    const { collection } = await client.request(CollectionDocument, { name: 'pumps' });
    expect(collection?.documentCount).toBe(21);
  }, 180_000);

  it('a second start on a home in use says so and exits', async () => {
    const { program } = spawnGraft(home.path);
    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('SETUP_FAILED');
    expect(program.output()).toContain(String(graft.child.pid));
    expect((await ask()).ask.citations).not.toHaveLength(0);
  });

  it('SIGTERM: exit code 0 and no process left', async () => {
    graft.child.kill('SIGTERM');
    expect(await graft.ended).toBe(0);
    await eventually('no process of the home is left', () => processesMentioning(home.path).length === 0);
    await start();
  }, 120_000);
});
