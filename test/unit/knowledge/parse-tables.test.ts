import { docx, docxTable, pdf, type PdfLine } from './files.js';
import { outline, parse } from './reading.js';

/** Widths of Helvetica's characters in thousandths of the type size, as far as the tests set any right-aligned. */
const WIDTHS: Record<string, number> = { '.': 278, ',': 278, S: 667, P: 667, t: 278, r: 333, i: 222, c: 500, k: 500 };
const widthOf = (text: string): number => [...text].reduce((sum, one) => sum + (WIDTHS[one] ?? 556) / 100, 0);

type Cell = [edge: number, text: string];
const row = (y: number, ...cells: Cell[]): PdfLine[] => cells.map(([x, text]) => ({ x, text, y }));
/** The first cell begins at its edge, the others end at theirs. */
const figures = (y: number, first: Cell, ...others: Cell[]): PdfLine[] =>
  row(y, first, ...others.map(([right, text]): Cell => [right - widthOf(text), text]));
const read = async (...pages: PdfLine[][]) => outline(await parse(pdf(pages), 'a.pdf')).map(([, text]) => text);

describe('tables of a PDF', () => {
  it('reads columns of figures that are aligned on the right', async () => {
    const table = [
      ...figures(660, [72, 'Item'], [300, 'Stock'], [400, 'Price']),
      ...figures(648, [72, 'Widget'], [300, '5'], [400, '12.00']),
      ...figures(636, [72, 'Gadget'], [300, '120'], [400, '1,250.00']),
      ...figures(624, [72, 'Nut'], [300, '14000'], [400, '0.05']),
    ];
    expect(await read(table)).toEqual([
      'Item: Widget; Stock: 5; Price: 12.00\nItem: Gadget; Stock: 120; Price: 1,250.00\nItem: Nut; Stock: 14000; Price: 0.05',
    ]);
  });

  it('keeps each row on its line where columns are not aligned', async () => {
    const lines = [
      ...row(660, [72, 'Pump of the first kind'], [250, 'eleven'], [360, 'twelve']),
      ...row(648, [72, 'Seal of the first kind'], [243, 'eleven'], [367, 'twelve']),
      ...row(636, [72, 'Lid of the second kind'], [262, 'eleven'], [351, 'twelve']),
    ];
    expect(await read(lines)).toEqual([
      'Pump of the first kind eleven twelve\nSeal of the first kind eleven twelve\nLid of the second kind eleven twelve',
    ]);
  });

  it('joins the wrapped lines of an item whose number stands far out, and of a cell', async () => {
    const item = row(660, [72, '1.'], [108, 'The tenant pays the rent on the first day of each']);
    const more = row(648, [108, 'month, in advance.']);
    const term = row(600, [72, 'Rent'], [160, 'What the tenant pays on the first day of each']);
    expect(await read([...item, ...more, ...term, ...row(588, [160, 'month, in advance.'])])).toEqual([
      '1. The tenant pays the rent on the first day of each month, in advance.',
      'Rent What the tenant pays on the first day of each month, in advance.',
    ]);
  });

  const people = (y: number, ...rows: [string, string, string][]) =>
    rows.flatMap(([a, b, c], index) => row(y - 12 * index, [72, a], [200, b], [330, c]));

  it('goes on with the header of the page before', async () => {
    const first = people(90, ['Name', 'Room', 'City'], ['Ann', '12', 'York'], ['Ben', '14', 'Bonn']);
    const second = people(700, ['Eve', 'none', 'Kyiv'], ['Fay', '15', 'Graz']);
    const third = people(700, ['Gus', '16', 'Rome']);
    const rest = [...third, { text: 'That is all.', y: 600 }];
    expect(await read([{ text: 'Who sits where.', y: 300 }, ...first], second, rest)).toEqual([
      'Who sits where.',
      'Name: Ann; Room: 12; City: York\nName: Ben; Room: 14; City: Bonn',
      'Name: Eve; Room: none; City: Kyiv\nName: Fay; Room: 15; City: Graz',
      'Name: Gus; Room: 16; City: Rome',
      'That is all.',
    ]);
  });

  it('takes a header that each page repeats for no row', async () => {
    const first = people(90, ['Name', 'Room', 'City'], ['Ann', '12', 'York'], ['Ben', '14', 'Bonn']);
    const second = people(700, ['Name', 'Room', 'City'], ['Eve', '13', 'Kyiv']);
    expect((await read(first, second))[1]).toBe('Name: Eve; Room: 13; City: Kyiv');
  });

  it('begins anew where text stands between, or the columns are others', async () => {
    const first = people(120, ['Name', 'Room', 'City'], ['Ann', '12', 'York'], ['Ben', '14', 'Bonn']);
    const parts = people(700, ['Part', 'Size', 'Tool'], ['Lid', '3 cm', 'key'], ['Nut', '4 cm', 'saw']);
    const read3 = 'Part: Lid; Size: 3 cm; Tool: key\nPart: Nut; Size: 4 cm; Tool: saw';
    expect((await read([...first, { text: 'That is all.', y: 60 }], parts)).at(-1)).toBe(read3);
    const moved = parts.map((cell) => ({ ...cell, x: (cell.x ?? 0) + 25 }));
    expect((await read(first, moved)).at(-1)).toBe(read3);
  });
});

describe('tables that mark no header', () => {
  const words = [
    ['Alice', 'Legal', 'Berlin'],
    ['Bob', 'Sales', 'Paris'],
    ['Eve', 'Legal', 'Kyiv'],
  ];
  const html = (rows: string[][]) =>
    `<html><table>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`;

  it('keep a first row of words like those below as a row', async () => {
    for (const document of [await parse(html(words), 'a.html'), await parse(docx(docxTable(words)), 'a.docx')])
      expect(document.text.split('\n')[0]).toBe('Alice; Legal; Berlin');
  });

  it('take a first row of words over figures or sentences for the header', async () => {
    const figures = [['Name', 'Room', 'City'], ...words.map(([name, , city], at) => [name!, `${at + 1}`, city!])];
    expect((await parse(html(figures), 'a.html')).text.split('\n')[0]).toBe('Name: Alice; Room: 1; City: Berlin');
    const duty = 'Reads what others wrote, and says what is wrong with it to whoever asks.';
    const sentences = [['Name', 'Duty', 'City'], ...words.map(([name, , city]) => [name!, duty, city!])];
    expect((await parse(html(sentences), 'a.html')).text.split('\n')[0]).toBe(
      `Name: Alice; Duty: ${duty}; City: Berlin`,
    );
  });
});
