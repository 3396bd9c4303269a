import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BackupManifest } from '../../src/cli/backup/index.js';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AskDocument,
  AskWithAdapterDocument,
  CreateCollectionDocument,
  IndexDatasetDocument,
  DatasetDocument,
  IngestDocumentsDocument,
} from '../../src/client/operations/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { ADAPTER, LABELS, LONG, LoopProgram, message } from '../support/loop-program.js';

const COUNTED = `{
  collection(name: "handbook") { documentCount chunkCount }
  dataset(name: "messages") { latestVersion { version digest counts { train validation test } labelIndex { rows accuracy } } }
  adapters { edges { node { name versions { version digest aliases } } } }
  models { edges { node { name variants { sha256 } } } }
}`;

/** `graft …` as an operator types it, beside the gateway. */
async function graftOf(home: string, ...args: string[]): Promise<Record<string, unknown>> {
  const program = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
  const { PATH, HOME, GRAFT_MODELS } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--json', ...args], {
    env: { PATH, HOME, GRAFT_MODELS, GRAFT_HOME: home },
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('a restore drill', () => {
  let graft: LoopProgram;
  let other: Awaited<ReturnType<typeof temporaryHome>>;
  let restored: GraftProgram | undefined;
  let client: GraftClient | undefined;

  beforeAll(async () => {
    [graft, other] = [await LoopProgram.start(), await temporaryHome()];
    await graft.putIntoProduction();
    await graft.client.request(CreateCollectionDocument, { input: { name: 'handbook' } });
    const { ingestDocuments } = await graft.client.request(IngestDocumentsDocument, {
      input: {
        collection: 'handbook',
        documents: [
          { name: 'kettle.md', text: '# Kettle\n\nThe kettle switches itself off after 90 seconds.' },
          { name: 'boiler.md', text: '# Boiler\n\nThe boiler is emptied on the first of May.' },
        ],
        idempotencyKey: 'handbook',
      },
    });
    await graft.ended(ingestDocuments.run.id);
    const { dataset } = await graft.client.request(DatasetDocument, { name: 'messages' });
    const { indexDataset } = await graft.client.request(IndexDatasetDocument, {
      input: { datasetVersion: dataset!.latestVersion!.id, idempotencyKey: 'rows' },
    });
    await graft.ended(indexDataset.run.id);
  }, 500_000);
  afterAll(async () => {
    client?.close();
    restored?.child.kill('SIGTERM');
    await restored?.ended;
    await graft.stop();
    await other.remove();
  }, 60_000);

  /** What must be the same on both: answers, and what there is. */
  async function seenThrough(through: GraftClient) {
    const answers = [];
    for (const question of [
      'After how many seconds does the kettle switch itself off?',
      'When is the boiler emptied?',
    ]) {
      const { ask } = await through.request(AskDocument, { input: { question, collections: ['handbook'] } });
      answers.push([ask.text, ask.citations.map(({ quote, documentName }) => [quote, documentName])]);
    }
    for (const [n, topic] of LABELS.entries()) {
      const { ask } = await through.request(AskWithAdapterDocument, { question: message(topic, n), adapter: ADAPTER });
      answers.push([ask.text]);
      const { ask: byRows } = await through.request<{ ask: { text: string } }>(
        'query ($input: AskInput!) { ask(input: $input) { text } }',
        { input: { question: message(topic, n), dataset: 'messages', strategy: 'RAG' } },
      );
      answers.push([byRows.text]);
    }
    return { answers, counted: await through.request<object>(COUNTED) };
  }

  const digestsIn = async (home: string): Promise<string[]> => {
    const folder = join(home, 'artifacts');
    const parts = (await readdir(folder)).filter((name) => name.length === 2);
    return (await Promise.all(parts.map((part) => readdir(join(folder, part))))).flat().sort();
  };

  it('brings a home back that was backed up while it answered: it then answers the same', async () => {
    const before = await seenThrough(graft.client);
    const backup = join(graft.folder.path, 'backup');
    let asking = true;
    let answered = 0;
    const asks = (async () => {
      for (let n = 0; asking; n++) {
        expect(LABELS).toContain((await graft.ask(message('billing', n % 20))).text);
        answered += 1;
      }
    })();
    const made = await graftOf(graft.home.path, 'backup', backup, '--vectors');
    asking = false;
    await asks;
    expect(answered).toBeGreaterThan(0);
    expect(made).toMatchObject({ lost: [] });

    await expect(graftOf(graft.home.path, 'restore', backup, '--replace')).rejects.toThrow(/in use by process/);
    expect(await graftOf(other.path, 'restore', backup)).toMatchObject({
      rows: made['rows'],
      files: made['files'],
      migrated: [],
      embeddings: 0,
      vectorsFailed: null,
    });

    restored = await spawnGraft(other.path, { LOG_LEVEL: 'warn', GRAFT_ROUTER_REFIT: 'off' }).started;
    client = new GraftClient(restored.url);
    expect(await seenThrough(client)).toEqual(before);
    const manifest = JSON.parse(await readFile(join(backup, 'manifest.json'), 'utf8')) as BackupManifest;
    expect(await digestsIn(other.path)).toEqual(expect.arrayContaining(manifest.artifacts.map(({ sha256 }) => sha256)));
    expect(manifest.artifacts.length).toBeGreaterThan(0);
    // The one that was backed up noticed nothing.
    expect(await seenThrough(graft.client)).toEqual(before);
  }, 300_000);

  it('embeds anew what the backup was made without, as runs, and then answers the same', async () => {
    const before = await seenThrough(graft.client);
    const backup = join(graft.folder.path, 'without-vectors');
    await graftOf(graft.home.path, 'backup', backup);
    client?.close();
    restored?.child.kill('SIGTERM');
    await restored?.ended;
    expect(await graftOf(other.path, 'restore', backup, '--replace')).toMatchObject({ embeddings: 2 });
    restored = await spawnGraft(other.path, { LOG_LEVEL: 'warn', GRAFT_ROUTER_REFIT: 'off' }).started;
    const through = (client = new GraftClient(restored.url));
    await eventually(
      'the vectors',
      async () => {
        const { runs } = await through.request<{ runs: { edges: { node: { status: string } }[] } }>(
          '{ runs(first: 5) { edges { node { status } } } }',
        );
        return runs.edges.every(({ node }) => node.status === 'SUCCEEDED');
      },
      LONG,
    );
    expect(await seenThrough(through)).toEqual(before);
  }, 400_000);
});
