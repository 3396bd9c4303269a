import { Readable } from 'node:stream';
import { TaskKind } from '../../../src/sources/data/index.js';
import { ExportFormat } from '../../../src/sources/data/datasets/export-rows.js';
import { unusableReason } from '../../../src/sources/data/datasets/dataset.js';
import { FeatureType } from '../../../src/sources/data/features/feature-view.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { freshWorkspace } from '../../support/chroma.js';
import { DataKit, failure, messages, ws } from './data-kit.js';

// Each version is made in a process of its own, which takes long where the cores are shared.
jest.setTimeout(240_000);

let kit: DataKit;
beforeAll(async () => (kit = await DataKit.start()));
afterAll(() => kit.dispose());

describe('deleting the rows about a person', () => {
  it('makes a version without them, withdraws all versions that had them with the reason, and erases the bytes', async () => {
    const name = await kit.dataset();
    const first = await kit.imported(name, messages(40));
    const second = await kit.imported(name, messages(60));
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
      messages(60)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    expect(await kit.ended(await kit.import(name, [{ fileId: file.id }]))).toMatchObject({
      status: 'FAILED',
      errorCode: 'DATASET_UNUSABLE',
    });
  });

  it('never takes the deletion of another person for its own, though both have one reason', async () => {
    const name = await kit.dataset();
    await kit.imported(name, messages(43));
    const runs = await Promise.all(
      ['customer:3', 'customer:4'].map((subject) =>
        kit.data.datasets.deleteRows(ws, { dataset: name, subject, reason: 'asked', idempotencyKey: newId() }),
      ),
    );
    const ended = await Promise.all(runs.map((run) => kit.ended(run)));
    expect(ended.map((run) => `${run.status} ${run.errorCode}`).sort()).toEqual(['FAILED CONFLICT', 'SUCCEEDED null']);
  });

  it('deletes each of two people who stand in versions of their own, though both deletions make the same version', async () => {
    const name = await kit.dataset();
    const withPerson = (customer: string, n: number) =>
      kit.imported(name, [...messages(30, n), { text: `only ${customer} wrote this`, label: 'x', customer }]);
    const [one, two] = [await withPerson('p1', 0), await withPerson('p2', 100)];
    await kit.imported(name, messages(30, 200));
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
    const name = await kit.dataset();
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
    messages(n, 1000 * n)
      .map((row) => JSON.stringify(row))
      .join('\n');
  const gone = async ({ id, sha256 }: { id: string; sha256: string }) =>
    [await failure(kit.files.get(ws, id)), await kit.artifacts.has(sha256)] as const;

  it('the uploads and their copies, the pair of an upload, and exports, but not what another workspace uploaded', async () => {
    const name = await kit.dataset();
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
    const pairs = await kit.dataset(TaskKind.TRANSLATION);
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
    const [name, other] = [await kit.dataset(), await kit.dataset()];
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
    const name = await kit.dataset();
    const columns = { ID: 'id', TEXT: 'text', LABEL: 'label', SUBJECT: 'agent', ENTITY: 'customer' };
    const file = await kit.upload(
      'calls.jsonl',
      messages(40)
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
    // Of whom no version has a row something was deleted all the same, and nobody is told that nothing was there.
    await kit.data.features.write(ws, view, [of('customer:99')]);
    expect(await kit.output(await forget(name, 'customer:99'))).toMatchObject({ versionId: null, withdrawn: [] });
    expect((await kit.data.features.read(ws, 'customer:99', [view]))[0]!.values).toBeNull();
  });

  it('also when the run is cut off between withdrawing the versions and erasing', async () => {
    const name = await kit.dataset();
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
    const name = await kit.dataset();
    const version = await kit.imported(name, messages(42));
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
