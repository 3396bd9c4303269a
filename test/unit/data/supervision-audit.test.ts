import type { StoredRow } from '../../../src/sources/data/datasets/version-rows.js';
import { Split } from '../../../src/sources/data/datasets/importing/splits.js';
import { LabelWords, type TaskRow } from '../../../src/sources/data/datasets/tasks/index.js';
import { auditSupervision, type AuditedModel } from '../../../src/sources/data/datasets/supervision-audit.js';
import { renderChat } from '../../../src/sources/prompting/index.js';
import { storedRow } from '../../support/stored-row.js';

/** A word a token; it knows no `ß`, as a tokenizer with a small vocabulary knows no rare characters. */
const MODEL: AuditedModel = {
  prompt: (messages) => renderChat({ kind: 'plain', bosToken: '' }, messages),
  countPrompts: (prompts) =>
    Promise.resolve(
      prompts.map(
        (segments) =>
          segments
            .map(({ text }) => text)
            .join('')
            .split(/\s+/).length,
      ),
    ),
  tokenizeAnswers: (answers) =>
    Promise.resolve(
      answers.map((text) => ({ tokens: text.split(/\s+/).filter(Boolean).length, text: text.replaceAll('ß', '?') })),
    ),
};

async function* batches(...rows: StoredRow[]) {
  yield await Promise.resolve(rows);
}

const audit = (rows: StoredRow[], settings: { labels?: string[]; views?: string[]; maxTokens?: number } = {}) =>
  auditSupervision(
    batches(...rows),
    {
      context: { labels: new LabelWords(settings.labels ?? ['a', 'b']), languages: null },
      views: settings.views ?? [],
      maxTokens: settings.maxTokens ?? 100,
    },
    MODEL,
    new AbortController().signal,
  );

const faults = async (rows: StoredRow[], settings?: Parameters<typeof audit>[1]) =>
  (await audit(rows, settings)).findings.map(({ ordinal, fault }) => [ordinal, fault]);

describe('the audit of supervision', () => {
  it('says nothing of rows that can be learned', async () => {
    const report = await audit([storedRow(1, { task: 'CLASSIFICATION', text: 'one two', label: 'a' })]);
    expect(report).toMatchObject({ examples: 1, findings: [] });
  });

  it('names rows with an empty answer, and rows whose prompt leaves no room for one, as nothing to learn', async () => {
    const rows = [
      storedRow(1, { task: 'INSTRUCTION', messages: [{ role: 'user', content: 'hello' }] }),
      storedRow(2, {
        task: 'INSTRUCTION',
        messages: [
          { role: 'user', content: 'word '.repeat(60) },
          { role: 'assistant', content: 'x' },
        ],
      }),
    ];
    const report = await audit(rows, { maxTokens: 50 });
    expect(report.findings.map(({ ordinal, fault }) => [ordinal, fault])).toEqual([
      [1, 'NOTHING_TO_LEARN'],
      [2, 'NOTHING_TO_LEARN'],
    ]);
  });

  it('tells an answer that is cut from one that fits', async () => {
    const row = (ordinal: number, words: number) =>
      storedRow(ordinal, {
        task: 'TRANSLATION',
        source: 'text',
        target: 'wort '.repeat(words).trim(),
        sourceLanguage: 'en',
        targetLanguage: 'de',
      });
    expect(await faults([row(1, 3), row(2, 90)], { maxTokens: 50 })).toEqual([[2, 'TOO_LONG']]);
  });

  it('names answers that the tokenizer changes', async () => {
    const row: TaskRow = {
      task: 'TRANSLATION',
      source: 'street',
      target: 'Straße',
      sourceLanguage: 'en',
      targetLanguage: 'de',
    };
    expect(await faults([storedRow(1, row)])).toEqual([[1, 'NOT_ROUND_TRIP']]);
  });

  it('names labels that no row for training has, and entities that an answer can’t hold', async () => {
    const overlapping: TaskRow = {
      task: 'EXTRACTION',
      text: 'New York Times',
      entities: [
        { type: 'a', start: 0, end: 14, text: 'New York Times' },
        { type: 'b', start: 0, end: 8, text: 'New York' },
      ],
    };
    expect(
      await faults([
        storedRow(1, { task: 'CLASSIFICATION', text: 'x', label: 'c' }, { split: Split.TEST }),
        storedRow(2, overlapping),
      ]),
    ).toEqual([
      [1, 'UNSEEN_LABEL'],
      [2, 'NOT_READ_BACK'],
    ]);
  });

  it('names rows without the features that the others have', async () => {
    const row: TaskRow = { task: 'CLASSIFICATION', text: 'x', label: 'a' };
    const rows = [
      storedRow(1, row, { features: { plans: { plan: 'grower' } } }),
      storedRow(2, row, { features: { plans: null } }),
    ];
    expect(await faults(rows, { views: ['plans'] })).toEqual([[2, 'MISSING_FEATURES']]);
  });

  it('leaves out rows that are kept out of training, and lists at most a hundred rows of a fault but counts all', async () => {
    const row: TaskRow = { task: 'CLASSIFICATION', text: 'x', label: 'c' };
    const rows = Array.from({ length: 150 }, (_, i) => storedRow(i + 1, row, { quarantined: i === 0 }));
    const report = await audit(rows);
    expect(report.examples).toBe(149);
    expect(report.counts.UNSEEN_LABEL).toBe(149);
    expect(report.findings).toHaveLength(100);
  });
});
