import { Split } from '../../../src/data/importing/splits.js';
import { RULES } from '../../../src/data/validation/rules/index.js';
import { TaskKind } from '../../../src/data/tasks/index.js';
import { temporaryFolder, writtenFile } from '../../support/data-files.js';
import { made, rowsOf, type Wishes } from '../../support/make-version.js';

const folder = await temporaryFolder();
let files = 0;

const jsonl = (rows: object[], name = `rows-${++files}.jsonl`) =>
  writtenFile(folder, name, rows.map((row) => JSON.stringify(row)).join('\n'));

/** Version of rows given as [text, label], all for training. */
async function classified(rows: [string, string][], wishes: Partial<Wishes> = {}) {
  const file = await jsonl(rows.map(([text, label]) => ({ text, label })));
  return made({ task: TaskKind.CLASSIFICATION, files: [{ file, split: Split.TRAIN }], ...wishes });
}

const tested = new Set<string>();
/** A test of one rule; at the end all rules must have one. */
const rule = (id: string, promise: string, body: () => Promise<void>) => {
  tested.add(id);
  it(`${id}: ${promise}`, body);
};

const fruits: [string, string][] = [
  ['the apple is ripe and red', 'fruit'],
  ['a carrot grows underground', 'vegetable'],
  ['bananas are yellow when ripe', 'fruit'],
  ['cabbage needs a lot of water', 'vegetable'],
];

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
      recipe: { steps: ['MASK_PII' as never] },
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

describe('rules on entities', () => {
  const extraction = async (rows: object[]) =>
    made({ task: TaskKind.EXTRACTION, files: [{ file: await jsonl(rows), split: Split.TRAIN }] });

  rule('offset-mismatch', 'compares the text at the offsets', async () => {
    const right = { text: 'Ada met Bob', entities: [{ start: 0, end: 3, text: 'Ada', type: 'P' }] };
    const wrong = { text: 'Then Bob left', entities: [{ start: 4, end: 7, text: 'Bob', type: 'P' }] };
    const beyond = { text: 'short', entities: [{ start: 3, end: 9, type: 'P' }] };
    expect(
      rowsOf(
        await extraction([right, wrong, beyond, { text: 'none', entities: [{ start: 2, end: 2, type: 'P' }] }]),
        'offset-mismatch',
      ),
    ).toEqual([2, 4]);
  });

  rule('overlapping-entities', 'names entities that share characters', async () => {
    const entities = [
      { start: 0, end: 8, type: 'LOC' },
      { start: 4, end: 14, type: 'ORG' },
    ];
    expect(rowsOf(await extraction([{ text: 'New York Times', entities }]), 'overlapping-entities')).toEqual([1]);
  });

  rule('entity-not-found', 'names listed mentions that are not there', async () => {
    const version = await extraction([
      { text: 'Ada met Bob', entities: { P: ['Ada'] } },
      { text: 'nobody', entities: { P: ['Eve'] } },
    ]);
    expect(rowsOf(version, 'entity-not-found')).toEqual([2]);
    expect(version.report.quarantinedRows).toBe(1);
  });

  rule('entity-ambiguous', 'names mentions that could stand elsewhere', async () => {
    expect(rowsOf(await extraction([{ text: 'Ada met Ada', entities: { P: ['Ada'] } }]), 'entity-ambiguous')).toEqual([
      1,
    ]);
  });
});

