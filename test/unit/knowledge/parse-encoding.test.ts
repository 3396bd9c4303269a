import { parse } from './reading.js';

const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const CUT = /Read as UTF-8.*replaced/;

describe('UTF-8 with a few damaged characters', () => {
  it.each([
    ['one beside a closing quotation mark', bytes('“Café” is op', [0xe9], 'n.'), '“Café” is op\ufffdn.'],
    ['one at its end, cut off', bytes('Zürich, Genève, Köln', [0xe2, 0x82]), 'Zürich, Genève, Köln\ufffd'],
    [
      'thirty of ten thousand',
      bytes('ä'.repeat(10_000), Array<number>(30).fill(0xff)),
      'ä'.repeat(10_000) + '\ufffd'.repeat(30),
    ],
  ])('is read as UTF-8, and its notes say so: %s', async (_what, source, text) => {
    expect(await parse(source)).toMatchObject({ text, notes: [expect.stringMatching(CUT)] });
  });

  it.each([
    ['of which none is UTF-8', Buffer.from('café à Genève', 'latin1')],
    ['of which most are not', bytes('Café', [0xe9], ' ', [0xe8])],
    ['of a page that names another', bytes('<html><meta charset="iso-8859-1">Ã©', [0xe9], 'ÃÃÃ')],
  ])('is not what a text has %s', async (_what, source) => {
    expect((await parse(source)).notes.join()).not.toMatch(CUT);
  });

  it('is no binary file that holds some', async () => {
    const source = bytes('“Café” ', [0xe9, 0, 1, 2]);
    await expect(parse(source)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });
});
