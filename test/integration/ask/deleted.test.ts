import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChromaClient } from 'chromadb';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';
import { chromaUrl } from '../../support/chroma.js';
import { startAnswering, type Answering } from './answering.js';

/** Stands in every document of these tests and nowhere else. */
const MARK = 'zebrafinch';

/** Names of what still holds the mark: tables, files of the home, collections of the vector store. */
async function traces({ database, folder }: Answering): Promise<string[]> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await database.pool.query(`SELECT 1 FROM ${name} AS t WHERE t::text ILIKE $1 LIMIT 1`, [
      `%${MARK}%`,
    ]);
    if (rowCount !== 0) found.push(name);
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(MARK)) found.push(path);
  }
  const { hostname, port } = new URL(chromaUrl());
  const chroma = new ChromaClient({ host: hostname, port: Number(port) });
  for (const collection of await chroma.listCollections({ limit: 1000 }))
    if (JSON.stringify(await collection.get({ include: ['documents', 'metadatas'] })).includes(MARK))
      found.push(collection.name);
  return found;
}

describe('what was deleted', () => {
  let answering: Answering;
  beforeAll(async () => {
    answering = await startAnswering();
  }, 120_000);
  afterAll(() => answering.stop());

  const question = 'What is the code of the vault?';
  const text = (code: string) => `# The vault\n\nThe code of the vault is ${MARK} ${code}.\n\nThe door is red.\n`;
  const asked = (collection: string, requestId: string, more = {}) =>
    answering.ask({ question, collections: [collection], strategy: 'RAG', requestId, ...more });
  /** A collection with a document of two versions, both of which were asked about, and one made of an upload. */
  async function vault() {
    const { name: collection } = await answering.collection();
    const requests = [newId(), newId()];
    for (const [version, requestId] of requests.entries()) {
      const document = { name: 'vault.md', text: text(`code ${version}`), metadata: { note: MARK } };
      expect(await answering.ingest(collection, [document])).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
      const answer = await asked(collection, requestId);
      expect(JSON.stringify(answer)).toContain(MARK);
    }
    const upload = await answering.upload('upload.md', Buffer.from(text('uploaded')), 'text/markdown');
    await answering.ingest(collection, [{ name: 'upload.md', fileId: upload.id as never }]);
    return { collection, requests, upload };
  }

  it('is in no table, file or vector, also not where its earlier version stood, and an answer that quoted it says so', async () => {
    const { collection, requests, upload } = await vault();
    expect(await traces(answering)).not.toEqual([]);
    const deletion = { collection, names: ['vault.md', 'upload.md'] };
    const { erasure } = await answering.knowledge.deleteDocuments(localCaller(answering.workspaceId), deletion);
    expect(await traces(answering)).toEqual([]);
    expect([erasure.complete, erasure.keptFiles]).toEqual([true, []]);
    expect([...erasure.deletedFiles].sort()).toEqual(['upload.md', 'vault.md', 'vault.md']);
    for (const requestId of requests) {
      const answer = await asked(collection, requestId);
      expect(answer.text).toBe('A document that this answer rests on was deleted, and the answer’s text with it.');
      expect(answer.evidence.filter(({ sourceDeleted }) => sourceDeleted)).not.toEqual([]);
    }
    await expect(answering.files.get(answering.workspaceId, upload.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }, 120_000);

  it('goes by itself once the vector store is back, when it was away', async () => {
    const { collection } = await vault();
    answering.vectors.away = true;
    const deletion = { collection, names: ['vault.md', 'upload.md'] };
    const { erasure } = await answering.knowledge.deleteDocuments(localCaller(answering.workspaceId), deletion);
    expect(erasure.complete).toBe(false);
    answering.vectors.away = false;
    const { id, kind } = (await answering.runs.get(answering.workspaceId, erasure.runId))!;
    expect((await answering.finished({ id, kind })).status).toBe('SUCCEEDED');
    expect(await traces(answering)).toEqual([]);
  }, 120_000);

  it('goes with its collection, whose name is free again', async () => {
    const { collection } = await vault();
    await answering.knowledge.deleteCollection(localCaller(answering.workspaceId), collection);
    expect(await traces(answering)).toEqual([]);
    await answering.collection(collection);
  }, 120_000);

  it('keeps the file that another document is made of, and says of which', async () => {
    const { collection, upload } = await vault();
    const other = await answering.collection();
    await answering.ingest(other.name, [{ name: 'copy.md', fileId: upload.id as never }]);
    const first = await answering.knowledge.deleteCollection(localCaller(answering.workspaceId), collection);
    expect(first.keptFiles).toEqual([
      { fileId: upload.id, name: 'upload.md', reason: expect.stringContaining(`copy.md of ${other.name}`) },
    ]);
    await answering.knowledge.deleteCollection(localCaller(answering.workspaceId), other.name);
    expect(await traces(answering)).toEqual([]);
  }, 120_000);

  it('goes with the answers of a conversation', async () => {
    const { collection } = await vault();
    const conversationId = newId();
    const first = await asked(collection, newId(), { conversationId });
    const deleted = await answering.service.deleteAnswers(answering.caller, { conversationId });
    expect(deleted).toBe(1);
    expect(await answering.service.answersById(answering.caller, [first.id])).toEqual([null]);
    await answering.knowledge.deleteCollection(localCaller(answering.workspaceId), collection);
    expect(await traces(answering)).toEqual([]);
  }, 120_000);
});
