import { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import { TaskKind } from '../../../src/data/index.js';
import { ExportFormat } from '../../../src/data/datasets/export-rows.js';
import { unusableReason } from '../../../src/data/datasets/dataset.js';
import { changeCursor, rowCursor, type RowOrder } from '../../../src/data/datasets/version-rows.js';
import { Split } from '../../../src/data/importing/splits.js';
import { FeatureType } from '../../../src/data/features/feature-view.js';
import { quote, TableEngine } from '../../../src/data/storage/duckdb.js';
import { GraftError, isGraftError } from '../../../src/kernel/errors.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { freshWorkspace } from '../../support/chroma.js';
import { DataKit, ws } from './data-kit.js';

let kit: DataKit;
beforeAll(async () => (kit = await DataKit.start()));
afterAll(() => kit.dispose());

let names = 0;
async function dataset(task: TaskKind = TaskKind.CLASSIFICATION): Promise<string> {
  const name = `set-${++names}`;
  await kit.data.datasets.createDataset(ws, { name, task });
  return name;
}

const rows = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    id: `r${from + i}`,
    text: `message ${from + i} about ${['rain', 'sun', 'snow'][(from + i) % 3]} and ${(from + i) * 7919}`,
    label: ['wet', 'dry', 'cold'][(from + i) % 3]!,
    customer: `customer:${(from + i) % 10}`,
  }));

const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'passed',
    (e: unknown) => (isGraftError(e) ? e.code : String(e)),
  );

