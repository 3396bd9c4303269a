import { DataFormat } from '../../../src/sources/data/datasets/files/formats.js';
import { buildRow } from '../../../src/sources/data/datasets/importing/build-row.js';
import type { DataField } from '../../../src/sources/data/datasets/importing/mapping.js';
import { suggestMapping, type Suggestion } from '../../../src/sources/data/datasets/importing/suggest.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';

/** What is suggested for a file of these objects, which have the same columns. */
function suggested(rows: Record<string, unknown>[], task?: TaskKind): Suggestion {
  const columns = Object.keys(rows[0]!);
  const sample = rows.map((row) => columns.map((column) => row[column]));
  const read = { format: DataFormat.JSONL, encoding: 'utf-8', delimiter: null, quotes: false, header: false } as const;
  return suggestMapping({ ...read, columns, sample }, task);
}

/** The messages that a record becomes. */
function messagesOf(record: Record<string, unknown>): unknown {
  const { task, mapping } = suggested([record], TaskKind.INSTRUCTION);
  const columns = Object.entries(mapping.columns) as [DataField, string][];
  const values = Object.fromEntries(columns.map(([field, column]) => [field, record[column]]));
  const built = buildRow(task!, values, mapping);
  return 'row' in built && built.row.task === TaskKind.INSTRUCTION ? built.row.messages : built;
}

const talk = (user: string, assistant: string) => [
  { role: 'user', content: user },
  { role: 'assistant', content: assistant },
];

describe('instructions', () => {
  const alpaca = Array.from({ length: 20 }, (_, i) => ({
    instruction: `Sum up text ${i}`,
    input: i % 2 ? '' : `text ${i} has words`,
    output: `words ${i}`,
  }));

  it('are no translations, though their answers recur', () => {
    expect(suggested(alpaca).task).toBe(TaskKind.INSTRUCTION);
    const sorted = alpaca.map((row) => ({ ...row, output: 'yes' }));
    expect(suggested(sorted).task).toBe(TaskKind.INSTRUCTION);
    expect(suggested(alpaca.map(({ input, output }) => ({ input, output }))).task).toBe(TaskKind.TRANSLATION);
  });

  it('have what they are about below them, as Alpaca and Dolly list it, and nothing where that is blank', () => {
    expect(messagesOf(alpaca[0]!)).toEqual(talk('Sum up text 0\n\ntext 0 has words', 'words 0'));
    expect(messagesOf(alpaca[1]!)).toEqual(talk('Sum up text 1', 'words 1'));
    const dolly = { instruction: 'Who won?', context: 'Ada beat Bob.', response: 'Ada', category: 'closed_qa' };
    expect(messagesOf(dolly)).toEqual(talk('Who won?\n\nAda beat Bob.', 'Ada'));
  });

  it('end at the last answer that has a weight, as rows of OpenAI’s tuners say which is learned', () => {
    const again = { role: 'user', content: 'And now?' };
    const unlearned = { role: 'assistant', content: 'Later.', weight: 0 };
    const messages = [...talk('Who won?', 'Ada'), again, unlearned];
    expect(messagesOf({ messages })).toEqual(talk('Who won?', 'Ada'));
    const learned = { role: 'assistant', content: 'Bob', weight: 1 };
    const all = messagesOf({ messages: [...messages, again, learned] });
    expect(all).toEqual([...messages, again, { role: 'assistant', content: 'Bob' }]);
    const renamed = { from: 'gpt', value: 'Later.', weight: 0 };
    expect(messagesOf({ messages: [...talk('Who won?', 'Ada'), again, renamed] })).toEqual(talk('Who won?', 'Ada'));
    expect(messagesOf({ messages: [again, unlearned] })).toMatchObject({ fault: { rule: 'wrong-type' } });
  });

  it('are what `input` says where nothing else does', () => {
    expect(messagesOf({ input: 'Say hello', output: 'Hello' })).toEqual(talk('Say hello', 'Hello'));
  });
});

describe('conversations', () => {
  const kinds = ['FAULT', 'PRICE', 'OTHER'];
  const system = { role: 'system', content: 'Name the kind.' };
  const labelled = Array.from({ length: 30 }, (_, i) => ({
    messages: [system, ...talk(`Message ${i}`, `${kinds[i % 3]}\n`)],
  }));

  it('whose answers recur are labelled texts', () => {
    const { task, mapping } = suggested(labelled);
    expect(task).toBe(TaskKind.CLASSIFICATION);
    const { messages } = labelled[4]!;
    expect(buildRow(task!, { MESSAGES: messages }, mapping)).toMatchObject({
      row: { text: 'Message 4', label: 'PRICE' },
    });
    expect(buildRow(task!, { MESSAGES: [...messages, ...talk('And?', 'OTHER')] }, mapping)).toMatchObject({
      fault: { rule: 'wrong-type' },
    });
  });

  it('are continued where answers differ, are long, follow one another, or are too few to tell', () => {
    const others = [
      labelled.map((_, i) => ({ messages: talk(`Message ${i}`, `Answer ${i}`) })),
      labelled.map((_, i) => ({ messages: talk(`Message ${i}`, 'It is a fault. '.repeat(9)) })),
      labelled.map(({ messages }) => ({ messages: [...messages, ...talk('And?', 'OTHER')] })),
      labelled.slice(0, 9),
    ];
    for (const rows of others) expect(suggested(rows).task).toBe(TaskKind.INSTRUCTION);
  });
});

describe('groups', () => {
  const rows = (groupOf: (i: number) => string) =>
    Array.from({ length: 200 }, (_, i) => ({ text: `text ${i}`, label: i % 2 ? 'a' : 'b', group: groupOf(i) }));

  it('are what has many values, and no kinds of rows', () => {
    expect(suggested(rows((i) => `thread ${Math.floor(i / 4)}`)).mapping.columns.GROUP).toBe('group');
    expect(suggested(rows((i) => (i % 3 ? 'free' : 'pro'))).mapping.columns.GROUP).toBeUndefined();
    expect(suggested(rows(() => 'all')).mapping.columns.GROUP).toBeUndefined();
  });
});
