import { buildRow } from '../../../src/sources/data/datasets/importing/build-row.js';
import { DataFormat } from '../../../src/sources/data/datasets/files/formats.js';
import type { DataField, FileMapping } from '../../../src/sources/data/datasets/importing/mapping.js';
import { openRecords, zipRecords } from '../../../src/sources/data/datasets/files/open-records.js';
import { sniffFile } from '../../../src/sources/data/datasets/files/sniff.js';
import { suggestMapping } from '../../../src/sources/data/datasets/importing/suggest.js';
import { TaskKind, type TaskRow } from '../../../src/sources/data/datasets/tasks/index.js';
import { dataFile, describeWithDatasets, dataFolder } from '../../support/data-files.js';

async function importAll(path: string, task?: TaskKind) {
  const folder = await dataFolder();
  const file = await dataFile(path);
  const suggestion = suggestMapping(await sniffFile(file, folder), task);
  const fields = Object.keys(suggestion.mapping.columns) as DataField[];
  const wanted = Object.values(suggestion.mapping.columns);
  const rows: TaskRow[] = [];
  const notes: string[] = [];
  const faults: string[] = [];
  for await (const batch of openRecords(file, suggestion.mapping, wanted, folder))
    for (const record of batch) {
      if (record.fault) faults.push(record.fault.rule);
      else {
        const built = buildRow(
          suggestion.task!,
          Object.fromEntries(fields.map((f, i) => [f, record.values[i]])),
          suggestion.mapping,
        );
        if ('fault' in built) faults.push(built.fault.rule);
        else {
          rows.push(built.row);
          notes.push(...built.notes.map((n) => n.rule));
        }
      }
    }
  return { ...suggestion, rows, notes, faults };
}

describeWithDatasets('importers on the public files', (datasets) => {
  it('reads BANKING77 as classification, with its header and its ten texts that hold line ends', async () => {
    const train = await importAll(`${datasets}/banking77-train.csv`);
    expect(train.task).toBe(TaskKind.CLASSIFICATION);
    expect(train.mapping).toMatchObject({
      format: DataFormat.DELIMITED,
      delimiter: ',',
      header: true,
      columns: { TEXT: 'text', LABEL: 'category' },
    });
    expect(train.rows).toHaveLength(10_003);
    expect(train.rows.filter((r) => r.task === TaskKind.CLASSIFICATION && r.text.includes('\n'))).toHaveLength(10);
    expect(new Set(train.rows.map((r) => r.task === TaskKind.CLASSIFICATION && r.label)).size).toBe(77);
    expect(train.faults).toEqual([]);
    expect((await importAll(`${datasets}/banking77-test.csv`)).rows).toHaveLength(3_080);
  });

  it('reads SST-2 as classification without header', async () => {
    const train = await importAll(`${datasets}/sst2-train.tsv`);
    expect(train.mapping).toMatchObject({
      delimiter: '\t',
      header: false,
      columns: { TEXT: 'column1', LABEL: 'column2' },
    });
    expect(train.rows).toHaveLength(6_920);
    expect(train.rows[0]).toMatchObject({ text: expect.stringMatching(/^a stirring/), label: '1' });
    expect((await importAll(`${datasets}/sst2-dev.tsv`)).rows).toHaveLength(872);
    expect((await importAll(`${datasets}/sst2-test.tsv`)).rows).toHaveLength(1_821);
  });

  it('reads CoNLL++ as extraction, places its mentions and reports the ambiguous rows', async () => {
    const { task, mapping, rows, notes, faults } = await importAll(`${datasets}/conllpp.csv`);
    expect(task).toBe(TaskKind.EXTRACTION);
    expect(mapping.columns).toMatchObject({ TEXT: 'input', ENTITIES: 'output', SPLIT: 'raw_split' });
    expect(rows).toHaveLength(20_744);
    expect(faults).toEqual([]);
    for (const row of rows)
      if (row.task === TaskKind.EXTRACTION)
        for (const e of row.entities) expect(row.text.slice(e.start, e.end)).toBe(e.text);
    expect(notes.filter((rule) => rule === 'entity-not-found').length).toBeLessThan(20);
    const ambiguous = notes.filter((rule) => rule === 'entity-ambiguous').length;
    console.log(`CoNLL++: ${ambiguous} ambiguous rows, ${notes.length - ambiguous} with a mention that is not there`);
    expect(ambiguous).toBeGreaterThan(0);
  });

  it('reads XQuAD as question answering with spans that match', async () => {
    for (const language of ['en', 'es']) {
      const { task, mapping, rows } = await importAll(`${datasets}/xquad.${language}.json`);
      expect(task).toBe(TaskKind.QUESTION_ANSWERING);
      expect(mapping.columns.GROUP).toBe('title');
      expect(rows).toHaveLength(1_190);
      for (const row of rows)
        if (row.task === TaskKind.QUESTION_ANSWERING) {
          expect(row.spans).toHaveLength(1);
          for (const span of row.spans!) expect(row.context!.slice(span.start, span.end)).toBe(span.text);
        }
    }
  });

  it('pairs the English and the Spanish XQuAD into translations', async () => {
    const folder = await dataFolder();
    const en = await dataFile(`${datasets}/xquad.en.json`);
    const es = await dataFile(`${datasets}/xquad.es.json`);
    const { mapping } = suggestMapping(await sniffFile(en, folder), TaskKind.TRANSLATION);
    const read = (file: typeof en) => ({ file, records: openRecords(file, mapping, ['text', 'id'], folder) });
    const pairs: unknown[][] = [];
    for await (const batch of zipRecords(read(en), read(es))) pairs.push(...batch.map((r) => r.values));
    expect(pairs).toHaveLength(240 + 1_190);
    expect(pairs.filter(([, id, , other]) => !String(id).includes('#') && id !== other)).toEqual([]);
    expect(pairs[1]).toMatchObject([
      expect.stringMatching(/^How many points/),
      expect.anything(),
      expect.stringMatching(/^¿/),
      expect.anything(),
    ]);
  });
});