describe('a version', () => {
  it('is content-addressed: the same file gives the same version, at once or later', async () => {
    const name = await dataset();
    const file = await kit.upload(
      'a.jsonl',
      rows(50)
        .map((r) => JSON.stringify(r))
        .join('\n'),
    );
    const runs = await Promise.all([1, 2].map(() => kit.import(name, [{ fileId: file.id }])));
    const outputs = await Promise.all(runs.map((run) => kit.output(run)));
    expect(new Set(outputs.map((o) => o.versionId)).size).toBe(1);
    expect(outputs.map((o) => o.created).sort()).toEqual([false, true]);
    const copy = await kit.upload(
      'another name.jsonl',
      rows(50)
        .map((r) => JSON.stringify(r))
        .join('\n'),
    );
    expect((await kit.output(await kit.import(name, [{ fileId: copy.id }]))).created).toBe(false);
    const record = await kit.data.store.byName(ws, name);
    expect(
      (await kit.data.store.versionsOf([record!.id], { first: 10, after: null })).get(record!.id)!.items,
    ).toHaveLength(1);
  });

  it('is one run for one idempotency key, and a conflict for other input under it', async () => {
    const name = await dataset();
    const file = await kit.upload('a.jsonl', JSON.stringify(rows(1)[0]));
    const idempotencyKey = newId();
    const [a, b] = [
      await kit.import(name, [{ fileId: file.id }], { idempotencyKey }),
      await kit.import(name, [{ fileId: file.id }], { idempotencyKey }),
    ];
    expect(a.id).toBe(b.id);
    expect(await failure(kit.import(name, [{ fileId: file.id }], { idempotencyKey, maxTokens: 99 }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
    await kit.ended(a);
  });

  it('keeps rows in their split when later versions add and remove others', async () => {
    const name = await dataset();
    const first = await kit.imported(name, rows(300));
    const second = await kit.imported(name, [...rows(200, 500), ...rows(250)].reverse());
    const splitsOf = async (version: typeof first) => {
      const splits = new Map<string, string>();
      for await (const batch of kit.data.rows.stream(
        TaskKind.CLASSIFICATION,
        await kit.data.store.rowGroups(version.id),
        {},
      ))
        for (const row of batch) splits.set(row.key, row.split);
      return splits;
    };
    const [a, b] = [await splitsOf(first), await splitsOf(second)];
    const shared = [...a.keys()].filter((key) => b.has(key));
    expect(shared).toHaveLength(250);
    for (const key of shared) expect(b.get(key)).toBe(a.get(key));
    expect(new Set(a.values())).toEqual(new Set(['TRAIN', 'VALIDATION', 'TEST']));
  });

  it('extends the one before: quarantined rows are mended by key, all others carried over', async () => {
    const name = await dataset();
    const broken = { ...rows(1, 900)[0]!, text: ' ' };
    const first = await kit.imported(name, [...rows(30), broken]);
    expect(first.report).toMatchObject({ rows: 31, quarantinedRows: 1 });
    const second = await kit.imported(name, [{ ...broken, text: 'now it says something' }, ...rows(5, 950)], {
      extend: true,
    });
    expect(second.report).toMatchObject({ rows: 36, quarantinedRows: 0 });
    expect(second.manifest.base).toEqual({ digest: first.digest, leftOut: 0 });
    expect((await kit.data.store.parents([second.id])).get(second.id)?.map((p) => p.id)).toEqual([first.id]);
    const [a, b] = [await kit.data.store.rowGroups(first.id), await kit.data.store.rowGroups(second.id)];
    expect(await kit.data.rows.diffCounts(a, b)).toEqual({ added: 5, removed: 0, changed: 1, unchanged: 30 });
    const changes = await kit.data.rows.changes(TaskKind.CLASSIFICATION, a, b, { first: 100, after: null });
    expect(changes.items.find((c) => c.kind === 'CHANGED')).toMatchObject({
      key: 'r900',
      before: { text: ' ' },
      after: { text: 'now it says something' },
    });
    expect(await kit.data.rows.diffCounts(b, a)).toEqual({ added: 0, removed: 5, changed: 1, unchanged: 30 });
  });

  it('names rows by their input when they have no id, so that a changed label is a change', async () => {
    const name = await dataset();
    const plain = (label: string) => [
      { text: 'one', label: 'a' },
      { text: 'two', label },
      { text: 'two', label },
    ];
    const [a, b] = [await kit.imported(name, plain('b')), await kit.imported(name, plain('c'))];
    const counts = await kit.data.rows.diffCounts(
      await kit.data.store.rowGroups(a.id),
      await kit.data.store.rowGroups(b.id),
    );
    expect(counts).toEqual({ added: 0, removed: 0, changed: 2, unchanged: 1 });
  });
});

describe('ids that begin anew in each split', () => {
  const split = (name: string, n: number) =>
    rows(n).map(({ label, text }, id) => ({ id, split: name, text: `${name} ${text}`, label }));

  it('match each row with itself in exports and diffs, page by page', async () => {
    const name = await dataset();
    const [train, test] = [split('train', 4), split('test', 4)];
    const first = await kit.imported(name, [...train, ...test]);
    expect(first.report.problems.map((p) => p.rule)).not.toContain('duplicate-id');
    const groups = await kit.data.store.rowGroups(first.id);
    const file = await kit.exported(first.id, ExportFormat.JSONL);
    const again = await kit.version(await kit.import(await dataset(), [{ fileId: file.id }]));
    const same = { added: 0, removed: 0, changed: 0, unchanged: 8 };
    expect(await kit.data.rows.diffCounts(groups, await kit.data.store.rowGroups(again.id))).toEqual(same);

    const second = await kit.imported(name, [
      train[0]!,
      { ...train[1], label: 'new' },
      train[2]!,
      test[0]!,
      { ...test[1], label: 'new' },
      { ...test[3], split: 'validation' },
      ...split('test', 6).slice(4),
    ]);
    const after = await kit.data.store.rowGroups(second.id);
    const changes: string[] = [];
    for (let cursor: string | null = null, more = true; more;) {
      const page = await kit.data.rows.changes(TaskKind.CLASSIFICATION, groups, after, { first: 1, after: cursor });
      for (const c of page.items) changes.push(`${c.key} ${c.kind} ${c.splitBefore} ${c.splitAfter}`);
      cursor = changeCursor(page.items.at(-1)!);
      more = page.hasNextPage;
    }
    expect(changes).toEqual([
      '1 CHANGED TEST TEST',
      '1 CHANGED TRAIN TRAIN',
      '2 REMOVED TEST null',
      '3 REMOVED TEST null',
      '3 REMOVED TRAIN null',
      '3 ADDED null VALIDATION',
      '4 ADDED null TEST',
      '5 ADDED null TEST',
    ]);
  });

  it('let a row move to another split as one change while its id stands once', async () => {
    const name = await dataset();
    const [a, b] = [split('train', 6), split('train', 6)];
    b[5]!.split = 'test';
    const [first, second] = [await kit.imported(name, a), await kit.imported(name, b)];
    const [before, after] = [await kit.data.store.rowGroups(first.id), await kit.data.store.rowGroups(second.id)];
    expect(await kit.data.rows.diffCounts(before, after)).toMatchObject({ added: 0, removed: 0, changed: 1 });
  });

  it('are mended and deleted in one split without touching the others', async () => {
    const name = await dataset();
    await kit.imported(name, [...split('train', 4), ...split('test', 4)]);
    const mended = await kit.imported(name, [{ ...split('test', 1)[0], label: 'mended' }], { extend: true });
    expect(mended.report.rows).toBe(8);
    const request = { dataset: name, keys: ['1', '2'], reason: 'wrong', idempotencyKey: newId() };
    const { versionId } = await kit.output(await kit.data.datasets.deleteRows(ws, { ...request, split: Split.TEST }));
    const left = await kit.data.store.rowGroups(versionId!);
    expect(await kit.data.rows.count(left, { split: 'TRAIN' })).toBe(4);
    expect(await kit.data.rows.count(left, { split: 'TEST' })).toBe(2);
    expect(await kit.data.rows.count(left, { label: 'mended', split: 'TEST' })).toBe(1);
    const subject = { ...request, keys: null, subject: 'c', split: Split.TEST, idempotencyKey: newId() };
    expect(await failure(kit.data.datasets.deleteRows(ws, subject))).toBe('BAD_USER_INPUT');
  });

  it('replace a row whose split was computed, wherever it is put', async () => {
    const name = await dataset();
    const plain = split('train', 5).map(({ split: _, ...row }) => row);
    await kit.imported(name, plain);
    const moved = await kit.imported(name, [{ ...plain[2]!, split: 'validation' }], { extend: true });
    expect(moved.report.rows).toBe(5);
  });
});

describe('rows', () => {
  it('are paged without gap or repetition in every order, and filtered', async () => {
    const name = await dataset();
    const version = await kit.imported(name, rows(120));
    const groups = await kit.data.store.rowGroups(version.id);
    for (const by of ['PLACE', 'TEXT', 'LABEL', 'LENGTH'] as const)
      for (const descending of [false, true]) {
        const order: RowOrder = { by, descending };
        const seen: string[] = [];
        let after: string | null = null;
        do {
          const page = await kit.data.rows.page(TaskKind.CLASSIFICATION, groups, {}, order, { first: 50, after });
          seen.push(...page.items.map((r) => r.key));
          after = page.hasNextPage ? rowCursor(order, page.items.at(-1)!) : null;
        } while (after !== null);
        expect(new Set(seen).size).toBe(120);
        expect(seen).toHaveLength(120);
      }
    const wet = await kit.data.rows.page(
      TaskKind.CLASSIFICATION,
      groups,
      { label: 'wet', contains: 'RAIN and 0' },
      { by: 'PLACE', descending: false },
      { first: 10, after: null },
    );
    expect(wet.items.map((r) => r.key)).toEqual(['r0']);
    expect(await kit.data.rows.count(groups, { subject: 'customer:3' })).toBe(12);
  });

  it('tell by rule which of them have a problem', async () => {
    const name = await dataset();
    const version = await kit.imported(name, [
      ...rows(20),
      { id: 'x', text: 'mail ada@example.com about rain', label: 'wet' },
      { id: 'y', text: '', label: 'wet' },
    ]);
    const groups = await kit.data.store.rowGroups(version.id);
    const named = async (problem: string) =>
      (
        await kit.data.rows.page(
          TaskKind.CLASSIFICATION,
          groups,
          { problem },
          { by: 'PLACE', descending: false },
          { first: 10, after: null },
        )
      ).items;
    expect(await named('personal-data')).toMatchObject([{ key: 'x', quarantined: false }]);
    expect(await named('empty-field')).toMatchObject([{ key: 'y', quarantined: true, problems: ['empty-field'] }]);
  });
});

describe('exports', () => {
  it('write JSONL that imports again to the same rows, and Parquet that other tools read', async () => {
    const name = await dataset(TaskKind.EXTRACTION);
    const source = [
      {
        id: 'a',
        text: 'Ada met Bob',
        entities: [
          { start: 0, end: 3, type: 'P' },
          { start: 8, end: 11, type: 'P' },
        ],
      },
      { id: 'b', text: '😀 Ada', entities: [{ start: 2, end: 5, type: 'P' }] },
      { id: 'c', text: 'nobody here', entities: [] },
    ];
    const version = await kit.imported(name, source);
    const rowGroups = await kit.data.store.rowGroups(version.id);
    const jsonl = await kit.exported(version.id, ExportFormat.JSONL);
    const again = await kit.version(
      await kit.import(await dataset(TaskKind.EXTRACTION), [{ fileId: jsonl.id, mapping: { offsets: 'UTF16' } }]),
    );
    expect(await kit.data.rows.diffCounts(rowGroups, await kit.data.store.rowGroups(again.id))).toMatchObject({
      unchanged: 3,
      added: 0,
      removed: 0,
      changed: 0,
    });
    const parquet = await kit.exported(version.id, ExportFormat.PARQUET);
    const path = await kit.files.local(parquet);
    const engine = await TableEngine.open({ folder: `${kit.folder}/look`, readable: [path] });
    const read = await engine.rows<{ text: string; n: number; type: string }>(
      `SELECT text, len(entities) AS n, entities[1]."type" AS type FROM read_parquet(${quote(path)}) ORDER BY id`,
    );
    engine.close();
    expect(read).toEqual([
      { text: 'Ada met Bob', n: 2, type: 'P' },
      { text: '😀 Ada', n: 1, type: 'P' },
      { text: 'nobody here', n: 0, type: null },
    ]);
  });
});

describe('deleting the rows about a person', () => {
  it('makes a version without them, withdraws all versions that had them with the reason, and erases the bytes', async () => {
    const name = await dataset();
    const first = await kit.imported(name, rows(40));
    const second = await kit.imported(name, rows(60));
    const secret = 'message 3 about';
    const digests = (await Promise.all([first, second].map((v) => kit.data.store.rowGroups(v.id))))
      .flat()
      .map((g) => g.sha256);
    const request = {
      dataset: name,
      subject: 'customer:3',
      reason: 'a customer asked to be forgotten',
      idempotencyKey: newId(),
    };
    const run = await kit.data.datasets.deleteRows(ws, request);
    const output = await kit.output(run);
    expect(output.withdrawn.sort()).toEqual([first.id, second.id].sort());
    const third = await kit.data.store.requireVersion(ws, output.versionId!, 'id');
    expect(third.report.rows).toBe(54);
    expect(third.manifest.base).toEqual({ digest: second.digest, leftOut: 6 });
    for (const { id } of [first, second]) {
      const old = await kit.data.store.requireVersion(ws, id, 'id');
      expect(unusableReason(old)).toBe('a customer asked to be forgotten');
      expect(JSON.stringify(old.report)).not.toContain(secret);
      expect(await failure(kit.data.datasets.usableVersion(ws, id, 'version'))).toBe('DATASET_UNUSABLE');
      expect(await failure(kit.data.datasets.readableRowGroups(old))).toBe('DATASET_UNUSABLE');
    }
    for (const digest of digests) expect(await kit.artifacts.has(digest)).toBe(false);
    expect(JSON.stringify((await kit.runs.get(ws, run.id))!.input)).not.toContain('customer:3');
    // Sent again it is the same run; another person under its key is a conflict; the withdrawn rows don't come back by the old file.
    expect((await kit.data.datasets.deleteRows(ws, request)).id).toBe(run.id);
    expect(await failure(kit.data.datasets.deleteRows(ws, { ...request, subject: 'customer:4' }))).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
    expect(await failure(kit.data.datasets.deleteRows(ws, { ...request, idempotencyKey: newId() }))).toBe('NOT_FOUND');
    const file = await kit.upload(
      'rows.jsonl',
      rows(60)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    expect(await kit.ended(await kit.import(name, [{ fileId: file.id }]))).toMatchObject({
      status: 'FAILED',
      errorCode: 'DATASET_UNUSABLE',
    });
  });

  it('never takes the deletion of another person for its own, though both have one reason', async () => {
    const name = await dataset();
    await kit.imported(name, rows(43));
    const runs = await Promise.all(
      ['customer:3', 'customer:4'].map((subject) =>
        kit.data.datasets.deleteRows(ws, { dataset: name, subject, reason: 'asked', idempotencyKey: newId() }),
      ),
    );
    const ended = await Promise.all(runs.map((run) => kit.ended(run)));
    expect(ended.map((run) => `${run.status} ${run.errorCode}`).sort()).toEqual(['FAILED CONFLICT', 'SUCCEEDED null']);
  });

  it('deletes each of two people who stand in versions of their own, though both deletions make the same version', async () => {
    const name = await dataset();
    const withPerson = (customer: string, n: number) =>
      kit.imported(name, [...rows(30, n), { text: `only ${customer} wrote this`, label: 'x', customer }]);
    const [one, two] = [await withPerson('p1', 0), await withPerson('p2', 100)];
    await kit.imported(name, rows(30, 200));
    const runs = await Promise.all(
      ['p1', 'p2'].map((subject) =>
        kit.data.datasets.deleteRows(ws, { dataset: name, subject, reason: 'asked', idempotencyKey: newId() }),
      ),
    );
    for (const run of runs) await kit.output(run);
    for (const version of [one, two])
      expect((await kit.data.store.requireVersion(ws, version.id, 'id')).withdrawnAt).not.toBeNull();
  });

  it('leaves no version when all rows are about that person', async () => {
    const name = await dataset();
    const only = await kit.imported(name, [
      { text: 'a', label: 'x', customer: 'c1' },
      { text: 'b', label: 'y', customer: 'c1' },
    ]);
    const output = await kit.output(
      await kit.data.datasets.deleteRows(ws, {
        dataset: name,
        subject: 'c1',
        reason: 'asked',
        idempotencyKey: newId(),
      }),
    );
    expect(output).toMatchObject({
      versionId: null,
      created: false,
      withdrawn: [only.id],
      deletedFiles: ['rows.jsonl'],
    });
  });
});

describe('what else is erased with the rows about a person', () => {
  const forget = (name: string, subject: string) =>
    kit.data.datasets.deleteRows(ws, { dataset: name, subject, reason: 'asked', idempotencyKey: newId() });
  const content = (n: number) =>
    rows(n, 1000 * n)
      .map((row) => JSON.stringify(row))
      .join('\n');
  const gone = async ({ id, sha256 }: { id: string; sha256: string }) =>
    [await failure(kit.files.get(ws, id)), await kit.artifacts.has(sha256)] as const;

  it('the uploads and their copies, the pair of an upload, and exports, but not what another workspace uploaded', async () => {
    const name = await dataset();
    const upload = await kit.upload('march.jsonl', content(40));
    const copy = await kit.upload('copy of march.jsonl', content(40));
    const version = await kit.version(await kit.import(name, [{ fileId: upload.id }]));
    const exported = await kit.exported(version.id, ExportFormat.JSONL);
    const later = await kit.upload('april.jsonl', content(50));
    await kit.version(await kit.import(name, [{ fileId: later.id }]));
    const theirs = await kit.files.store(freshWorkspace(), {
      name: 'april.jsonl',
      mediaType: 'application/jsonl',
      source: Readable.from([Buffer.from(content(50))]),
      maxBytes: 1e6,
    });
    const { deletedFiles, keptFiles } = await kit.output(await forget(name, 'customer:3'));
    expect(deletedFiles.sort()).toEqual(['april.jsonl', 'copy of march.jsonl', exported.name, 'march.jsonl'].sort());
    expect(keptFiles).toEqual([]);
    for (const file of [upload, copy, exported]) expect(await gone(file)).toEqual(['NOT_FOUND', false]);
    expect(await gone(later)).toEqual(['NOT_FOUND', true]);
    expect(await kit.files.get(theirs.workspaceId as WorkspaceId, theirs.id)).toEqual(theirs);

    const [source, target] = [
      await kit.upload('source.txt', 'one\ntwo\nthree\n'),
      await kit.upload('target.txt', 'uno\ndos\ntres\n'),
    ];
    const pairs = await dataset(TaskKind.TRANSLATION);
    const mapping = {
      header: false,
      columns: { SOURCE: 'column1', TARGET: 'column1' },
      constants: { SOURCE_LANGUAGE: 'en', TARGET_LANGUAGE: 'es', SUBJECT: 'customer:1' },
    };
    await kit.version(await kit.import(pairs, [{ fileId: source.id, pairId: target.id, mapping }]));
    await kit.output(await forget(pairs, 'customer:1'));
    for (const file of [source, target]) expect(await gone(file)).toEqual(['NOT_FOUND', false]);
  });

  it('not an upload that another dataset was made of: the result names it until its rows are deleted too', async () => {
    const [name, other] = [await dataset(), await dataset()];
    const upload = await kit.upload('shared.jsonl', content(45));
    for (const each of [name, other]) await kit.version(await kit.import(each, [{ fileId: upload.id }]));
    const first = await kit.output(await forget(name, 'customer:3'));
    expect(first.deletedFiles).toEqual([]);
    expect(first.keptFiles).toEqual([
      { fileId: upload.id, reason: `Version 1 of ${other} was made of it: delete the rows there too.` },
    ]);
    expect(await kit.files.get(ws, upload.id)).toEqual(upload);
    const second = await kit.output(await forget(other, 'customer:3'));
    expect([second.deletedFiles, second.keptFiles]).toEqual([['shared.jsonl'], []]);
    expect(await gone(upload)).toEqual(['NOT_FOUND', false]);
  });

  it('what feature views know of them, and rows that name them as their entity', async () => {
    const view = 'plans-of-people';
    const fields = [{ name: 'plan', type: FeatureType.STRING }];
    await kit.data.features.defineView(ws, { name: view, entity: 'customer', fields });
    const eventTime = new Date('2026-01-01T00:00:00Z');
    const of = (entity: string) => ({ entity, eventTime, values: { plan: 'grower' } });
    await kit.data.features.write(ws, view, [of('customer:3'), of('customer:4')]);
    const name = await dataset();
    const columns = { ID: 'id', TEXT: 'text', LABEL: 'label', SUBJECT: 'agent', ENTITY: 'customer' };
    const file = await kit.upload(
      'calls.jsonl',
      rows(40)
        .map((row) => JSON.stringify({ ...row, agent: 'agent:1' }))
        .join('\n'),
    );
    await kit.version(await kit.import(name, [{ fileId: file.id, mapping: { columns } }]));
    const { versionId } = await kit.output(await forget(name, 'customer:3'));
    expect((await kit.data.store.requireVersion(ws, versionId!, 'id')).report.rows).toBe(36);
    const left = await Promise.all(
      ['customer:3', 'customer:4'].map(async (entity) => (await kit.data.features.read(ws, entity, [view]))[0]!.values),
    );
    expect(left).toEqual([null, { plan: 'grower' }]);
  });

  it('also when the run is cut off between withdrawing the versions and erasing', async () => {
    const name = await dataset();
    const upload = await kit.upload('cut.jsonl', content(41));
    const version = await kit.version(await kit.import(name, [{ fileId: upload.id }]));
    const [group] = await kit.data.store.rowGroups(version.id);
    const remove = jest.spyOn(kit.files, 'remove');
    remove.mockRejectedValueOnce(new GraftError('DATABASE_UNAVAILABLE', 'cut off'));
    const output = await kit.output(await forget(name, 'customer:3'));
    remove.mockRestore();
    expect(output).toMatchObject({ withdrawn: [version.id], deletedFiles: ['cut.jsonl'] });
    expect(await gone(upload)).toEqual(['NOT_FOUND', false]);
    expect(await kit.artifacts.has(group!.sha256)).toBe(false);
  });

  it('refuses a new export of a withdrawn version, also one that was begun before', async () => {
    const name = await dataset();
    const version = await kit.imported(name, rows(42));
    const stage = kit.artifacts.stage.bind(kit.artifacts);
    const slow = jest.spyOn(kit.artifacts, 'stage').mockImplementationOnce(async (...given) => {
      const staged = await stage(...given);
      await kit.output(await forget(name, 'customer:3'));
      return staged;
    });
    const before = await kit.database.prisma.storedFile.count({ where: { name: `${name}-v1.jsonl` } });
    const request = { versionId: version.id, format: ExportFormat.JSONL, filter: {} };
    const begun = await kit.data.exporter.start(ws, { ...request, idempotencyKey: newId() });
    expect((await kit.ended(begun)).errorCode).toBe('DATASET_UNUSABLE');
    slow.mockRestore();
    const later = kit.data.exporter.start(ws, { ...request, idempotencyKey: newId() });
    expect(await failure(later)).toBe('DATASET_UNUSABLE');
    expect(await kit.database.prisma.storedFile.count({ where: { name: `${name}-v1.jsonl` } })).toBe(before);
  });
});

describe('what is wrong is said before anything starts', () => {
  it('missing columns, files, datasets and views', async () => {
    const name = await dataset();
    const file = await kit.upload('a.csv', 'text,label\na,x\nb,y\n');
    const mapping = { columns: { TEXT: 'txt', LABEL: 'label' } };
    expect(await failure(kit.import(name, [{ fileId: file.id, mapping }]))).toBe('BAD_USER_INPUT');
    expect(await failure(kit.import(name, [{ fileId: newId() }]))).toBe('NOT_FOUND');
    expect(await failure(kit.import('nothing', [{ fileId: file.id }]))).toBe('NOT_FOUND');
    expect(await failure(kit.import(name, [{ fileId: file.id }], { features: ['none'] }))).toBe('NOT_FOUND');
    expect(await failure(kit.import(name, []))).toBe('BAD_USER_INPUT');
    const zip = await kit.upload('a.csv', Buffer.from('504b0304140000000800', 'hex'));
    expect(await failure(kit.import(name, [{ fileId: zip.id }]))).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect((await kit.remains()).working).toEqual([]);
  });

  it('a preview suggests a mapping, shows rows and says what is missing', async () => {
    const file = await kit.upload('a.csv', 'text,label\na,x\nb,y\n');
    const preview = await kit.data.datasets.preview(ws, { fileId: file.id });
    expect(preview).toMatchObject({
      task: 'CLASSIFICATION',
      problem: null,
      columns: ['text', 'label'],
      rows: [{ text: 'a', label: 'x' }, { text: 'b' }],
    });
    const other = await kit.data.datasets.preview(ws, { fileId: file.id, task: TaskKind.TRANSLATION });
    expect(other.problem).toContain('SOURCE and TARGET');
  });
});