describe('rules on labels', () => {
  const many = (label: string, n: number, word: string): [string, string][] =>
    Array.from({ length: n }, (_, i) => [`${word} number ${i * 7919} of ${word}s`, label]);

  rule('label-variant', 'finds labels that differ in case only and quarantines the rarer one', async () => {
    const version = await classified([...fruits, ['plums are blue', 'Fruit'], ['leek is long', 'vege table']]);
    expect(rowsOf(version, 'label-variant')).toEqual([5, 6]);
    expect(version.statistics.labels.map((l) => l.label).sort()).toEqual(['fruit', 'vegetable']);
  });

  rule('label-typo', 'finds a rare label one slip away from a common one, but not numbered ones', async () => {
    const version = await classified([
      ...many('billing', 30, 'invoice'),
      ['my invoice is wrong', 'biling'],
      ...many('level1', 30, 'stair'),
      ['step two', 'level2'],
    ]);
    expect(rowsOf(version, 'label-typo')).toEqual([31]);
  });

  rule('unknown-label', 'holds labels against the declared ones', async () => {
    expect(
      rowsOf(
        await classified([...fruits, ['a stone', 'mineral']], { settings: { labels: ['fruit', 'vegetable'] } }),
        'unknown-label',
      ),
    ).toEqual([5]);
  });

  rule('rare-label', 'warns of labels with too few rows', async () => {
    expect(
      rowsOf(
        await classified([...many('a', 12, 'apple'), ['one pear', 'pear']], { settings: { minRowsPerLabel: 5 } }),
        'rare-label',
      ),
    ).toEqual([13]);
  });

  rule('single-class', 'makes a version of one class unusable', async () => {
    const version = await classified([
      ['a', 'x'],
      ['b', 'x'],
    ]);
    expect(version.report.openErrors).toBe(1);
    expect(version.report.problems.find((p) => p.rule === 'single-class')?.findings[0]?.message).toContain('"x"');
  });

  rule('imbalance', 'names the largest and the smallest class', async () => {
    const version = await classified([...many('big', 100, 'apple'), ...many('small', 2, 'pear')]);
    expect(version.report.problems.find((p) => p.rule === 'imbalance')?.findings[0]).toMatchObject({
      subject: 'small',
      value: 50,
    });
  });

  rule('suspect-label', 'finds rows whose label all others contradict', async () => {
    const rows = [...many('pay', 60, 'invoice'), ...many('ship', 60, 'parcel')];
    rows[7] = [rows[7]![0], 'ship'];
    rows[90] = [rows[90]![0], 'pay'];
    expect(rowsOf(await classified(rows), 'suspect-label')).toEqual([8, 91]);
  });
});

describe('rules on copies', () => {
  const long = 'my card has been stuck in the machine since this morning';

  rule('exact-duplicate', 'names the later copy of text and label; DEDUPLICATE removes it', async () => {
    const rows: [string, string][] = [...fruits, ['the  apple is ripe and red ', 'fruit']];
    expect(rowsOf(await classified(rows), 'exact-duplicate')).toEqual([5]);
    const version = await classified(rows, { recipe: { steps: ['DEDUPLICATE' as never] } });
    expect(version.statistics.deduplicated).toBe(1);
    expect(version.report.rows).toBe(4);
    expect(rowsOf(version, 'exact-duplicate')).toEqual([]);
  });

  rule('near-duplicate', 'names the same words in other spelling and nearly the same text', async () => {
    expect(
      rowsOf(
        await classified([
          ...fruits,
          [long, 'fruit'],
          [`${long.toUpperCase()}!`, 'fruit'],
          [long.replace('morning', 'evening'), 'fruit'],
        ]),
        'near-duplicate',
      ),
    ).toEqual([6, 7]);
  });

  rule('contradicting-label', 'quarantines both rows for training and spares the test split', async () => {
    const version = await classified([...fruits, [long, 'fruit'], [`${long}.`, 'vegetable']]);
    expect(rowsOf(version, 'contradicting-label')).toEqual([5, 6]);
    expect(version.report.quarantinedRows).toBe(2);
    const test = await made({
      task: TaskKind.CLASSIFICATION,
      files: [
        {
          file: await jsonl([
            { text: long, label: 'a' },
            { text: long, label: 'b' },
            { text: 'other', label: 'b' },
          ]),
          split: Split.TEST,
        },
      ],
    });
    expect(test.report.problems.find((p) => p.rule === 'contradicting-label')).toMatchObject({
      count: 2,
      quarantined: 0,
    });
  });

  rule('near-contradiction', 'warns of near duplicates with different labels', async () => {
    expect(
      rowsOf(
        await classified([...fruits, [long, 'fruit'], [long.replace('morning', 'evening'), 'vegetable']]),
        'near-contradiction',
      ),
    ).toEqual([5, 6]);
  });

  const leaky = async (train: string, test: string) => {
    const rows = (text: string) =>
      jsonl(
        [...fruits.map(([t, label]) => ({ text: `${t} ${text.length}`, label })), { text, label: 'fruit' }].slice(-1),
      );
    return made({
      task: TaskKind.CLASSIFICATION,
      files: [
        { file: await rows(train), split: Split.TRAIN },
        { file: await jsonl(fruits.map(([text, label]) => ({ text, label }))), split: Split.TRAIN },
        { file: await rows(test), split: Split.TEST },
      ],
    });
  };

  rule('split-leak', 'quarantines the copy for training and leaves the test split whole', async () => {
    const version = await leaky(long, `${long}!`);
    expect(version.report.problems.find((p) => p.rule === 'split-leak')).toMatchObject({
      count: 1,
      quarantined: 1,
      rows: [{ file: 0, row: 1, related: { file: 2, row: 1 } }],
    });
    expect(version.counts).toMatchObject({ train: 4, test: 1 });
  });

  rule('near-split-leak', 'does so for nearly the same text', async () => {
    const version = await leaky(long, long.replace('morning', 'evening'));
    expect(version.report.problems.find((p) => p.rule === 'near-split-leak')).toMatchObject({
      count: 1,
      quarantined: 1,
      rows: [{ file: 0 }],
    });
    expect(version.counts).toMatchObject({ train: 4, test: 1 });
  });

  it('questions on one context are no duplicates, the same question on another context neither', async () => {
    const rows = ['a', 'b'].flatMap((c) =>
      [1, 2].map((n) => ({
        question: `What is said about number ${n} in this text?`,
        context: `context ${c}`,
        answer: 'x',
      })),
    );
    const version = await made({
      task: TaskKind.QUESTION_ANSWERING,
      files: [{ file: await jsonl(rows), split: Split.TRAIN }],
    });
    expect(rowsOf(version, 'exact-duplicate')).toEqual([]);
    expect(rowsOf(version, 'near-duplicate')).toEqual([2, 4]);
  });
});

