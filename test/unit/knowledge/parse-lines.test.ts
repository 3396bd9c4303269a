import { breaks } from '../../../src/sources/knowledge/parsing/lines.js';
import { parse } from './reading.js';

const URL_OF = (length: number) => `https://acme.com/${'a'.repeat(length - 17)}`;
const wrapped = [
  'Thank you for your order of three pumps. They leave our house on Monday,',
  'and the carrier brings them to you on the day after. You can follow them',
];
const rest = [
  'where each step of the way is shown. If nothing has come by Thursday let',
  'us know, and we send others at once.',
];
const text = async (lines: string[]) => (await parse(lines.join('\n'))).text;

describe('lines that a margin broke', () => {
  it.each([
    ['a link on a line of its own', URL_OF(115)],
    ['a quoted link', `> ${URL_OF(115)}`],
    ['a link behind a word', `at <${URL_OF(115)}>`],
    ['one line that nobody wrapped', `at the carrier’s, ${'which brings more than pumps, '.repeat(4)}and`],
  ])('are joined though their paragraph holds %s', async (_what, long) => {
    const lines = [...wrapped, long, ...rest];
    expect(await text(lines)).toBe(lines.join(' '));
  });

  it('are joined though it holds several links', async () => {
    const lines = [...wrapped, URL_OF(115), ...rest.slice(0, 1), URL_OF(140), ...rest];
    expect(await text(lines)).toBe(lines.join(' '));
  });

  it('are measured by what there is in a language without blanks', () => {
    expect(breaks(['泵'.repeat(60), '泵'.repeat(60), '泵'.repeat(10)])).toEqual(['meant', 'wrapped', 'wrapped']);
  });

  it('are told from short lines beside a long one, which are meant', async () => {
    const lines = ['Pump, of the first kind, with its own seal', `It ${'moves water, '.repeat(9)}and stops.`, 'Seal'];
    expect(await text(lines.slice(0, 2))).toBe(lines.slice(0, 2).join('\n'));
    const list = ['Acme', 'York', 'Open on Monday', `It ${'moves water, '.repeat(9)}and stops.`, 'Seal'];
    expect((await text(list)).split('\n').slice(0, 4)).toEqual([...list.slice(0, 3), list.slice(3).join(' ')]);
  });
});
