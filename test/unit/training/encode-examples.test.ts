import { LabelWords, Split } from '../../../src/data/index.js';
import type { StoredRow } from '../../../src/data/index.js';
import type { TaskRow } from '../../../src/data/datasets/tasks/index.js';
import { presetOf } from '../../../src/training/index.js';
import type { ServedVariant } from '../../../src/registry/index.js';
import type { Recipe } from '../../../src/training/recipes/recipe.js';
import { encodeExamples, type Rows, type Tokenize } from '../../../src/training/runs/encode-examples.js';
import type { ChatForm } from '../../../src/worker-protocol/index.js';

const PLAIN: ChatForm = { kind: 'plain', bosToken: '' };

const stored = (ordinal: number, split: Split, content: TaskRow): StoredRow => ({
  ordinal,
  key: String(ordinal),
  split,
  subject: null,
  entity: null,
  eventTime: null,
  language: null,
  file: 0,
  row: ordinal,
  line: null,
  content,
  raw: null,
  features: null,
  problems: [],
  quarantined: false,
  sortValue: ordinal,
});

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

const encode = async (rows: readonly StoredRow[], recipe: Partial<Recipe> = {}, { chat = PLAIN } = {}) => {
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
    { chat } as ServedVariant,
    { ...preset, retention: { ...preset.retention, weight: 0 }, ...recipe },
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
});
