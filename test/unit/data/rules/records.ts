import { Split } from '../../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { writtenFile } from '../../../support/data-files.js';
import { made, rowsOf, type Wishes } from '../../../support/make-version.js';
import { classified, folder, fruits, jsonl, rule } from './kit.js';

describe('rules on single records', () => {
  rule('ragged-row', 'names the record with a cell too many and keeps it, quarantined', async () => {
    const file = await writtenFile(folder, 'ragged.csv', 'text,label\na,x\nb,y,z\nc,x\n');
    const version = await made({ task: TaskKind.CLASSIFICATION, files: [{ file }] });
    expect(rowsOf(version, 'ragged-row')).toEqual([2]);
    expect(version.report.problems[0]).toMatchObject({
      quarantined: 1,
      example: 'b,y,z',
      rows: [{ line: 3, note: 'It has 3 cells instead of 2.' }],
    });
    expect(version.report).toMatchObject({ rows: 3, usableRows: 2, quarantinedRows: 1 });
  });

  rule('malformed-record', 'names a quotation mark that is closed too early, and a line that is no JSON', async () => {
    const csv = await writtenFile(folder, 'quotes.csv', 'text,label\n"a"b,x\nc,y\n');
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file: csv }] }), 'malformed-record')).toEqual([
      1,
    ]);
    const json = await writtenFile(folder, 'broken.jsonl', '{"text":"a","label":"x"}\n{"text":"b"\n');
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file: json }] }), 'malformed-record')).toEqual([
      2,
    ]);
  });

  rule('missing-value', 'names a row without label', async () => {
    const file = await jsonl([{ text: 'a', label: 'x' }, { text: 'b' }, { text: 'c', label: null }]);
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file }] }), 'missing-value')).toEqual([2, 3]);
  });

  rule('wrong-type', 'names a text that is a list', async () => {
    const file = await jsonl([
      { text: 'a', label: 'x' },
      { text: ['b'], label: 'x' },
    ]);
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file }] }), 'wrong-type')).toEqual([2]);
  });

  rule('unknown-split', 'names a split that is none', async () => {
    const file = await jsonl([
      { text: 'a', label: 'x', split: 'train' },
      { text: 'b', label: 'y', split: 'holdout' },
    ]);
    const mapping = { columns: { TEXT: 'text', LABEL: 'label', SPLIT: 'split' } };
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping }] }), 'unknown-split')).toEqual([
      2,
    ]);
    const mapped = { ...mapping, splitValues: { holdout: 'test' } };
    expect((await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping: mapped }] })).counts).toMatchObject({
      train: 1,
      test: 1,
    });
  });

  rule('bad-time', 'names an event time that is none', async () => {
    const file = await jsonl([
      { text: 'a', label: 'x', at: '2026-01-05' },
      { text: 'b', label: 'y', at: 'yesterday' },
    ]);
    const mapping = { columns: { TEXT: 'text', LABEL: 'label', EVENT_TIME: 'at' } };
    expect(rowsOf(await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping }] }), 'bad-time')).toEqual([2]);
  });

  rule('duplicate-id', 'keeps the first of two rows with one id', async () => {
    const file = await jsonl([
      { id: 'r1', text: 'a', label: 'x' },
      { id: 'r1', text: 'b', label: 'y' },
    ]);
    const mapping = { columns: { ID: 'id', TEXT: 'text', LABEL: 'label' } };
    const version = await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping }] });
    expect(rowsOf(version, 'duplicate-id')).toEqual([2]);
    expect(version.report.quarantinedRows).toBe(1);
  });

  it('ids that begin anew in each split are no duplicates', async () => {
    const split = (name: string) => [
      { id: 0, text: `${name}: the apple is ripe`, label: 'fruit', split: name },
      { id: 1, text: `${name}: cabbage needs a lot of water`, label: 'vegetable', split: name },
    ];
    const inOneFile = [...split('train'), ...split('validation'), ...split('test')];
    const columns = { ID: 'id', TEXT: 'text', LABEL: 'label' };
    const duplicates = async (files: Wishes['files']) =>
      rowsOf(await made({ task: TaskKind.CLASSIFICATION, files }), 'duplicate-id');
    const byColumn = { columns: { ...columns, SPLIT: 'split' } };
    expect(await duplicates([{ file: await jsonl(inOneFile), mapping: byColumn }])).toEqual([]);
    const byFile = [Split.TRAIN, Split.TEST].map(async (name) => ({
      file: await jsonl(split(name)),
      split: name,
      mapping: { columns },
    }));
    expect(await duplicates(await Promise.all(byFile))).toEqual([]);
    // Within one split they are, and so they are when not all splits were given.
    expect(await duplicates([{ file: await jsonl([...inOneFile, ...split('test')]), mapping: byColumn }])).toEqual([
      7, 8,
    ]);
    expect(await duplicates([{ file: await jsonl(inOneFile), mapping: { columns } }])).toEqual([3, 4, 5, 6]);
    const unsaid = { ...split('some')[0], split: null };
    expect(await duplicates([{ file: await jsonl([...inOneFile, unsaid]), mapping: byColumn }])).toEqual([3, 5, 7]);
  });

  rule('empty-field', 'names blank texts and labels', async () => {
    expect(rowsOf(await classified([...fruits, [' \n', 'fruit'], ['text', ' ']]), 'empty-field')).toEqual([5, 6]);
  });

  rule('too-long', 'counts with the model’s tokenizer, and only where bytes leave a doubt', async () => {
    const asked: string[] = [];
    const countTokens = (texts: string[]) => {
      asked.push(...texts);
      return Promise.resolve(texts.map((text) => text.split(' ').length));
    };
    const version = await classified([...fruits, ['word '.repeat(40), 'fruit'], ['x'.repeat(200), 'fruit']], {
      countTokens,
      settings: { maxTokens: 30 },
    });
    expect(rowsOf(version, 'too-long')).toEqual([5]);
    expect(asked).toHaveLength(2);
    expect(
      rowsOf(await classified([...fruits, ['word '.repeat(40), 'fruit']], { settings: { maxTokens: 30 } }), 'too-long'),
    ).toEqual([5]);
  });

  rule('broken-text', 'names replacement and control characters', async () => {
    expect(rowsOf(await classified([...fruits, ['caf\ufffd', 'fruit'], ['a\u0007b', 'fruit']]), 'broken-text')).toEqual(
      [5, 6],
    );
  });

  rule('misread-text', 'names UTF-8 read as something else, and invisible marks', async () => {
    expect(
      rowsOf(
        await classified([
          ...fruits,
          ['el niÃ±o come', 'fruit'],
          ['\ufeffthe pear', 'fruit'],
          ['Âme São Ângela', 'fruit'],
        ]),
        'misread-text',
      ),
    ).toEqual([5, 6]);
  });

  rule('chat-template-token', 'names texts that were formatted before', async () => {
    const texts = [
      '<|im_start|>user hi',
      'x [INST] y',
      '<s>hi</s>',
      '<start_of_turn>user',
      'a < b | c > d',
      '[1] see <b>',
    ];
    expect(rowsOf(await classified(texts.map((text) => [text, 'fruit'])), 'chat-template-token')).toEqual([1, 2, 3, 4]);
  });

  rule('personal-data', 'warns of addresses and numbers, and masks them in its own examples', async () => {
    const version = await classified([...fruits, ['mail ada@example.com or +44 20 7946 0958', 'fruit']]);
    const problem = version.report.problems.find((p) => p.rule === 'personal-data')!;
    expect(problem).toMatchObject({ count: 1, quarantined: 0, example: 'mail [EMAIL] or [PHONE]' });
    const masked = await classified([...fruits, ['mail ada@example.com', 'fruit']], {
      recipe: { steps: ['MASK_PII'] },
    });
    expect(rowsOf(masked, 'personal-data')).toEqual([]);
  });

  rule('secret', 'keeps cards with a right check digit, accounts and keys out of training', async () => {
    const version = await classified([
      ...fruits,
      ['pay with 4111 1111 1111 1111', 'fruit'],
      ['pay with 4111 1111 1111 1112', 'fruit'],
      ['AKIAIOSFODNN7EXAMPLE', 'fruit'],
    ]);
    expect(rowsOf(version, 'secret')).toEqual([5, 7]);
    expect(version.report.quarantinedRows).toBe(2);
    expect(JSON.stringify(version.report)).not.toMatch(/4111 1111 1111 1111|AKIAIOSFODNN7EXAMPLE/);
  });
});
