import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { graphql } from 'graphql';
import { asOwner } from '../../support/as-owner.js';
import { raftMaking } from '../../../src/sources/data/answering/raft/raft-run.js';
import { fromGlobalId, toGlobalId } from '../../../src/kit/graphql/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { REFUSAL } from '../../../src/sources/prompting/index.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { startAnswering, type Answering } from './answering.js';
import { addReader } from './tiny-reader.js';

jest.setTimeout(300_000);

const HANDBOOK = ['controls.md', 'faq-and-glossary.md', 'installation.md', 'irrigation.md', 'privacy.md', 'sensors.md'];
const QUESTIONS = [
  ['At what wind speed are the roof vents forced shut?', '14 m/s', 'controls.md'],
  ['Up to which wind speed does the Vane measure?', '60 m/s', 'sensors.md'],
] as const;

interface Row {
  split: string;
  content: { question: string; passages: string[]; answer: string };
}

/** The words alone, so that 10 does not say 1. */
const words = (text: string): string =>
  ` ${text
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
    ?.join(' ')} `;

describe('createRaftDataset', () => {
  let answering: Answering;
  const folder = mkdtempSync(join(tmpdir(), 'graft-raft-'));
  const tiny = writeTinyModel(join(folder, 'tiny.gguf'));
  const documents = HANDBOOK.map((name) => ({
    name,
    text: readFileSync(join(packageRoot(), 'examples', 'handbook', name), 'utf8'),
  }));

  const ask = async (source: string, variableValues: Record<string, unknown>) => {
    const { schema, context } = answering;
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue: context() });
    if (errors) throw errors[0]?.originalError ?? errors[0]!;
    return data as Record<string, never>;
  };
  const start = async (input: object): Promise<string> => {
    const { createRaftDataset } = await ask(
      'mutation ($input: CreateRaftDatasetInput!) { createRaftDataset(input: $input) { run { id } } }',
      { input: { collection: 'handbook', dataset: 'reading', idempotencyKey: newId(), ...input } },
    );
    const { run } = createRaftDataset as unknown as { run: { id: string } };
    return fromGlobalId(run.id, 'RaftDatasetRun', 'id');
  };
  const ended = (id: string) => answering.finished({ id, kind: raftMaking.kind }, 240_000);
  const make = async (input: object) => ended(await start(input));
  const made = async (input: object) => {
    const run = await make(input);
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    return raftMaking.outputOf(run)!;
  };
  const rowsOf = async (versionId: string): Promise<Row[]> => {
    const groups = await answering.data.store.rowGroups(versionId);
    const rows: Row[] = [];
    for await (const batch of answering.data.rows.stream('QUESTION_ANSWERING', groups, {}))
      rows.push(...(batch as unknown as Row[]));
    return rows;
  };

  /** A version of questions on the handbook, with the context that each was asked of where it is given. */
  const labelled = async (rows: object[], name = `asked-${newId().slice(-8)}`): Promise<string> => {
    const { data, files, workspaceId } = answering;
    await data.datasets.createDataset(workspaceId, { name, task: 'QUESTION_ANSWERING' });
    const source = Readable.from(rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)));
    const file = await files.store(workspaceId, {
      name: 'asked.jsonl',
      mediaType: 'application/x-ndjson',
      source,
      maxBytes: 1e9,
    });
    const usual = { extend: false, steps: [], features: [], maxTokens: 2_048, minRowsPerLabel: 1 };
    const run = await data.datasets.addVersion(workspaceId, {
      dataset: name,
      files: [{ fileId: file.id }],
      ...usual,
      idempotencyKey: newId(),
    });
    const { output } = await answering.finished(run);
    return (output as { versionId: string }).versionId;
  };
  const asId = (versionId: string) => toGlobalId('DatasetVersion', versionId);

  /** Thirty questions that their sentences answer, from four documents. */
  const thirty = (): { question: string; context: string; answer: string; document: string; subject?: string }[] =>
    documents.slice(0, 4).flatMap(({ name, text }) =>
      [...text.matchAll(/[A-Z][^.\n|#*`]{20,200}?(\d+ [a-z]+)[^.\n|#*`]{0,80}\./g)]
        .slice(0, 12)
        .map(([context, answer]) => ({
          question: `What number stands here: ${context.replace(answer!, '').trim()}`,
          context,
          answer: answer!,
          document: name,
        })),
    );

  beforeAll(async () => {
    answering = await startAnswering();
    await answering.knowledge.createCollection({ workspaceId: answering.workspaceId, name: 'handbook' });
    await answering.ingest('handbook', documents, newId(), 180_000);
  });
  afterAll(async () => {
    await answering.stop();
    rmSync(folder, { recursive: true });
  });

  it('makes questions of a collection’s own passages: each with the passage that answers it, others, and some to refuse', async () => {
    const output = await made({ sample: 60 });
    expect(output).toMatchObject({ source: 'CLOZE', created: true });
    expect(output.answered).toBeGreaterThanOrEqual(20);
    const rows = await rowsOf(output.versionId);
    const [answered, refused] = [
      rows.filter(({ content }) => content.answer !== REFUSAL),
      rows.filter(({ content }) => content.answer === REFUSAL),
    ];
    expect([answered.length, refused.length]).toEqual([output.answered, output.refused]);
    expect(refused.length / rows.length).toBeGreaterThan(0.1);
    for (const { content } of answered) {
      const { question, passages, answer } = content;
      expect(passages.some((passage) => passage.includes(answer))).toBe(true);
      expect(words(question)).not.toContain(words(answer));
      expect(passages.length).toBeLessThanOrEqual(3);
    }
    for (const { content } of refused) {
      const own = answered.find(({ content: { question } }) => question === content.question)!;
      for (const passage of content.passages)
        expect(passage.toLowerCase()).not.toContain(own.content.answer.toLowerCase());
    }
    expect(rows.some(({ content }) => content.passages.length === 3)).toBe(true);
  });

  it('makes the same version of the same collection with the same seed', async () => {
    const first = await made({ sample: 40, seed: 5 });
    expect(await made({ sample: 40, seed: 5 })).toEqual({ ...first, created: false });
  });

  it('goes on when it was taken from its runner, before its rows are stored and after, to the same version', async () => {
    const byOwner = (sql: string) => asOwner(answering.database.pool, (client) => client.query(sql));
    const usual = await made({ sample: 40, seed: 9 });
    for (const progress of [0.1, 0.8]) {
      // As a gateway that takes it over does, when the one that had it has died; in the statement that gets the run so far.
      await byOwner(`
        CREATE OR REPLACE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.status = 'RUNNING' AND NEW.attempt = 1 AND OLD.progress < ${progress} AND NEW.progress >= ${progress} THEN
            NEW.fencing_token := NEW.fencing_token + 1;
            NEW.lease_until := now() - interval '1 second';
          END IF;
          RETURN NEW;
        END $$`);
      await byOwner('CREATE TRIGGER take_over BEFORE UPDATE ON run FOR EACH ROW EXECUTE FUNCTION take_over()');
      try {
        const run = await ended(await start({ sample: 40, seed: 9 }));
        expect(run).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
        expect(raftMaking.outputOf(run)).toEqual({ ...usual, created: false });
      } finally {
        await byOwner('DROP TRIGGER take_over ON run');
      }
    }
  });

  it('asks labelled questions on the passages that hold their answers, and parts no document’s questions between splits', async () => {
    const questions = thirty();
    expect(questions.length).toBeGreaterThan(24);
    const strange = [
      { question: 'Who wrote The Magic Flute?', context: 'Mozart wrote The Magic Flute.', answer: 'Mozart' },
    ];
    const asked = await labelled([...questions, ...strange]);
    const splitRule = { seed: 'halves', validation: 0.25, test: 0.25 };
    const output = await made({ questions: asId(asked), refusedShare: 0.3, splitRule });
    expect(output).toMatchObject({ source: 'LABELLED' });
    expect(output.answered).toBeGreaterThanOrEqual(20);
    expect(output.leftOut).toBeGreaterThanOrEqual(1);
    const splitsOf = new Map<string, Set<string>>();
    const plain = (text: string) => text.toLowerCase().replace(/\s+/g, ' ');
    let amid = 0;
    for (const { split, content } of await rowsOf(output.versionId)) {
      const { document, context, answer } = questions.find(({ question }) => question === content.question)!;
      const holding = content.passages.filter((passage) => plain(passage).includes(plain(answer)));
      if (content.answer === REFUSAL) {
        expect(holding).toEqual([]);
        continue;
      }
      expect(holding).not.toEqual([]);
      if (!holding.some((passage) => plain(passage).includes(plain(context)))) continue;
      amid += 1;
      splitsOf.set(document, (splitsOf.get(document) ?? new Set()).add(split));
    }
    expect(amid).toBeGreaterThan(0.8 * output.answered);
    for (const splits of splitsOf.values()) expect(splits.size).toBe(1);
    expect(new Set([...splitsOf.values()].flatMap((splits) => [...splits])).size).toBeGreaterThan(1);
  });

  it('keeps given splits where each document has one, and says which document has two', async () => {
    const questions = thirty();
    const split = ({ document }: { document: string }) => (document === 'controls.md' ? 'test' : 'train');
    const parted = await labelled(questions.map((row) => ({ ...row, split: split(row), document: undefined })));
    const output = await made({ questions: asId(parted), keepSplits: true });
    for (const { split: kept, content } of await rowsOf(output.versionId)) {
      const own = questions.find(({ question }) => question === content.question)!;
      expect(kept).toBe(split(own).toUpperCase());
    }
    const mixed = await labelled(
      questions.map((row, i) => ({ ...row, split: i % 2 ? 'test' : 'train', document: undefined })),
    );
    expect(await make({ questions: asId(mixed), keepSplits: true })).toMatchObject({
      status: 'FAILED',
      errorCode: 'CONFLICT',
      errorMessage: expect.stringContaining('.md has questions in'),
    });
  });

  it('refuses an empty collection, one that is too small, and questions that it doesn’t answer, with what was found and is needed', async () => {
    await answering.knowledge.createCollection({ workspaceId: answering.workspaceId, name: 'empty' });
    await expect(make({ collection: 'empty' })).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.collection' });
    await answering.knowledge.createCollection({ workspaceId: answering.workspaceId, name: 'small' });
    await answering.ingest('small', [{ name: 'a.txt', text: 'The Vane measures the wind. The Vane is white.' }]);
    expect(await make({ collection: 'small' })).toMatchObject({
      status: 'FAILED',
      errorCode: 'CONFLICT',
      errorMessage: expect.stringMatching(/^Only 0 questions .* at least 20 are needed\. Add documents/),
    });
    const strange =
      'Anna Bruno Clara Dora Emil Frieda Gustav Hanna Ida Jonas Karla Ludwig Marta Nils Olga Paul Quirin Rosa Stefan Tilda Ulf Vera Wanda Xaver Yara'
        .split(' ')
        .map((name) => ({ question: `Which town was ${name} born in?`, answer: `${name}ville` }));
    expect(await make({ questions: asId(await labelled(strange)) })).toMatchObject({
      status: 'FAILED',
      errorCode: 'CONFLICT',
      errorMessage: expect.stringContaining(
        'Only 0 of 25 questions have a passage in the collection; at least 20 are needed.',
      ),
    });
    await expect(make({ sample: 3 })).rejects.toMatchObject({ field: 'input.sample' });
    await expect(make({ distractors: 3 })).rejects.toMatchObject({ field: 'input.distractors' });
    await expect(make({ refusedShare: 1 })).rejects.toMatchObject({ field: 'input.refusedShare' });
    await expect(make({ keepSplits: true })).rejects.toMatchObject({ field: 'input.keepSplits' });
    const { data, workspaceId } = answering;
    await data.datasets.createDataset(workspaceId, { name: 'labels', task: 'CLASSIFICATION' });
    await expect(make({ dataset: 'labels' })).rejects.toMatchObject({ field: 'input.dataset' });
  });

  it('shows passages in training as in serving, and lets answers say that the collection has changed since', async () => {
    const { knowledge, workspaceId } = answering;
    await knowledge.createCollection({ workspaceId, name: 'changing' });
    await answering.ingest('changing', documents.slice(0, 2), newId(), 120_000);
    const { versionId } = await made({ collection: 'changing', dataset: 'changing', sample: 30 });
    await addReader(answering, { folder, tiny }, 'changing', { datasetVersionId: versionId });
    const [question] = QUESTIONS[0];
    const hybrid = () =>
      answering
        .withVariant({ ...tiny })
        .ask(
          answering.caller,
          { question, strategy: 'HYBRID', adapter: 'changing@1', model: 'tiny', collections: ['changing'] },
          new AbortController().signal,
        );
    const features = ({ route }: Awaited<ReturnType<typeof hybrid>>) => route.reasons.map(({ feature }) => feature);
    expect(features(await hybrid())).not.toContain('adapter.origin');
    await answering.ingest('changing', [{ name: 'new.txt', text: 'Something else happened.' }]);
    const changed = await hybrid();
    const reason = changed.route.reasons.find(({ feature }) => feature === 'adapter.origin');
    expect(reason!.sentence).toMatch(
      /^The collection changing, which changing@1 learned to read, has other documents since\./,
    );
  });

  it('erases the rows when a document whose text they hold is deleted, or those of a person who asked', async () => {
    const { knowledge, workspaceId, data } = answering;
    await knowledge.createCollection({ workspaceId, name: 'deleted' });
    await answering.ingest('deleted', documents.slice(0, 4), newId(), 120_000);
    const asked = await labelled(
      thirty().map((row, i) => ({ ...row, subject: `person-${i % 3}`, document: undefined })),
      'people',
    );
    const [kept, gone] = [
      await made({ dataset: 'of-people', questions: asId(asked) }),
      await made({ collection: 'deleted', dataset: 'of-deleted', sample: 30 }),
    ];
    const file = (await data.store.requireVersion(workspaceId, gone.versionId, 'id')).manifest.files[0]!.sha256;
    expect(await answering.files.find(workspaceId, { digests: [file] })).toHaveLength(1);
    await ask('mutation ($input: DeleteDocumentsInput!) { deleteDocuments(input: $input) { erasure { complete } } }', {
      input: { collection: 'deleted', names: ['controls.md'] },
    });
    const withdrawn = await data.store.requireVersion(workspaceId, gone.versionId, 'id');
    expect(withdrawn.withdrawnReason).toContain('A document was deleted');
    expect(await data.store.rowGroups(gone.versionId)).toEqual([]);
    expect(await answering.files.find(workspaceId, { digests: [file] })).toEqual([]);
    expect((await data.store.requireVersion(workspaceId, kept.versionId, 'id')).withdrawnAt).toBeNull();

    const run = await data.datasets.deleteRows(workspaceId, {
      dataset: 'people',
      subject: 'person-1',
      reason: 'They asked.',
      idempotencyKey: newId(),
    });
    expect((await answering.finished(run)).output).toMatchObject({
      withdrawn: expect.arrayContaining([kept.versionId]),
    });
    expect(await data.store.rowGroups(kept.versionId)).toEqual([]);
  });
});
