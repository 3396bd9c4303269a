import { parseJson } from '../../../src/sources/data/datasets/files/parse-json.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';
import { dataFolder, writtenFile } from '../../support/data-files.js';
import { made, rowsOf, storedRows } from '../../support/make-version.js';

const folder = await dataFolder();
const FIRST = 9_007_199_254_740_993n;
const ids = Array.from({ length: 30 }, (_, i) => String(FIRST + BigInt(i)));

describe('ids of 64 bits in JSON', () => {
  const columns = { ID: 'id', TEXT: 'text', LABEL: 'label', SUBJECT: 'user.id', GROUP: 'thread' };
  const rows = ids.map((id) => `{"id":${id},"text":"text of ${id}","label":"x","user":{"id":${id}},"thread":-${id}}`);

  it.each([
    ['lines.jsonl', rows.join('\n')],
    ['array.json', `[\n${rows.join(',\n')}]`],
  ])('stay apart, digit by digit (%s)', async (name, content) => {
    const file = await writtenFile(folder, name, content);
    const stored = await storedRows(
      await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping: { columns } }] }),
    );
    expect(stored.map(({ key }) => key)).toEqual(ids);
    expect(stored.map(({ subject }) => subject)).toEqual(ids);
    expect(stored.map((row) => row.group_key)).toEqual(ids.map((id) => `-${id}`));
  });

  it('stay apart in SQuAD’s form', async () => {
    const qas = ids
      .slice(0, 2)
      .map((id) => `{"id":${id},"question":"Who ${id}?","answers":[{"text":"Ada","answer_start":0}]}`);
    const squad = `{"data":[{"title":"t","paragraphs":[{"context":"Ada did.","qas":[${qas.join(',')}]}]}]}`;
    const file = await writtenFile(folder, 'squad.json', squad);
    const mapping = { columns: { ID: 'id', QUESTION: 'question', CONTEXT: 'context', ANSWERS: 'answers' } };
    const version = await made({ task: TaskKind.QUESTION_ANSWERING, files: [{ file, mapping }] });
    expect((await storedRows(version)).map(({ key }) => key)).toEqual(ids.slice(0, 2));
  });
});

it('a number that may have lost digits is no key, but a problem of its row', async () => {
  const numbers = ['1e20', '9007199254740993.0', '1e999', '[1e20]', '12', '1.5'];
  for (const [field, column] of [
    ['ID', 'id'],
    ['GROUP', 'thread'],
    ['SUBJECT', 'user'],
    ['ENTITY', 'plant'],
  ] as const) {
    const lines = numbers.map((number, i) => `{"text":"text ${i}","label":"x","${column}":${number}}`);
    const file = await writtenFile(folder, `${column}.jsonl`, lines.join('\n'));
    const mapping = { columns: { TEXT: 'text', LABEL: 'label', [field]: column } };
    const version = await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping }] });
    expect(rowsOf(version, 'wrong-type')).toEqual([1, 2, 3, 4]);
    expect(version.report.problems.find((p) => p.rule === 'wrong-type')!.rows[0]!.note).toMatch(`${field} is a number`);
  }
});

describe('parseJson', () => {
  const big = String(FIRST);

  it('turns only whole numbers beyond 2^53 into text, wherever they stand', () => {
    expect(parseJson(`[${big}, -${big}, {"a": ${big}}, 9007199254740991, 0.${big}, 1.5e300, ${big}.5]`)).toEqual([
      big,
      `-${big}`,
      { a: big },
      Number.MAX_SAFE_INTEGER,
      Number(`0.${big}`),
      1.5e300,
      Number(`${big}.5`),
    ]);
  });

  it('leaves texts as they are, whatever digits, quotation marks and escapes they hold', () => {
    const texts = [`${big}`, `", ${big}, "`, `\\", ${big}`, `\\\\`, `\n${big}`, '\u2028'];
    for (const value of texts)
      expect(parseJson(JSON.stringify([value]).replace(/\]$/, `,${big}]`))).toEqual([value, big]);
  });

  it('takes no more for JSON than JSON.parse does', () => {
    for (const text of [`{${big}:1}`, `0${big}`, `[${big} 1]`, `${big}x`, `--${big}`])
      expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('reads a record as long as records may be', () => {
    const long = '1'.repeat(8 * 1024 * 1024);
    expect(parseJson(`["${long}",${big}]`)).toEqual([long, big]);
    expect(parseJson(`[${long},${big}]`)).toEqual([Number.POSITIVE_INFINITY, big]);
    expect(parseJson(`["${'\\n'.repeat(4 * 1024 * 1024)}",${big}]`)).toEqual([expect.any(String), big]);
  });
});
