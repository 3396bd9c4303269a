import { readChat } from '../../../gpu-worker/chat/read-chat.js';
import { LabelWords, Split } from '../../../src/sources/data/index.js';
import type { StoredRow } from '../../../src/sources/data/index.js';
import type { TaskRow } from '../../../src/sources/data/datasets/tasks/index.js';
import { presetOf } from '../../../src/learn/training/index.js';
import type { ServedVariant } from '../../../src/sources/registry/index.js';
import type { Recipe } from '../../../src/learn/training/recipes/recipe.js';
import {
  encodeExamples,
  requireExamples,
  type Rows,
  type Tokenize,
} from '../../../src/learn/training/runs/encode-examples.js';
import type { ChatForm } from '../../../src/worker-protocol/index.js';
import { storedRow } from '../../support/stored-row.js';
import { TEMPLATES } from '../prompting/templates.js';

const PLAIN: ChatForm = { kind: 'plain', bosToken: '' };

const stored = (ordinal: number, split: Split, content: TaskRow) => storedRow(ordinal, content, { split });

/** Cuts texts into words; the n-th that is seen has the token n. */
class Words {
  readonly words: string[] = [''];

  readonly tokenize: Tokenize = (texts) => {
    const whole = texts.map((text) => (typeof text === 'string' ? text : text.map((part) => part.text).join('')));
    const tokens = whole.map((text) => Int32Array.from(text.split(/\s+/).filter(Boolean), (word) => this.#of(word)));
    return Promise.resolve({ tokens, roundTrips: tokens.map(() => true), endToken: 0 });
  };

  #of(word: string): number {
    if (!this.words.includes(word)) this.words.push(word);
    return this.words.indexOf(word);
  }

  read = (ids: Int32Array): string => [...ids].map((id) => this.words[id]).join(' ');
}

const BATCH = 100;

const encode = async (
  rows: readonly StoredRow[],
  recipe: Partial<Recipe> = {},
  { chat = PLAIN, askedAt = new Date() }: { chat?: ChatForm; askedAt?: Date } = {},
) => {
  const labels = [...new Set(rows.flatMap(({ content }) => (content?.task === 'CLASSIFICATION' ? content.label : [])))];
  const words = new Words();
  const given: Rows = {
    context: { labels: new LabelWords(labels.sort()), languages: null },
    views: [],
    language: null,
    async *stream(split) {
      const all = rows.filter((row) => row.split === Split[split]);
      for (let from = 0; from < all.length; from += BATCH) yield await Promise.resolve(all.slice(from, from + BATCH));
    },
  };
  const preset = presetOf(rows[0]!.content!.task);
  const encoded = await encodeExamples(
    given,
    {
      variant: { chat } as ServedVariant,
      recipe: { ...preset, retention: { ...preset.retention, weight: 0 }, ...recipe },
      askedAt,
    },
    words.tokenize,
    new AbortController().signal,
  );
  return { ...encoded, words };
};

describe('the examples of a training', () => {
  const label = (n: number): string => `label${String(n).padStart(2, '0')}`;
  /** Sorted by label, as many files are. */
  const sorted = (split: Split, count: number, from: number): StoredRow[] =>
    Array.from({ length: count }, (_, i) =>
      stored(from + i, split, {
        task: 'CLASSIFICATION',
        text: `text${from + i}`,
        label: label(Math.floor((20 * i) / count)),
      }),
    );
  const ROWS = [...sorted(Split.TRAIN, 40, 0), ...sorted(Split.VALIDATION, 1_000, 40)];
  const RECIPE = { answer: 'TEXT', validationRows: 200 } as const;
  const textsOf = ({ validation, words }: Awaited<ReturnType<typeof encode>>): number[] =>
    validation.map(({ ids }) => Number(/text(\d+)/.exec(words.read(ids))![1]));

  it('teach each answer of a conversation but those of weight 0, and are validated on the last', async () => {
    const content: TaskRow = {
      task: 'INSTRUCTION',
      messages: [
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'one' },
        { role: 'user', content: 'second' },
        { role: 'assistant', content: 'unlearned', weight: 0 },
        { role: 'user', content: 'third' },
        { role: 'assistant', content: 'three' },
      ],
    };
    const { examples, validation, words } = await encode([
      stored(0, Split.TRAIN, content),
      stored(1, Split.VALIDATION, content),
    ]);
    const learned = ({ ids, answerFrom }: (typeof examples)[number]) => words.read(ids.slice(answerFrom)).trim();
    expect(examples.map(learned)).toEqual(['one', 'three']);
    expect(words.read(examples[0]!.ids)).not.toContain('second');
    expect(words.read(examples[1]!.ids)).toContain('unlearned');
    expect(validation.map(learned)).toEqual(['three']);
  });

  it('are the earlier answers of a conversation whose last prompt alone is too long, and the audit counts each', async () => {
    const messages = [
      { role: 'user' as const, content: 'first' },
      { role: 'assistant' as const, content: 'one' },
      { role: 'user' as const, content: 'word '.repeat(60) },
      { role: 'assistant' as const, content: 'two' },
    ];
    const row = stored(0, Split.TRAIN, { task: 'INSTRUCTION', messages });
    const { examples, audit, words } = await encode([row], { maxTokens: 50 });
    expect(examples.map(({ ids, answerFrom }) => words.read(ids.slice(answerFrom)).trim())).toEqual(['one']);
    expect(audit).toMatchObject({ examples: 2, counts: { NOTHING_TO_LEARN: 1, TOO_LONG: 0 } });
    expect(audit.findings).toMatchObject([{ ordinal: 0, fault: 'NOTHING_TO_LEARN' }]);
  });

  it('are none of an answer that is blank', async () => {
    const messages = [
      { role: 'user' as const, content: 'first' },
      { role: 'assistant' as const, content: 'one' },
      { role: 'user' as const, content: 'second' },
      { role: 'assistant' as const, content: ' ' },
    ];
    const { examples, audit } = await encode([stored(0, Split.TRAIN, { task: 'INSTRUCTION', messages })]);
    expect(examples).toHaveLength(1);
    expect(audit).toMatchObject({ examples: 2, counts: { NOTHING_TO_LEARN: 1 } });
  });

  it('are none of a greeting that a conversation begins with', async () => {
    const messages = [
      { role: 'assistant' as const, content: 'welcome' },
      { role: 'user' as const, content: 'ask' },
      { role: 'assistant' as const, content: 'say' },
    ];
    const { examples, words } = await encode([stored(0, Split.TRAIN, { task: 'INSTRUCTION', messages })]);
    expect(examples.map(({ ids, answerFrom }) => words.read(ids.slice(answerFrom)).trim())).toEqual(['say']);
  });

  it('are few of a conversation of thousands of turns', async () => {
    const turn = (i: number) => [
      { role: 'user' as const, content: `ask${i}` },
      { role: 'assistant' as const, content: `say${i}` },
    ];
    const messages = Array.from({ length: 5_000 }, (_, i) => turn(i)).flat();
    const { examples } = await encode([stored(0, Split.TRAIN, { task: 'INSTRUCTION', messages })]);
    // The whole is longer than the recipe takes, its first answers are not.
    expect(examples).toHaveLength(32);
    const long = [{ role: 'user' as const, content: 'x'.repeat(50_000) }, ...messages.slice(1, 4)];
    const short = messages.slice(0, 200);
    const both = [long, short].map((each, i) => stored(i, Split.TRAIN, { task: 'INSTRUCTION', messages: each }));
    expect((await encode(both)).examples).toHaveLength(1 + 33);
  });

  it('are validated on rows from all over a file, though it is sorted by label', async () => {
    const { validation, words } = await encode(ROWS, RECIPE);
    expect(validation).toHaveLength(200);
    const answers = new Set(validation.map(({ ids, answerFrom }) => words.read(ids.subarray(answerFrom)).trim()));
    expect([...answers].sort()).toEqual(Array.from({ length: 20 }, (_, n) => label(n)));
  });

  it('are validated on the rows that the seed draws, in their order, whenever they are encoded', async () => {
    const texts = textsOf(await encode(ROWS, RECIPE));
    expect(texts).toEqual([...texts].sort((a, b) => a - b));
    expect(textsOf(await encode(ROWS, RECIPE))).toEqual(texts);
    expect(textsOf(await encode(ROWS, { ...RECIPE, seed: 2 }))).not.toEqual(texts);
  });

  it('are validated on all rows where there are no more than wanted, and on none where none are wanted', async () => {
    const all = ROWS.filter(({ split }) => split === Split.VALIDATION).map(({ ordinal }) => ordinal);
    expect(textsOf(await encode(ROWS, { ...RECIPE, validationRows: 1_000 }))).toEqual(all);
    expect(textsOf(await encode(ROWS, { ...RECIPE, validationRows: 0 }))).toEqual([]);
  });

  it('fill the rows for validation with such as fit, whatever of the others is too long', async () => {
    const long = ROWS.map((row) =>
      row.split === Split.VALIDATION && row.ordinal % 2 === 0
        ? { ...row, content: { ...row.content!, text: `text${row.ordinal} ${'word '.repeat(1_000)}` } as TaskRow }
        : row,
    );
    const texts = textsOf(await encode(long, RECIPE));
    expect(texts).toHaveLength(200);
    expect(texts.every((text) => text % 2 === 1)).toBe(true);
  });

  const formOf = (template: string): ChatForm => readChat({ template, bosToken: '<bos>', eosToken: '<eos>' });
  const conversation = (ordinal: number, ...roles: ('user' | 'assistant')[]): StoredRow =>
    stored(ordinal, Split.TRAIN, {
      task: 'INSTRUCTION',
      messages: roles.map((role) => ({ role, content: `${role}${ordinal}` })),
    });

  it.each(['chatml', 'gemma'] as const)(
    'leave out a row that begins with its only answer, and say so, under a template like %s',
    async (template) => {
      const rows = [conversation(0, 'assistant'), conversation(1, 'user', 'assistant')];
      const { examples, audit } = await encode(rows, {}, { chat: formOf(TEMPLATES[template]) });
      expect(examples).toHaveLength(1);
      expect(audit).toMatchObject({ examples: 2, counts: { NO_CHAT_FORM: 1 } });
      expect(audit.findings).toEqual([
        {
          ordinal: 0,
          split: 'TRAIN',
          fault: 'NO_CHAT_FORM',
          note: 'The model’s template has no form for a conversation without a message.',
        },
      ]);
    },
  );

  it('leave out a row in which the user speaks twice where the template wants turns, and keep it where not', async () => {
    const rows = [conversation(0, 'user', 'user', 'assistant'), conversation(1, 'user', 'assistant')];
    const { examples, audit } = await encode(rows, {}, { chat: formOf(TEMPLATES.gemma) });
    expect(examples).toHaveLength(1);
    expect(audit.findings).toMatchObject([{ ordinal: 0, note: expect.stringContaining('of user, user') as string }]);
    expect((await encode(rows, {}, { chat: formOf(TEMPLATES.llama3) })).examples).toHaveLength(2);
  });

  it('are the earlier answers of a conversation that the template refuses further on', async () => {
    const row = conversation(0, 'user', 'assistant', 'user', 'user', 'assistant');
    const { examples, audit } = await encode([row], {}, { chat: formOf(TEMPLATES.gemma) });
    expect(examples).toHaveLength(1);
    expect(audit).toMatchObject({ examples: 2, counts: { NO_CHAT_FORM: 1 } });
  });

  it('say what is wrong with the rows where none is left, and what with a template that can’t be used', async () => {
    const rows = [conversation(0, 'assistant'), conversation(1, 'user', 'user', 'assistant')];
    const none = await encode(rows, {}, { chat: formOf(TEMPLATES.gemma) });
    expect(() => requireExamples(none)).toThrow(
      expect.objectContaining({ code: 'DATASET_UNUSABLE', message: expect.stringContaining('NO_CHAT_FORM 2') }),
    );
    const chat: ChatForm = { kind: 'unusable', reason: 'it raises' };
    await expect(encode(rows, {}, { chat })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('it raises') as string,
    });
  });

  it('are the same on the day after under a template that tells the day: that on which the run was asked for', async () => {
    const job = { chat: formOf(TEMPLATES.dated), askedAt: new Date('2026-10-15T12:00:00') };
    const on = async (now: string): Promise<string> => {
      jest.useFakeTimers({ now: new Date(now) });
      const { examples, words } = await encode([conversation(1, 'user', 'assistant')], {}, job).finally(() =>
        jest.useRealTimers(),
      );
      return words.read(examples[0]!.ids);
    };
    expect(await on('2026-10-15T23:50:00')).toContain('Today: 15 Oct 2026');
    expect(await on('2026-10-16T00:10:00')).toBe(await on('2026-10-15T23:50:00'));
  });
});
