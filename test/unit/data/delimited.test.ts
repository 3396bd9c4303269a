import fc from 'fast-check';
import {
  DelimitedReader,
  readDelimited,
  RecordTooLong,
  type DelimitedRecord,
} from '../../../src/sources/data/datasets/files/delimited.js';

const csv = { delimiter: ',', quotes: true };
const cellsOf = (records: DelimitedRecord[]) => records.map((r) => r.cells);

/** One record as RFC 4180 writes it. */
const writeDelimited = (cells: readonly string[]): string =>
  cells
    .map((cell, i) =>
      /["\r\n]/.test(cell) || cell.includes(',') || (i === 0 && cells.length === 1 && cell === '')
        ? `"${cell.replaceAll('"', '""')}"`
        : cell,
    )
    .join(',') + '\r\n';

describe('DelimitedReader', () => {
  it('reads back whatever was written, in whatever pieces it arrives', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '😀'), maxLength: 8 });
    const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(table, fc.array(fc.nat(40), { maxLength: 8 }), (rows, cuts) => {
        const text = rows.map((row) => writeDelimited(row)).join('');
        const reader = new DelimitedReader({ ...csv, maxRecord: 1e6 });
        const edges = [0, ...cuts.filter((c) => c < text.length).sort((a, b) => a - b), text.length];
        const records = edges.slice(1).flatMap((to, i) => reader.push(text.slice(edges[i], to)));
        records.push(...reader.end());
        expect(cellsOf(records)).toEqual(rows);
        expect(records.every((r) => r.fault === null)).toBe(true);
      }),
    );
  });

  it('numbers records and gives the line on which each begins, across line ends inside quotes', () => {
    const records = readDelimited('a,b\r\n"x\r\ny",2\n\n"z",3', csv);
    expect(records.map((r) => [r.number, r.line])).toEqual([
      [1, 1],
      [2, 2],
      [3, 5],
    ]);
    expect(records[1]!.cells).toEqual(['x\r\ny', '2']);
  });

  it('keeps a quotation mark that stands inside a plain cell', () => {
    expect(cellsOf(readDelimited('5" pipe,x\n', csv))).toEqual([['5" pipe', 'x']]);
    expect(cellsOf(readDelimited('"odd\t1\n', { delimiter: '\t', quotes: false }))).toEqual([['"odd', '1']]);
  });

  it('names what is wrong with quotation marks', () => {
    expect(readDelimited('"a"b,c\nd,e', csv).map((r) => r.fault)).toEqual(['text-after-quote', null]);
    expect(readDelimited('a,"b\nc,d\n', csv).at(-1)?.fault).toBe('unclosed-quote');
  });

  it('takes lone carriage returns for line ends', () => {
    expect(cellsOf(readDelimited('a,b\rc,d\r', csv))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('takes whole lines when there is no delimiter', () => {
    expect(cellsOf(readDelimited('a, b\tc\n"d"', { delimiter: null, quotes: false }))).toEqual([['a, b\tc'], ['"d"']]);
  });

  it('stops a record that outgrows the limit and says where it began', () => {
    const reader = new DelimitedReader({ ...csv, maxRecord: 1000 });
    reader.push('a,b\n"never closed');
    expect(() => {
      for (let i = 0; i < 100; i++) reader.push(',x\n'.repeat(10));
    }).toThrow(new RecordTooLong(2, true));
  });
});
