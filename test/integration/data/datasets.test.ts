import { TaskKind } from '../../../src/sources/data/index.js';
import { ExportFormat } from '../../../src/sources/data/datasets/export-rows.js';
import { changeCursor, rowCursor, type RowOrder } from '../../../src/sources/data/datasets/version-rows.js';
import { Split } from '../../../src/sources/data/datasets/importing/splits.js';
import { quote, TableEngine } from '../../../src/sources/data/datasets/storage/duckdb.js';
import { newId } from '../../../src/kernel/ids.js';
import type { VersionRecord } from '../../../src/sources/data/datasets/dataset.js';
import { DataKit, failure, messages, ws } from './data-kit.js';

// Each version is made in a process of its own, which takes long where the cores are shared.
jest.setTimeout(240_000);

let kit: DataKit;
beforeAll(async () => (kit = await DataKit.start()));
afterAll(() => kit.dispose());

describe('a version', () => {
  it('is content-addressed: the same file gives the same version, at once or later', async () => {
    const name = await kit.dataset();
    const file = await kit.upload(
      'a.jsonl',
      messages(50)
        .map((r) => JSON.stringify(r))
        .join('\n'),
    );
    const runs = await Promise.all([1, 2].map(() => kit.import(name, [{ fileId: file.id }])));
    const outputs = await Promise.all(runs.map((run) => kit.output(run)));
    expect(new Set(outputs.map((o) => o.versionId)).size).toBe(1);
    expect(outputs.map((o) => o.created).sort()).toEqual([false, true]);
    const copy = await kit.upload(
      'another name.jsonl',
      messages(50)
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
    const name = await kit.dataset();
    const file = await kit.upload('a.jsonl', JSON.stringify(messages(1)[0]));
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
    const name = await kit.dataset();
    const first = await kit.imported(name, messages(300));
    const second = await kit.imported(name, [...messages(200, 500), ...messages(250)].reverse());
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
    const name = await kit.dataset();
    const broken = { ...messages(1, 900)[0]!, text: ' ' };
    const first = await kit.imported(name, [...messages(30), broken]);
    expect(first.report).toMatchObject({ rows: 31, quarantinedRows: 1 });
    const second = await kit.imported(name, [{ ...broken, text: 'now it says something' }, ...messages(5, 950)], {
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

  it('keeps out what a record said wrongly of its row, through extensions and deletions, until a new row mends it', async () => {
    const name = await kit.dataset(TaskKind.EXTRACTION);
    const met = (id: string, who: string, there = who) => ({
      id,
      text: `Ada met ${there} at place ${id}`,
      entities: [{ text: who, type: 'person' }],
    });
    const wrong = Array.from({ length: 5 }, (_, i) => met(`w${i}`, 'Zoe', 'nobody'));
    await kit.imported(name, [...wrong, met('r0', 'Bob'), met('r1', 'Cid')]);
    const extended = await kit.imported(name, [met('r2', 'Dan'), met('r3', 'Eve')], { extend: true });
    expect(extended.report).toMatchObject({ rows: 9, quarantinedRows: 5 });
    const request = { dataset: name, keys: ['r0', 'w4'], reason: 'wrong', idempotencyKey: newId() };
    const { versionId } = await kit.output(await kit.data.datasets.deleteRows(ws, request));
    const left = await kit.data.store.requireVersion(ws, versionId!, 'id');
    expect(left.report).toMatchObject({ rows: 7, quarantinedRows: 4 });
    const mended = await kit.imported(name, [met('w0', 'Zoe')], { extend: true });
    expect(mended.report).toMatchObject({ rows: 7, quarantinedRows: 3 });
  });

  it('judges ids anew: a repetition stays out, also of a new row, until the row before it is gone', async () => {
    const name = await kit.dataset();
    const twice = [...messages(5), ...messages(5).map((row) => ({ ...row, text: `again ${row.text}` }))];
    // Ids that come twice are suggested for none.
    const file = { split: Split.TRAIN, mapping: { columns: { ID: 'id', TEXT: 'text', LABEL: 'label' } } };
    await kit.imported(name, [...twice, { ...messages(1, 70)[0]!, id: 'own#2' }], {}, file);
    const kept = async (version: VersionRecord, quarantined: boolean) => {
      const keys: string[] = [];
      const groups = await kit.data.store.rowGroups(version.id);
      for await (const batch of kit.data.rows.stream(TaskKind.CLASSIFICATION, groups, { quarantined }))
        keys.push(...batch.map(({ key }) => key));
      return keys.sort();
    };
    const repeated = ['r0#2', 'r1#2', 'r2#2', 'r3#2', 'r4#2'];
    const extended = await kit.imported(name, messages(1, 80), { extend: true }, file);
    expect(await kept(extended, true)).toEqual(repeated);
    expect(await kept(extended, false)).toContain('own#2');
    const newer = await kit.imported(name, [{ ...messages(1)[0]!, text: 'a better text' }], { extend: true }, file);
    expect(await kept(newer, true)).toEqual(repeated);
    const request = { dataset: name, keys: ['r1'], reason: 'wrong', idempotencyKey: newId() };
    const { versionId } = await kit.output(await kit.data.datasets.deleteRows(ws, request));
    const left = await kit.data.store.requireVersion(ws, versionId!, 'id');
    expect(await kept(left, true)).toEqual(['r0#2', 'r2#2', 'r3#2', 'r4#2']);
    expect(await kept(left, false)).toEqual(['own#2', 'r0', 'r1', 'r2', 'r3', 'r4', 'r80']);
  });

  it('gives rows of one input keys of their own, however often it is extended by that input', async () => {
    const name = await kit.dataset();
    const same = [
      { text: 'two', label: 'a' },
      { text: 'two', label: 'b' },
      { text: 'one', label: 'a' },
    ];
    await kit.imported(name, same);
    const version = await kit.imported(name, [...same, { text: 'three', label: 'b' }], { extend: true });
    const keys: string[] = [];
    const groups = await kit.data.store.rowGroups(version.id);
    for await (const batch of kit.data.rows.stream(TaskKind.CLASSIFICATION, groups, {}))
      keys.push(...batch.map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('names rows by their input when they have no id, so that a changed label is a change', async () => {
    const name = await kit.dataset();
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
    messages(n).map(({ label, text }, id) => ({ id, split: name, text: `${name} ${text}`, label }));

  it('match each row with itself in exports and diffs, page by page', async () => {
    const name = await kit.dataset();
    const [train, test] = [split('train', 4), split('test', 4)];
    const first = await kit.imported(name, [...train, ...test]);
    expect(first.report.problems.map((p) => p.rule)).not.toContain('duplicate-id');
    const groups = await kit.data.store.rowGroups(first.id);
    const file = await kit.exported(first.id, ExportFormat.JSONL);
    const again = await kit.version(await kit.import(await kit.dataset(), [{ fileId: file.id }]));
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
    const name = await kit.dataset();
    const [a, b] = [split('train', 6), split('train', 6)];
    b[5]!.split = 'test';
    const [first, second] = [await kit.imported(name, a), await kit.imported(name, b)];
    const [before, after] = [await kit.data.store.rowGroups(first.id), await kit.data.store.rowGroups(second.id)];
    expect(await kit.data.rows.diffCounts(before, after)).toMatchObject({ added: 0, removed: 0, changed: 1 });
  });

  it('are mended and deleted in one split without touching the others', async () => {
    const name = await kit.dataset();
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
    const name = await kit.dataset();
    const plain = split('train', 5).map(({ split: _, ...row }) => row);
    await kit.imported(name, plain);
    const moved = await kit.imported(name, [{ ...plain[2]!, split: 'validation' }], { extend: true });
    expect(moved.report.rows).toBe(5);
  });
});

describe('rows', () => {
  it('are paged without gap or repetition in every order, and filtered', async () => {
    const name = await kit.dataset();
    const version = await kit.imported(name, messages(120));
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
    const name = await kit.dataset();
    const version = await kit.imported(name, [
      ...messages(20),
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
    const name = await kit.dataset(TaskKind.EXTRACTION);
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
      await kit.import(await kit.dataset(TaskKind.EXTRACTION), [{ fileId: jsonl.id, mapping: { offsets: 'UTF16' } }]),
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

describe('what is wrong is said before anything starts', () => {
  it('missing columns, files, datasets and views', async () => {
    const name = await kit.dataset();
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