const mapping: FileMapping = {
  format: DataFormat.JSONL,
  encoding: 'utf-8',
  delimiter: null,
  quotes: false,
  header: false,
  columns: {},
  constants: {},
  splitValues: {},
  labelValues: {},
  offsets: 'CODE_POINTS',
};

describe('buildRow', () => {
  it('counts code points where the set does', () => {
    const entities = [{ start: 2, end: 5, label: 'person' }];
    expect(buildRow(TaskKind.EXTRACTION, { TEXT: '😀 Ada', ENTITIES: entities }, mapping)).toMatchObject({
      row: { entities: [{ text: 'Ada', start: 3, end: 6, type: 'person' }] },
    });
    expect(
      buildRow(TaskKind.EXTRACTION, { TEXT: '😀 Ada', ENTITIES: [[3, 6, 'person']] }, { ...mapping, offsets: 'UTF16' }),
    ).toMatchObject({ row: { entities: [{ text: 'Ada' }] } });
  });

  it('takes tokens and tags as lists or as words between blanks', () => {
    for (const [TOKENS, TAGS] of [
      [
        ['Ada', 'met'],
        ['B-PER', 'O'],
      ],
      ['Ada met', 'B-PER O'],
      ['["Ada","met"]', '["B-PER","O"]'],
    ])
      expect(buildRow(TaskKind.EXTRACTION, { TOKENS, TAGS }, mapping)).toMatchObject({
        row: { text: 'Ada met', entities: [{ text: 'Ada' }] },
      });
  });

  it('takes the answers of SQuAD and of its Parquet copies', () => {
    const expected = { row: { answer: 'b', spans: [{ text: 'b', start: 2, end: 3 }] } };
    expect(
      buildRow(
        TaskKind.QUESTION_ANSWERING,
        { QUESTION: 'q', CONTEXT: 'a b', ANSWERS: [{ text: 'b', answer_start: 2 }] },
        mapping,
      ),
    ).toMatchObject(expected);
    expect(
      buildRow(
        TaskKind.QUESTION_ANSWERING,
        { QUESTION: 'q', CONTEXT: 'a b', ANSWERS: { text: ['b'], answer_start: [2] } },
        mapping,
      ),
    ).toMatchObject(expected);
  });

  it('takes messages in both common forms, and prompt with response', () => {
    const row = {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    };
    expect(
      buildRow(
        TaskKind.INSTRUCTION,
        {
          MESSAGES: [
            { from: 'human', value: 'a' },
            { from: 'gpt', value: 'b' },
          ],
        },
        mapping,
      ),
    ).toMatchObject({ row });
    expect(buildRow(TaskKind.INSTRUCTION, { PROMPT: 'a', RESPONSE: 'b' }, mapping)).toMatchObject({ row });
  });

  it('says what is wrong with a record in place of a row', () => {
    expect(buildRow(TaskKind.CLASSIFICATION, { TEXT: 'a' }, mapping)).toMatchObject({
      fault: { rule: 'missing-value' },
    });
    expect(buildRow(TaskKind.CLASSIFICATION, { TEXT: ['a'], LABEL: 'x' }, mapping)).toMatchObject({
      fault: { rule: 'wrong-type' },
    });
    expect(buildRow(TaskKind.EXTRACTION, { TOKENS: ['a', 'b'], TAGS: ['O'] }, mapping)).toMatchObject({
      fault: { rule: 'wrong-type' },
    });
    expect(buildRow(TaskKind.QUESTION_ANSWERING, { QUESTION: 'q', ANSWERS: [] }, mapping)).toMatchObject({
      fault: { rule: 'missing-value' },
    });
  });

  it('loses no entity unsaid: one with neither text nor offsets is a fault of its row', () => {
    const build = (entity: object) =>
      buildRow(TaskKind.EXTRACTION, { TEXT: 'Ada met Bob', ENTITIES: [entity] }, mapping);
    for (const unplaced of [
      { label: 'person' },
      { label: 'person', start: '0', end: '3' },
      { label: 'person', text: '' },
    ])
      expect(build(unplaced)).toMatchObject({
        fault: { rule: 'wrong-type', message: expect.stringContaining('offsets') },
      });
    expect(build({ label: 'person', text: 'Bob' })).toMatchObject({ row: { entities: [{ start: 8, end: 11 }] } });
  });

  it('takes where an answer starts also from text', () => {
    const values = { QUESTION: 'q', CONTEXT: 'a b', ANSWERS: [{ text: 'b', answer_start: '2' }] };
    expect(buildRow(TaskKind.QUESTION_ANSWERING, values, mapping)).toMatchObject({ row: { spans: [{ start: 2 }] } });
  });

  it('gives coded labels their names', () => {
    expect(
      buildRow(TaskKind.CLASSIFICATION, { TEXT: 'a', LABEL: 0 }, { ...mapping, labelValues: { 0: 'negative' } }),
    ).toMatchObject({ row: { label: 'negative' } });
  });
});
