import { readTime } from '../../../src/sources/data/datasets/making/read-time.js';
import { checkedValues, FeatureType } from '../../../src/sources/data/features/feature-view.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';
import { dataFolder, writtenFile } from '../../support/data-files.js';
import { made, rowsOf, storedRows } from '../../support/make-version.js';

const TEN = Date.UTC(2024, 0, 1, 10);

describe('features that are times', () => {
  it.each(['2024-01-01 10:00:00+00', '2024-01-01T10:00:00', '2024-01-01 12:00:00+0200'])(
    'reads %s as times of rows are read, whatever zone the server is in',
    (since) => {
      const view = { name: 'plans', fields: [{ name: 'since', type: FeatureType.TIMESTAMP }] };
      expect(checkedValues(view, { since }, 'values')).toEqual({ since: new Date(TEN).toISOString() });
    },
  );
});

describe('readTime', () => {
  it.each([
    '2024-01-01T10:00:00Z',
    '2024-01-01 10:00:00',
    '2024-01-01 10:00:00+00',
    '2024-01-01 10:00:00.000000+00',
    '2024-01-01 10:00:00-00',
    '2024-01-01 15:30:00+05:30',
    '2024-01-01T15:30:00+0530',
    '2024-01-01 15:30:00 +0530',
    '2024-01-01 02:00-08',
  ])('takes the zone of %s, written as databases do', (text) => expect(readTime(text)).toBe(TEN));

  it('takes a day for its first moment, whatever it ends with', () => {
    expect(readTime('2024-01-10')).toBe(Date.UTC(2024, 0, 10));
  });

  it('gives whole milliseconds of numbers, and no time that a calendar lacks', () => {
    expect(readTime(1704103200.1234)).toBe(TEN + 123);
    expect(readTime(TEN + 0.4)).toBe(TEN);
    for (const value of [1e300, -1e300, Number.POSITIVE_INFINITY]) expect(readTime(value)).toBeNaN();
    for (const day of ['2024-02-30', '2023-02-29 10:00', '2024-04-31T00:00:00Z', '2024-13-01', '2024-00-10'])
      expect(readTime(day)).toBeNaN();
    expect(readTime('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
  });

  it('imports seconds with a fraction, and names numbers that are no times', async () => {
    const lines = ['1704103200.1234', '1e300'].map((at, i) => `{"text":"row ${i}","label":"x","at":${at}}`);
    const file = await writtenFile(await dataFolder(), 'epoch.jsonl', lines.join('\n'));
    const mapping = { columns: { TEXT: 'text', LABEL: 'label', EVENT_TIME: 'at' } };
    const version = await made({ task: TaskKind.CLASSIFICATION, files: [{ file, mapping }] });
    expect((await storedRows(version))[0]!.event_time).toBe(TEN + 123);
    expect(rowsOf(version, 'bad-time')).toEqual([2]);
  });
});
