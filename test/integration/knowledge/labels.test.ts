import { newId, type Uuid } from '../../../src/kernel/ids.js';
import type { Groups } from '../../../src/kernel/caller.js';
import { lockCollection } from '../../../src/sources/knowledge/collection-store.js';
import type { NewDocument } from '../../../src/sources/knowledge/index.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import { eventually } from '../../support/eventually.js';
import { reports, startKnowledge, type Knowledge } from './harness.js';

const REFUSED = {
  code: 'FORBIDDEN',
  message: 'A document of its name is there, which you may not see. Take another name, or a key of its group.',
};

describe('documents that get a label while others are about to change them', () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await startKnowledge();
  }, 120_000);
  afterAll(() => knowledge.stop());

  const reader = (groups: Groups) => ({ workspaceId: knowledge.workspaceId, groups });
  const ask = (groups: Groups, collection: string, documents: NewDocument[]): Promise<RunRow> =>
    knowledge.service.ingestDocuments(reader(groups), { collection, documents, idempotencyKey: newId() });
  const ingest = async (...asked: Parameters<typeof ask>) => knowledge.finished(await ask(...asked));
  const label = (collection: { id: string; name: string }, names: string[]) =>
    knowledge.stores.labels.set(knowledge.workspaceId, collection, { names, access: ['board'], changedBy: 'test' });
  const live = (collection: { id: string }, name: string) =>
    knowledge.stores.documents.live(knowledge.workspaceId, collection.id, name);

  /** An ingestion that was paused before it did anything. */
  const paused = async (...asked: Parameters<typeof ask>): Promise<RunRow> => {
    knowledge.vectors.away = true;
    const run = await ask(...asked);
    await knowledge.runs.pause(knowledge.workspaceId, run.id);
    await eventually('the run to pause', async () => {
      const row = await knowledge.runs.get(knowledge.workspaceId, run.id);
      return row!.status === 'PAUSED';
    });
    knowledge.vectors.away = false;
    return run;
  };
  const resumed = async ({ id, kind }: RunRow): Promise<RunRow> => {
    await knowledge.runs.resume(knowledge.workspaceId, id);
    return knowledge.finished({ id, kind });
  };

  /** Does something while a run's texts are embedded: between what it reads of documents and what it writes. */
  const whileEmbedding = (work: () => Promise<unknown>) => {
    const { embed } = knowledge.worker;
    return jest.spyOn(knowledge.worker, 'embed').mockImplementationOnce(async (...sent) => {
      await work();
      return embed.apply(knowledge.worker, sent);
    });
  };

  it('are not replaced by a run that was asked for before they came', async () => {
    const collection = await knowledge.collection();
    const equal = 'The board meets on Monday.';
    const run = await paused([], collection.name, [
      { name: 'plan.md', text: 'There is no plan.', metadata: { by: 'other' } },
      { name: 'equal.md', text: equal, metadata: { by: 'other' } },
    ]);
    await label(collection, ['plan.md', 'equal.md']);
    await ingest(['board'], collection.name, [
      { name: 'plan.md', text: 'The plan is to merge.', metadata: { by: 'board' } },
      { name: 'equal.md', text: equal, metadata: { by: 'board' } },
    ]);
    const before = [await live(collection, 'plan.md'), await live(collection, 'equal.md')];

    const ended = await resumed(run);
    expect(reports(ended)).toMatchObject([
      { name: 'plan.md', outcome: 'FAILED', documentId: null, error: REFUSED },
      { name: 'equal.md', outcome: 'FAILED', documentId: null, error: REFUSED },
    ]);
    expect(ended).toMatchObject({ status: 'FAILED', errorCode: 'FORBIDDEN' });
    expect(`${ended.errorMessage} ${ended.message}`).not.toMatch(/plan|equal/);
    expect([await live(collection, 'plan.md'), await live(collection, 'equal.md')]).toEqual(before);
    expect(before).toMatchObject([{ metadata: { by: 'board' } }, { metadata: { by: 'board' } }]);
  });

  it('are replaced by runs of their groups and of who sees everything', async () => {
    const collection = await knowledge.collection();
    const runs = [
      await paused(['board', 'a'], collection.name, [{ name: 'plan.md', text: 'The plan is old.' }]),
      await paused(null, collection.name, [{ name: 'plan.md', text: 'The plan is new.' }]),
    ];
    await label(collection, ['plan.md']);
    await ingest(['board'], collection.name, [{ name: 'plan.md', text: 'The plan is to merge.' }]);
    for (const run of runs) expect(reports(await resumed(run))).toMatchObject([{ outcome: 'INDEXED' }]);
    expect(runs.map(({ input }) => (input as { groups?: string[] }).groups)).toEqual([['a', 'board'], undefined]);
  });

  it('are left alone by a run that read them without one', async () => {
    const collection = await knowledge.collection();
    const equal = { name: 'equal.md', text: 'The board meets on Monday.' };
    await ingest(null, collection.name, [
      { name: 'plan.md', text: 'The plan is to merge.' },
      { ...equal, metadata: { by: 'board' } },
    ]);
    const before = await live(collection, 'plan.md');
    const embedding = whileEmbedding(() => label(collection, ['plan.md', 'equal.md']));
    const run = await ingest([], collection.name, [
      { name: 'plan.md', text: 'There is no plan.' },
      { ...equal, metadata: { by: 'other' } },
      { name: 'open.md', text: 'The door is open.' },
    ]);
    embedding.mockRestore();
    expect(run).toMatchObject({ status: 'SUCCEEDED', failures: 2 });
    expect(reports(run)).toMatchObject([
      { name: 'plan.md', outcome: 'FAILED', error: REFUSED },
      { name: 'equal.md', outcome: 'FAILED', error: REFUSED },
      { name: 'open.md', outcome: 'INDEXED' },
    ]);
    expect(await live(collection, 'plan.md')).toEqual(before);
    expect(await live(collection, 'equal.md')).toMatchObject({ metadata: { by: 'board' } });
    expect(await knowledge.database.prisma.document.count({ where: { collectionId: collection.id } })).toBe(3);
  });

  it('are not named by a run that finds them replaced or deleted', async () => {
    const collection = await knowledge.collection();
    await label(collection, ['merger.md']);
    const part = (n: number, text: string): string => `# Part ${n}\n\n${text.repeat(12)}\n\n`;
    const first = part(1, 'Of this part nothing changes from one day to the next. ');
    await ingest(null, collection.name, [
      { name: 'merger.md', text: first + part(2, 'Two firms become one in the month of May. ') },
    ]);
    const embedding = whileEmbedding(() =>
      knowledge.service.deleteDocuments(reader(null), { collection: collection.name, names: ['merger.md'] }),
    );
    const run = await ingest(null, collection.name, [
      { name: 'merger.md', text: first + part(2, 'Two firms stay as they are for the whole of the year. ') },
    ]);
    embedding.mockRestore();
    expect(run).toMatchObject({
      status: 'FAILED',
      errorCode: 'CONFLICT',
      errorMessage: 'A document was replaced or deleted meanwhile.',
    });
  });

  it.each([
    ['document', { code: 'NOT_FOUND', field: 'input.names' }],
    ['collection', { code: 'FORBIDDEN', field: 'input.collection' }],
  ])('are not deleted by who waits to delete the %s', async (what, refusal) => {
    const collection = await knowledge.collection();
    const { name } = collection;
    await ingest(null, name, [{ name: 'plan.md', text: 'The plan is to merge.' }]);
    let deletion!: Promise<unknown>;
    await knowledge.database.prisma.$transaction(async (tx) => {
      await lockCollection(tx, collection.id);
      deletion =
        what === 'document'
          ? knowledge.service.deleteDocuments(reader([]), { collection: name, names: ['plan.md'] })
          : knowledge.service.deleteCollection(reader([]), name);
      deletion.catch(() => undefined);
      await eventually('it to wait for the lock', async () => {
        const { rows } = await knowledge.database.pool.query(
          `SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`,
        );
        return rows.length > 0;
      });
      // Another label would wait for the lock, too.
      await tx.documentLabel.create({
        data: {
          workspaceId: knowledge.workspaceId,
          collectionId: collection.id,
          name: 'plan.md',
          source: `${name}/plan.md`,
          access: ['board'],
          changedBy: 'test',
        },
      });
    });
    await expect(deletion).rejects.toMatchObject(refusal);
    expect(await live(collection, 'plan.md')).not.toBeNull();
  });

  it('are named by what keeps a file to those alone who see them', async () => {
    const collection = await knowledge.collection();
    const { id } = await knowledge.upload('merger.md', Buffer.from('Two firms become one in May.'));
    const fileId = id as Uuid;
    await label(collection, ['merger.md']);
    await ingest(['board'], collection.name, [{ name: 'merger.md', fileId }]);
    const reasons = async () => {
      await ingest([], collection.name, [{ name: 'mine.md', fileId }]);
      const gone = await knowledge.service.deleteDocuments(reader(['board']), {
        collection: collection.name,
        names: ['mine.md'],
      });
      return gone.erasure.keptFiles.map(({ reason }) => reason);
    };
    // Whoever may delete reads the report of a run.
    expect(await reasons()).toEqual(['A document was made of it.']);
    await ingest([], collection.name, [{ name: 'open.md', fileId }]);
    expect(await reasons()).toEqual([
      `The document open.md of ${collection.name} was made of it: delete it there too.`,
    ]);
  });

  it('are as if they weren’t there to questions that retrieval is tuned on', async () => {
    const collection = await knowledge.collection();
    await label(collection, ['merger.md']);
    await ingest(['board'], collection.name, [{ name: 'merger.md', text: 'Two firms become one in May.' }]);
    await ingest([], collection.name, [{ name: 'open.md', text: 'Two firms become one in May.' }]);
    const holding = (name: string) => knowledge.stores.documents.chunkIdsWith(collection.id, name, 'one in May');
    expect(await holding('open.md')).toHaveLength(1);
    expect(await holding('merger.md')).toEqual([]);
  });
});
