import { pdf, type PdfLine } from './files.js';
import { parse } from './reading.js';

/** Pages with these lines at their top, and below some text that no page shares; each is a list of cells. */
async function tops(...edges: (string | string[])[]): Promise<string[]> {
  const words = ['The valve opens.', 'The seal holds.', 'The pump runs.', 'The lid fits.', 'The nut turns.'];
  const pages = edges.map((edge, page): PdfLine[] => [
    ...[edge].flat().map((text, cell) => ({ text, y: 760, x: 72 + 150 * cell })),
    { text: words[page]!, y: 400 },
  ]);
  const { text } = await parse(pdf(pages), 'a.pdf');
  return text.split(/\n+/).filter((block) => !words.includes(block));
}
const on = (pages: readonly number[], line: (page: number) => string | string[]) => tops(...pages.map(line));

describe('lines at the edges of the pages of a PDF', () => {
  it.each([
    ['that are the same', () => 'Acme handbook 2024'],
    ['that are the page’s number', (page: number) => `${page}`],
    ['that are a number of a volume', (page: number) => `– ${page + 1200} –`],
    ['with a word for page', (page: number) => `Acme 2024, page ${page + 300} of 900`],
    ['with a word for page in other languages', (page: number) => `Acme 2024 – Seite ${page + 300}`],
    ['with a small number that goes with the pages', (page: number) => `${page + 4} Acme handbook`],
    ['with the number of pages', (page: number) => `${page} / 3`],
  ])('are left out where all have lines %s', async (_what, line) => {
    expect(await on([1, 2, 3], line)).toEqual([]);
  });

  it.each([
    ['invoices', (page: number) => `Invoice No. ${10_022 + page}`],
    ['invoices with small numbers', (page: number) => `Invoice No. ${page}`],
    ['orders', (page: number) => `Order ${80 * page}`],
    ['prices', (page: number) => `Net price: ${page * 7}.50`],
  ])('are kept where they are numbers of %s', async (_what, line) => {
    expect(await on([1, 2, 3], line)).toEqual([1, 2, 3].map(line));
  });

  it('are kept where they are rows of figures', async () => {
    expect(await on([1, 2, 3], (page) => [`${page}`, '12.00', '7'])).toEqual(
      [1, 2, 3].map((page) => `${page} 12.00 7`),
    );
    expect(await on([1, 2, 3], () => ['40', '12.00'])).toEqual(Array(3).fill('40 12.00'));
  });

  it('are kept where a small number goes with the pages, and the pages have numbers of their own', async () => {
    const pages = [1, 2, 3].map((page): PdfLine[] => [
      { text: `Certificate ${page}`, y: 760 },
      { text: `The valve of ${'ABC'[page - 1]} holds.`, y: 400 },
      { text: `Page ${page}`, y: 30 },
    ]);
    const { text } = await parse(pdf(pages), 'a.pdf');
    expect(text.match(/Certificate \d/g)).toEqual(['Certificate 1', 'Certificate 2', 'Certificate 3']);
    expect(text).not.toContain('Page');
  });

  it('are left out where the numbers of pages begin anew', async () => {
    expect(await on([1, 2, 1, 2, 3], (page) => `Page ${page}`)).toEqual([]);
  });

  it('are kept on the pages whose number goes another way', async () => {
    expect(await tops('1 Acme', '2 Acme', '3 Acme', '40 Acme')).toEqual(['40 Acme']);
  });
});
