import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { deflateRawSync } from 'node:zlib';
import { isGraftError } from '../../../src/kernel/errors.js';
import { DataFormat } from '../../../src/sources/data/datasets/files/formats.js';
import { checkMapping, DataField, type FileMapping } from '../../../src/sources/data/datasets/importing/mapping.js';
import { sniffFile } from '../../../src/sources/data/datasets/files/sniff.js';
import { suggestMapping } from '../../../src/sources/data/datasets/importing/suggest.js';
import { TableEngine, quote } from '../../../src/sources/data/datasets/storage/duckdb.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';
import { dataFile, parquetFile, dataFolder, writtenFile } from '../../support/data-files.js';
import { made, storedRows } from '../../support/make-version.js';

const folder = await dataFolder();

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string | undefined }> {
  const error: unknown = await work.then(
    () => new Error('it passed'),
    (e: unknown) => e,
  );
  if (!isGraftError(error)) throw error as Error;
  return { code: error.code, message: error.message, hint: error.hint };
}

const csv = async (name: string, content: string | Uint8Array, mapping: Partial<FileMapping> = {}) =>
  made({ task: TaskKind.CLASSIFICATION, files: [{ file: await writtenFile(folder, name, content), mapping }] });

describe('files that are fine in spite of their form', () => {
  const texts = async (content: string | Uint8Array, name: string, mapping: Partial<FileMapping> = {}) => {
    const rows = await storedRows(await csv(name, content, mapping));
    return rows.map((r) => `${r.text}|${r.label}`);
  };

  it('a byte order mark is no part of the first column name', async () => {
    expect(await texts('\ufefftext,label\na,x\nb,y\n', 'bom.csv')).toEqual(['a|x', 'b|y']);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('text,label\né,x\nb,y\n', 'utf16le')]);
    expect(await texts(utf16, 'utf16.csv')).toEqual(['é|x', 'b|y']);
  });

  it('CRLF ends lines, and stays inside quotes', async () => {
    expect(await texts('text,label\r\na,x\r\n"b\r\nc",y\r\n', 'crlf.csv')).toEqual(['a|x', 'b\r\nc|y']);
  });

  it('quotes hold line ends, delimiters and doubled quotes', async () => {
    expect(await texts('text,label\n"he said ""hi"",\nand left",x\nb,y\n', 'quotes.csv')).toEqual([
      'he said "hi",\nand left|x',
      'b|y',
    ]);
  });

  it('Windows-1252 is read when the mapping names it', async () => {
    const latin = Buffer.from('text,label\ncaf\xe9,x\nb,y\n', 'latin1');
    expect(await texts(latin, 'named.csv', { encoding: 'windows-1252' })).toEqual(['café|x', 'b|y']);
  });

  it('a column of a Windows-1252 file has one name, however often the file is looked at', async () => {
    const bytes = Buffer.from('customer\x92s words,label\n\x805 \x96 fine,x\nb,y\n', 'latin1');
    const hints = { encoding: 'windows-1252' as const };
    const file = await writtenFile(folder, 'columns-1252.csv', bytes);
    const shape = await sniffFile(file, folder, { ...hints, header: true });
    expect(shape).toMatchObject({
      columns: ['customer’s words', 'label'],
      sample: [
        ['€5 – fine', 'x'],
        ['b', 'y'],
      ],
    });
    const mapping = { ...hints, header: true, columns: { TEXT: shape.columns[0]!, LABEL: 'label' } };
    expect(await texts(bytes, 'columns-1252.csv', mapping)).toEqual(['€5 – fine|x', 'b|y']);
  });
});

