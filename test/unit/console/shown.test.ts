import { usesWith } from '../../../src/console/pages/data/column-uses.js';
import { decided } from '../../../src/console/pages/improvements/decided.js';
import { inTurn } from '../../../src/console/pages/ask/in-turn.js';
import { wordingOf } from '../../../src/console/pages/ask/wording.js';
import { inUnit, openFrom } from '../../../src/console/pages/monitoring/unit.js';
import { rangeWithZero } from '../../../src/console/parts/charts/picture.js';
import { duration, momentAmong } from '../../../src/console/parts/format.js';

describe('what the console shows of records', () => {
  it('of an improvement that was proposed, is what a person decided, once one has', () => {
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'APPROVED' } })).toBe('APPROVED');
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'REJECTED' } })).toBe('REJECTED');
    expect(decided({ outcome: 'PROPOSED', proposal: { status: 'OPEN' } })).toBeNull();
    expect(decided({ outcome: 'REFUSED', proposal: null })).toBeNull();
    expect(decided({ outcome: null, proposal: null })).toBeNull();
  });

  it('of shares, is percent, and a gap stays one', () => {
    expect([inUnit(0.25, '%'), inUnit(0.25, 'ms'), inUnit(null, '%')]).toEqual([25, 0.25, null]);
  });

  it.each([
    [999.6, '1.0 s'],
    [59_940, '59.9 s'],
    [59_970, '1 min 0 s'],
    [119_700, '2 min 0 s'],
    [245_000, '4 min 5 s'],
    [3_599_700, '1 h 0 min'],
    [3_660_000, '1 h 1 min'],
  ])('of %d ms, is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('of a column that is corrected, keeps a column to each field and a field to each column', () => {
    const uses = [
      { column: 'text', field: 'INPUT' },
      { column: 'label', field: 'LABEL' },
    ];
    const corrected = usesWith(usesWith(uses, 'id', 'ID'), 'label', null);
    expect(corrected.map(({ column, field }) => `${column} ${field}`).sort()).toEqual(['id ID', 'text INPUT']);
    expect(usesWith(uses, 'label', 'INPUT')).toEqual([{ column: 'label', field: 'INPUT' }]);
  });

  it('of a chart that has values below zero, is all of them', () => {
    expect(rangeWithZero(-1, -0.5)).toEqual([-1.1, 1]);
    expect(rangeWithZero(2, 10)).toEqual([0, 11]);
    expect(rangeWithZero(null, null)).toEqual([0, 1]);
    expect(rangeWithZero(0.2, 0.97)).toEqual([0, 1]);
  });

  it('of an hour that isn’t over, is told from those that are', () => {
    expect(openFrom([0, 3_600, 7_200], 3_600, 9_000)).toBe(2);
    expect(openFrom([0, 3_600], 3_600, 9_000)).toBeNull();
    expect(openFrom([], 3_600, 9_000)).toBeNull();
  });

  it('of the destinations of a question, has what was chosen first, however sure it was that it is nobody’s', () => {
    const base = { strategy: 'BASE', order: null, probability: 1 } as const;
    const adapter = { strategy: 'ADAPTER', order: 1, probability: 0.9 } as const;
    const documents = { strategy: 'RAG', order: 2, probability: 0.1 } as const;
    const ordered = inTurn({ strategy: 'RAG', candidates: [base, adapter, documents] });
    expect(ordered.map(({ strategy }) => strategy)).toEqual(['RAG', 'ADAPTER', 'BASE']);
  });

  it('of an answer that is a label, is that it is one, and of words, whose they are', () => {
    const shown = (form: 'LabelOutput' | 'EntitiesOutput' | 'TextOutput', wording: 'MODEL' | 'EVIDENCE') =>
      wordingOf({ wording, finishReason: null, output: { __typename: form } });
    expect(shown('LabelOutput', 'MODEL')).toBe('A label that the model chose');
    expect(shown('LabelOutput', 'EVIDENCE')).toBe('The label of the nearest rows');
    expect(shown('EntitiesOutput', 'MODEL')).toBe('Marked in the question by the model');
    expect(shown('TextOutput', 'MODEL')).toBe('In the model’s words');
    expect(shown('TextOutput', 'EVIDENCE')).toBe('In the document’s words');
    const cut = { wording: 'MODEL', finishReason: 'LENGTH', output: { __typename: 'TextOutput' } } as const;
    expect(wordingOf(cut)).toBe('In the model’s words, cut at the longest answer that was asked for');
  });

  it('of a moment, is its time today, and its day beside it among those of other days', () => {
    const noon = new Date(2026, 10, 27, 12).getTime();
    const at = noon / 1_000;
    expect(momentAmong([at - 3_600, at], noon)(at)).toBe(new Date(noon).toLocaleTimeString());
    for (const others of [[at - 86_400, at], [at - 86_400]])
      expect(momentAmong(others, noon)(at)).toMatch(/27.*2026|2026.*27/);
    expect(momentAmong([at], noon + 86_400_000)(at)).toMatch(/27.*2026|2026.*27/);
  });
});
