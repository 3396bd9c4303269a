import { rowsOf } from '../../../support/make-version.js';
import { classified, fruits, rule } from './kit.js';

describe('rules on labels', () => {
  const many = (label: string, n: number, word: string): [string, string][] =>
    Array.from({ length: n }, (_, i) => [`${word} number ${i * 7919} of ${word}s`, label]);

  rule('label-variant', 'finds labels that differ in case only and quarantines the rarer one', async () => {
    const version = await classified([...fruits, ['plums are blue', 'Fruit'], ['leek is long', 'vege table']]);
    expect(rowsOf(version, 'label-variant')).toEqual([5, 6]);
    expect(version.statistics.labels.map((l) => l.label).sort()).toEqual(['fruit', 'vegetable']);
  });

  it.each([
    ['-1', '0', '1'],
    ['C', 'C++', 'C#'],
    ['+', '-', '*'],
    ['score -1', 'score 1', 'score +1'],
    ['1-2', '12', '1 2'],
  ])('label-variant: takes %s, %s and %s for the three labels that they are', async (...labels) => {
    const version = await classified(labels.flatMap((label, i) => many(label, 20, ['apple', 'pear', 'plum'][i]!)));
    expect(rowsOf(version, 'label-variant')).toEqual([]);
    expect(version.statistics.labels.map((l) => l.label).sort()).toEqual([...labels].sort());
  });

  it('label-variant: looks past hyphens within a name and the mark at its end', async () => {
    const rows = [...many('follow-up', 20, 'call'), ['please call', 'Follow up'], ['call me', 'follow_up:']] as const;
    expect(rowsOf(await classified([...rows] as [string, string][]), 'label-variant')).toEqual([21, 22]);
  });

  it('label-typo: takes a rare label that differs in a sign or symbol for no misspelling', async () => {
    const version = await classified([
      ...many('polarity 1', 30, 'sun'),
      ['rain', 'polarity -1'],
      ...many('C# code', 30, 'method'),
      ['template', 'C++ code'],
    ]);
    expect(rowsOf(version, 'label-typo')).toEqual([]);
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
