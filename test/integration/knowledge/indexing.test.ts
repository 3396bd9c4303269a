import { localCaller } from '../../../src/kernel/caller.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import type { NewDocument } from '../../../src/sources/knowledge/index.js';
import { eventually } from '../../support/eventually.js';
import { reports, startKnowledge, type Knowledge } from './harness.js';

// Embedding waits for the processor: under load a minute is not enough.
jest.setTimeout(300_000);

describe('indexing, group by group,', () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await startKnowledge();
  }, 120_000);
  afterAll(() => knowledge.stop());

  const search = (...wanted: Parameters<Knowledge['search']>) => knowledge.search(...wanted);

  it('embeds only what changed of a document, and keeps the ids of the rest', async () => {
    const { id, name } = await knowledge.collection();
    const section = (n: number, text: string): string => `# Part ${n}\n\n${text.repeat(12)}\n\n`;
    const parts = Array.from({ length: 8 }, (_, n) => section(n, `Part ${n} speaks of the harbour and its ferries. `));
    const send = (sections: readonly string[]) => knowledge.ingest(name, [{ name: 'a.md', text: sections.join('') }]);
    const chunks = async () => {
      const document = (await knowledge.stores.documents.live(knowledge.workspaceId, id, 'a.md'))!;
      return { document, chunks: await knowledge.stores.documents.chunksOf(document.id) };
    };
    await send(parts);
    const before = await chunks();
    const embed = jest.spyOn(knowledge.worker, 'embed');
    await send([parts[0]!, section(1, 'Of lighthouses nothing was said until now. '), ...parts.slice(2)]);
    const embedded = embed.mock.calls.flatMap(([{ texts }]) => texts);
    embed.mockRestore();
    expect(embedded).toEqual([expect.stringContaining('lighthouses')]);

    const after = await chunks();
    const idsOf = (found: typeof before) => found.chunks.map((chunk) => chunk.id);
    expect(idsOf(after).filter((chunk) => idsOf(before).includes(chunk))).toHaveLength(before.chunks.length - 1);
    expect(after.document).toMatchObject({ chunkCount: after.chunks.length });
    expect(after.document.termCount).toBe(after.chunks.reduce((sum, { termCount }) => sum + termCount, 0));
    const text = (await knowledge.stores.documents.texts(knowledge.workspaceId, [after.document.id])).get(
      after.document.id,
    )!;
    for (const chunk of after.chunks) expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(after.chunks.map(({ ordinal }) => ordinal)).toEqual(after.chunks.map((_, index) => index));
    expect((await search(name, 'lighthouse', 'HYBRID'))[0]!.text).toContain('lighthouses');
    // The vectors that stayed are found, also by their new document, and nothing of the old one is.
    const scope = await knowledge.retriever.scope(knowledge.workspaceId, [name]);
    const request = { scope, query: 'harbour ferries', mode: 'DENSE' as const, limit: 50 };
    const dense = await knowledge.retriever.retrieve({ ...request, documentFilter: [after.document.id] });
    expect(dense.passages.map(({ chunkId }) => chunkId).sort()).toEqual(idsOf(after).sort());
    await knowledge.service.deleteDocuments(localCaller(knowledge.workspaceId), { collection: name, names: ['a.md'] });
    const [index] = await knowledge.stores.collections.indexes(id);
    expect(
      await knowledge.vectors.metadata(knowledge.workspaceId, index!.id, [
        ...new Set([...idsOf(before), ...idsOf(after)]),
      ]),
    ).toEqual(new Map());
  });

  it('finds kept vectors by their new document though the vector store was away when they were to be told of it', async () => {
    const { id, name } = await knowledge.collection();
    const section = (n: number, text: string): string => `# Part ${n}\n\n${text.repeat(12)}\n\n`;
    const parts = Array.from({ length: 6 }, (_, n) => section(n, `Part ${n} speaks of the mill and its wheels. `));
    const send = (sections: readonly string[]) => knowledge.ingest(name, [{ name: 'a.md', text: sections.join('') }]);
    await send(parts);
    const away = new GraftError('VECTOR_STORE_UNAVAILABLE', 'It went away at this moment.');
    const relabel = jest.spyOn(knowledge.vectors, 'relabel').mockRejectedValueOnce(away);
    await send([...parts.slice(0, 5), section(5, 'Of barrels nothing was said until now. ')]);
    relabel.mockRestore();
    const document = (await knowledge.stores.documents.live(knowledge.workspaceId, id, 'a.md'))!;
    const scope = await knowledge.retriever.scope(knowledge.workspaceId, [name]);
    const request = { scope, query: 'mill wheels', mode: 'DENSE' as const, limit: 50 };
    const { passages } = await knowledge.retriever.retrieve({ ...request, documentFilter: [document.id] });
    expect(passages).toHaveLength(document.chunkCount);
  });

  it('embeds a chunk again when the heading above it is another, and when its vector is gone', async () => {
    const { id, name } = await knowledge.collection();
    const body = Array.from({ length: 90 }, (_, n) => `Mill ${n} grinds rye by the river all day long.`).join('\n\n');
    const chunks = async () => {
      const { id: documentId } = (await knowledge.stores.documents.live(knowledge.workspaceId, id, 'a.md'))!;
      return knowledge.stores.documents.chunksOf(documentId);
    };
    await knowledge.ingest(name, [{ name: 'a.md', text: `# Old\n\n${body}` }]);
    await knowledge.ingest(name, [{ name: 'a.md', text: `# New\n\n${body}` }]);
    const renamed = await chunks();
    expect(renamed.length).toBeGreaterThan(2);
    for (const { headings } of renamed) expect(headings).toEqual(['New']);

    const [index] = await knowledge.stores.collections.indexes(id);
    await knowledge.vectors.delete(knowledge.workspaceId, index!.id, { ids: [renamed[1]!.id] });
    await knowledge.ingest(name, [{ name: 'a.md', text: `# New\n\n${body}\n\nThe last one is a saw mill.` }]);
    const last = await chunks();
    const ids = last.map((chunk) => chunk.id);
    expect(ids).toContain(renamed[0]!.id);
    expect(ids).not.toContain(renamed[1]!.id);
    expect([...(await knowledge.vectors.metadata(knowledge.workspaceId, index!.id, ids)).keys()].sort()).toEqual(
      ids.toSorted(),
    );
  });

  it('lets long documents go live in groups, not all at the end', async () => {
    const { name } = await knowledge.collection();
    const embed = jest.spyOn(knowledge.worker, 'embed');
    const goLive = jest.spyOn(knowledge.stores.documents, 'goLive');
    const text = (n: number) =>
      Array.from({ length: 60 }, (_, i) => `Part ${i} of the manual ${n} speaks of valves and of how they open.`).join(
        '\n\n',
      );
    await knowledge.ingest(
      name,
      Array.from({ length: 10 }, (_, n) => ({ name: `${n}.txt`, text: text(n) })),
    );
    const [embeds, lives] = [embed, goLive].map(({ mock }) => [...mock.invocationCallOrder]) as [number[], number[]];
    for (const spy of [embed, goLive]) spy.mockRestore();
    expect(lives).toHaveLength(10);
    expect(lives.filter((at) => at < embeds.at(-1)!).length).toBeGreaterThan(4);
  });

  it('lets a short ingestion go first that comes while a long one works', async () => {
    const { name } = await knowledge.collection();
    const patient = knowledge.gateway(`patient-${newId()}`, { sliceMs: 100 });
    await knowledge.runs.stop();
    patient.runs.start();
    const send = (documents: NewDocument[]) =>
      patient.service.ingestDocuments(localCaller(knowledge.workspaceId), {
        collection: name,
        documents,
        idempotencyKey: newId(),
      });
    const long = await send(
      Array.from({ length: 99 }, (_, n) => ({ name: `${n}.txt`, text: `Lock ${n} is ${n} feet deep.` })),
    );
    await eventually(
      'the long one to work',
      async () => {
        const { status, progress } = await knowledge.database.prisma.run.findFirstOrThrow({ where: { id: long.id } });
        return status === 'RUNNING' && progress > 0;
      },
      120_000,
    );
    const short = await send([{ name: 'short.txt', text: 'The canal was dug in 1790.' }]);
    const [ended, last] = [await knowledge.finished(short, 240_000), await knowledge.finished(long, 240_000)];
    expect([ended.status, last.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(ended.finishedAt!.getTime()).toBeLessThan(last.finishedAt!.getTime());
    await patient.runs.stop();
    const again = knowledge.gateway('one-after-patience');
    again.runs.start();
    Object.assign(knowledge, again);
  });

  it('lets a short ingestion go first in the middle of one long document, which goes on where it was', async () => {
    const { id, name } = await knowledge.collection();
    const embed = jest.spyOn(knowledge.worker, 'embed');
    const patient = knowledge.gateway(`patient-${newId()}`, { sliceMs: 100 });
    await knowledge.runs.stop();
    patient.runs.start();
    const send = (document: NewDocument) =>
      patient.service.ingestDocuments(localCaller(knowledge.workspaceId), {
        collection: name,
        documents: [document],
        idempotencyKey: newId(),
      });
    const sentence = (n: number): string =>
      `Weir ${n} holds back ${n} litres of the brook that feeds the ponds below it.`;
    const text = Array.from({ length: 1_200 }, (_, n) => sentence(n)).join('\n\n');
    const long = await send({ name: 'long.txt', text });
    await eventually(
      'the long one to embed',
      async () => {
        const { message } = await knowledge.database.prisma.run.findFirstOrThrow({ where: { id: long.id } });
        return message.includes('embedded');
      },
      120_000,
    );
    const short = await send({ name: 'short.txt', text: 'The canal was dug in 1790.' });
    const [ended, last] = [await knowledge.finished(short, 240_000), await knowledge.finished(long, 240_000)];
    expect([ended.status, last.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(ended.finishedAt!.getTime()).toBeLessThan(last.finishedAt!.getTime());
    const document = (await knowledge.stores.documents.live(knowledge.workspaceId, id, 'long.txt'))!;
    const chunks = (await knowledge.stores.documents.chunksOf(document.id)).map((chunk) => chunk.id);
    const [index] = await knowledge.stores.collections.indexes(id);
    expect((await knowledge.vectors.metadata(knowledge.workspaceId, index!.id, chunks)).size).toBe(chunks.length);
    expect(reports(last)).toMatchObject([{ chunks: chunks.length, documentId: document.id }]);
    // A batch that was under way when it gave way is the most that is embedded twice.
    const texts = embed.mock.calls.flatMap(([request]) => request.texts).filter((one) => one.includes('Weir'));
    embed.mockRestore();
    expect(texts.length).toBeLessThan(chunks.length + 20);
    await patient.runs.stop();
    const again = knowledge.gateway('one-after-a-long-document');
    again.runs.start();
    Object.assign(knowledge, again);
  });

  it('embeds the chunks of many short documents together, each vector to its own document', async () => {
    const { name } = await knowledge.collection();
    const trees = ['oak', 'birch', 'willow', 'maple', 'cedar', 'larch', 'rowan', 'alder'];
    const text = (n: number) => `The ${trees[n % 8]} of plot ${n} was planted in ${1900 + n}.`;
    const embed = jest.spyOn(knowledge.worker, 'embed');
    await knowledge.ingest(
      name,
      Array.from({ length: 40 }, (_, n) => ({ name: `${n}.txt`, text: text(n) })),
    );
    const calls = embed.mock.calls.map(([{ texts }]) => texts);
    embed.mockRestore();
    expect(calls.flat().toSorted()).toEqual(Array.from({ length: 40 }, (_, n) => text(n)).toSorted());
    expect(calls.map(({ length }) => length)).toEqual([32, 8]);
    for (const n of [0, 17, 31, 32, 39])
      expect((await search(name, text(n), 'DENSE'))[0]).toMatchObject({ documentName: `${n}.txt`, text: text(n) });
  });

  it('cuts what the embedder would read in part only into chunks that it reads to their ends', async () => {
    const { name } = await knowledge.collection();
    const table = Array.from({ length: 110 }, (_, n) => `${n}\u2009±\u2009${(n * 7919) % 1000}`).join('; ');
    const run = await knowledge.ingest(name, [
      { name: 'short.txt', text: 'The anchor is heavy.' },
      { name: 'long.txt', text: table },
    ]);
    expect(reports(run)).toMatchObject([{ chunks: 1, notes: [] }, { notes: [] }]);
    // By its characters it would be one.
    expect(reports(run)[1]!.chunks).toBeGreaterThan(1);
  });

  it('comes to an end where two ingestions give way to each other at every turn', async () => {
    const { name } = await knowledge.collection();
    const polite = knowledge.gateway(`polite-${newId()}`, { sliceMs: 0 });
    await knowledge.runs.stop();
    const sent = await Promise.all(
      ['Ash', 'Elm'].map((tree) =>
        polite.service.ingestDocuments(localCaller(knowledge.workspaceId), {
          collection: name,
          idempotencyKey: newId(),
          documents: Array.from({ length: 40 }, (_, n) => ({ name: `${tree}-${n}.txt`, text: `${tree} ${n} is old.` })),
        }),
      ),
    );
    polite.runs.start();
    for (const run of sent) expect((await knowledge.finished(run, 240_000)).status).toBe('SUCCEEDED');
    await polite.runs.stop();
    const again = knowledge.gateway('one-after-politeness');
    again.runs.start();
    Object.assign(knowledge, again);
  });
});