describe('rules on languages', () => {
  const english = Array.from({ length: 30 }, (_, i): [string, string] => [
    `This is the sentence number ${i} about the weather in town`,
    i % 2 ? 'a' : 'b',
  ]);

  rule('language-mix', 'names rows in another language than the rest', async () => {
    expect(
      rowsOf(
        await classified([...english, ['El sensor de humedad marca siempre cero desde ayer por la tarde', 'a']]),
        'language-mix',
      ),
    ).toEqual([31]);
  });

  rule('wrong-language', 'names sides that are not in their language', async () => {
    const file = await jsonl([
      { en: 'The weather is very nice in the town today', es: 'El tiempo es muy agradable hoy en la ciudad' },
      { en: 'El sensor de humedad marca siempre cero', es: 'The humidity sensor always shows the value zero' },
    ]);
    expect(rowsOf(await made({ task: TaskKind.TRANSLATION, files: [{ file }] }), 'wrong-language')).toEqual([2]);
  });
});

describe('rules on versions', () => {
  const rows = (n: number, text: (i: number) => string, label: (i: number) => string) =>
    Array.from({ length: n }, (_, i): [string, string] => [text(i), label(i)]);

  rule('field-drift', 'compares lengths with the version before', async () => {
    const before = await classified(
      rows(
        200,
        (i) => `short text ${'x'.repeat(i % 20)} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
    );
    const parent = before.rowGroups.map((g) => g.path);
    const longer = await classified(
      rows(
        200,
        (i) => `a much longer text ${'word '.repeat(20 + (i % 20))} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
      { parent },
    );
    expect(longer.report.problems.find((p) => p.rule === 'field-drift')?.findings.map((f) => f.subject)).toContain(
      'text length',
    );
    const same = await classified(
      rows(
        200,
        (i) => `short text ${'y'.repeat(i % 20)} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
      { parent },
    );
    expect(same.report.problems.find((p) => p.rule === 'field-drift')).toBeUndefined();
  });

  rule('label-drift', 'compares the shares of labels with the version before', async () => {
    const text = (i: number) => `a text about ${i}`;
    const before = await classified(rows(200, text, (i) => (i % 2 ? 'a' : 'b')));
    const after = await classified(
      rows(200, text, (i) => (i % 5 ? 'a' : 'b')),
      { parent: before.rowGroups.map((g) => g.path) },
    );
    expect(after.report.problems.find((p) => p.rule === 'label-drift')?.findings).toHaveLength(1);
  });
});

it('every rule has a test that plants its fault', () => {
  expect([...RULES.keys()].filter((id) => !tested.has(id))).toEqual([]);
});