describe('files that are refused, with a code and a way out', () => {
  it('wrong encoding: names the line', async () => {
    const error = await failure(csv('latin.csv', Buffer.from('text,label\na,x\ncaf\xe9,x\n', 'latin1')));
    expect(error).toMatchObject({
      code: 'DATA_FILE_INVALID',
      message: expect.stringContaining('line 3'),
      hint: expect.stringContaining('UTF-8'),
    });
    const utf16 = await failure(csv('utf16-bare.csv', Buffer.from('text,label\na,x\n', 'utf16le')));
    expect(utf16).toMatchObject({ code: 'DATA_FILE_INVALID', message: expect.stringContaining('NUL') });
  });

  it('duplicate headers: only when a mapped column is one of them', async () => {
    const file = await writtenFile(folder, 'twice.csv', 'text,label,text\na,x,b\n');
    const shape = await sniffFile(file, folder);
    const { mapping } = suggestMapping(shape, TaskKind.CLASSIFICATION);
    const error = await failure(
      Promise.resolve().then(() =>
        checkMapping(mapping, TaskKind.CLASSIFICATION, shape.columns, 'input.files.0.mapping'),
      ),
    );
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('2 columns named "text"') });
    checkMapping(
      { ...mapping, columns: { TEXT: 'label', LABEL: 'label' } },
      TaskKind.CLASSIFICATION,
      shape.columns,
      'm',
    );
  });

  it('a blank cell: ids are held against the split of their own row', async () => {
    const idOf = async (name: string, rows: string[]) => {
      const file = await writtenFile(folder, name, ['text,label,id,split', ...rows, ''].join('\n'));
      return suggestMapping(await sniffFile(file, folder), TaskKind.CLASSIFICATION).mapping.columns.ID;
    };
    const restarting = ['a,x,1,train', 'b,x,2,train', 'c,y,1,test', 'd,y,2,test'];
    expect(await idOf('restarting.csv', restarting)).toBe('id');
    expect(await idOf('restarting-blank.csv', ['z,x,,train', ...restarting])).toBe('id');
    expect(
      await idOf('twice-in-a-split.csv', ['z,x,,train', 'a,x,1,train', 'b,x,1,train', 'c,y,2,test']),
    ).toBeUndefined();
  });

  it('a mapping to a missing column: lists the columns that there are', async () => {
    const mapping = { columns: { [DataField.TEXT]: 'text', [DataField.LABEL]: 'lable' }, constants: {} } as FileMapping;
    const error = await failure(
      Promise.resolve().then(() => checkMapping(mapping, TaskKind.CLASSIFICATION, ['text', 'label'], 'm')),
    );
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('"text", "label"') });
  });

  it('a mapping that lacks a field, or has one of another task', async () => {
    const mapping = (columns: FileMapping['columns']) => ({ columns, constants: {} }) as FileMapping;
    const check = (columns: FileMapping['columns']) =>
      failure(Promise.resolve().then(() => checkMapping(mapping(columns), TaskKind.CLASSIFICATION, ['a', 'b'], 'm')));
    expect(await check({ TEXT: 'a' })).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('TEXT and LABEL'),
    });
    expect(await check({ TEXT: 'a', LABEL: 'b', ANSWER: 'b' })).toMatchObject({
      message: expect.stringContaining('ANSWER is no field'),
    });
  });

  it.each([
    ['nothing', ''],
    ['blank lines', '\n\n \n'],
  ])('0 rows: %s', async (name, content) => {
    expect(await failure(csv(`${name}.csv`, content))).toMatchObject({ code: 'DATA_FILE_INVALID' });
  });

  it('0 rows: a header alone', async () => {
    const mapping = { header: true, columns: { TEXT: 'text', LABEL: 'label' } };
    expect(await failure(csv('header.csv', 'text,label\n', mapping))).toMatchObject({
      code: 'DATA_FILE_INVALID',
      message: expect.stringContaining('no rows'),
    });
  });

  it('a ZIP bomb: archives are refused unopened', async () => {
    const zeros = deflateRawSync(Buffer.alloc(50_000_000));
    const local = Buffer.from('504b03041400000008000000000000000000', 'hex');
    const error = await failure(csv('bomb.csv', Buffer.concat([local, zeros])));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE', message: expect.stringContaining('ZIP') });
    expect(await failure(csv('bomb.gz', Buffer.concat([Buffer.from('1f8b08', 'hex'), zeros])))).toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
  });

  it('a Parquet bomb: what it unfolds to is read from its footer', async () => {
    const file = await parquetFile(
      folder,
      'bomb.parquet',
      `SELECT 'the same text' AS text, 'x' AS label FROM range(30000000)`,
    );
    expect(file.bytes).toBeLessThan(2_000_000);
    expect(await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file }] }))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
  });

  it('a truncated Parquet, one with a broken page, and what only claims to be Parquet', async () => {
    const whole = await parquetFile(
      folder,
      'whole.parquet',
      `SELECT md5(i::VARCHAR) AS text, 'l' || i % 3 AS label FROM range(20000) t(i)`,
    );
    expect((await made({ task: TaskKind.CLASSIFICATION, files: [{ file: whole }] })).report.rows).toBe(20_000);
    const bytes = await readFile(whole.path);
    const cut = await writtenFile(folder, 'cut.parquet', bytes.subarray(0, bytes.length / 2));
    expect(await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file: cut }] }))).toMatchObject({
      code: 'DATA_FILE_INVALID',
      message: expect.stringContaining('cut.parquet'),
    });
    const broken = Buffer.from(bytes);
    broken.fill(0xff, 400, 5000);
    const page = await writtenFile(folder, 'page.parquet', broken);
    expect(await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file: page }] }))).toMatchObject({
      code: 'DATA_FILE_INVALID',
    });
    const fake = await writtenFile(folder, 'fake.parquet', 'PAR1 is what I say');
    expect(await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file: fake }] }))).toMatchObject({
      code: 'DATA_FILE_INVALID',
    });
    // No path of the server may stand in what the user reads.
    expect((await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file: cut }] }))).message).not.toContain(
      folder,
    );
  });

  it('a line of 200 MB: stopped early, without holding it', async () => {
    const path = join(folder, 'long.csv');
    const out = createWriteStream(path);
    out.write('text,label\na,x\n');
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 200; i++) if (!out.write(piece)) await once(out, 'drain');
    out.end();
    await once(out, 'finish');
    const before = process.memoryUsage().rss;
    const mapping = { header: true, columns: { TEXT: 'text', LABEL: 'label' } };
    const error = await failure(
      made({ task: TaskKind.CLASSIFICATION, files: [{ file: await dataFile(path), mapping }] }),
    );
    expect(error).toMatchObject({ code: 'DATA_FILE_INVALID', message: expect.stringContaining('line 3') });
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    await truncate(path);
  });

  it('a quotation mark that is never closed says so', async () => {
    const path = join(folder, 'open.csv');
    await appendFile(path, 'text,label\n"a,x\n');
    for (let i = 0; i < 10; i++) await appendFile(path, 'word word word,y\n'.repeat(70_000));
    const mapping = { quotes: true, delimiter: ',', header: true, columns: { TEXT: 'text', LABEL: 'label' } };
    const error = await failure(
      made({ task: TaskKind.CLASSIFICATION, files: [{ file: await dataFile(path), mapping }] }),
    );
    expect(error).toMatchObject({
      code: 'DATA_FILE_INVALID',
      message: expect.stringContaining('line 2'),
      hint: expect.stringContaining('quotation mark'),
    });
  });

  it('JSON nested 5,000 deep, in lines and in an array', async () => {
    const deep = (open: string, close: string) => `{"text":${open.repeat(5_000)}1${close.repeat(5_000)},"label":"x"}\n`;
    for (const line of [deep('[', ']'), deep('{"a":', '}')])
      for (const [name, content] of [
        ['deep.jsonl', line.repeat(3)],
        ['deep.json', `[${line}]`],
      ] as const) {
        expect(await failure(csv(name, content))).toMatchObject({ code: 'DATA_FILE_INVALID' });
        expect(await failure(sniffFile(await writtenFile(folder, name, content), folder))).toMatchObject({
          code: 'DATA_FILE_INVALID',
        });
      }
  });

  it('JSON nested 5,000 deep behind what a look at the file sees', async () => {
    const flat = Array.from({ length: 12_000 }, (_, n) => `{"text":"row ${n} of them","label":"x"}`);
    const rows = [...flat, `{"text":${'['.repeat(5_000)}1${']'.repeat(5_000)},"label":"x"}`];
    for (const [name, content] of [
      ['deep.jsonl', rows.join('\n')],
      ['deep.json', `[${rows.join(',')}]`],
    ] as const)
      expect([name, await failure(csv(name, content))]).toMatchObject([name, { code: 'DATA_FILE_INVALID' }]);
  });

  it('JSON that is none, and paired files of unequal length', async () => {
    const file = await writtenFile(folder, 'broken.json', '[{"text": "a", "label": "x"}, {');
    expect(await failure(made({ task: TaskKind.CLASSIFICATION, files: [{ file }] }))).toMatchObject({
      code: 'DATA_FILE_INVALID',
    });
    const left = await writtenFile(folder, 'left.txt', 'one\ntwo\n');
    const right = await writtenFile(folder, 'right.txt', 'uno\n');
    const mapping = { format: DataFormat.LINES, columns: { SOURCE: 'column1', TARGET: 'column1' } };
    expect(
      await failure(made({ task: TaskKind.TRANSLATION, files: [{ file: left, pair: right, mapping }] })),
    ).toMatchObject({ code: 'DATA_FILE_INVALID', message: expect.stringContaining('right.txt has fewer rows') });
    const version = await made({
      task: TaskKind.TRANSLATION,
      files: [{ file: left, pair: await writtenFile(folder, 'right2.txt', 'uno\ndos'), mapping }],
    });
    expect(version.report.rows).toBe(2);
  });
});

describe('the table engine', () => {
  it('reads nothing but what it was given, writes nothing outside its folder, and cannot be unlocked', async () => {
    const own = join(folder, 'engine');
    await mkdir(own, { recursive: true });
    const secret = await writtenFile(folder, 'secret.csv', 'a\n1\n');
    const engine = await TableEngine.open({ folder: own });
    for (const sql of [
      `SELECT * FROM read_csv(${quote(secret.path)})`,
      `SELECT * FROM read_text('/etc/passwd')`,
      `COPY (SELECT 1) TO ${quote(join(folder, 'out.csv'))}`,
      `SET enable_external_access = true`,
      `SET memory_limit = '100GB'`,
      `INSTALL httpfs`,
      `LOAD httpfs`,
      `ATTACH ${quote(join(folder, 'x.db'))}`,
      `SELECT * FROM 'https://example.com/x.parquet'`,
    ])
      await expect(engine.run(sql)).rejects.toThrow(/disabled|locked|Permission/i);
    engine.close();
  });
});
