import fc from 'fast-check';
import { summarised, toldChange } from '../../../src/operate/access/audit/audit.js';
import { personIn } from '../../../src/operate/access/oidc/claims.js';
import { flagValues } from '../../../src/sources/data/datasets/validation/flags.js';
import { beginningOf, storable } from '../../../src/kernel/text.js';
import { shown } from '../../../src/platform/runs/run.js';

const EMOJI = '😀';

describe('a text that is cut to be stored', () => {
  it('begins as it did, and ends between two characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, most) => {
        const cut = beginningOf(storable(text), most);
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(storable(text).startsWith(cut)).toBe(true);
        expect(storable(text).length - cut.length === 0 || cut.length >= most - 1).toBe(true);
      }),
    );
  });

  it.each<[string, (text: string) => unknown, number]>([
    ['a message of a run', shown, 2_000],
    ['a note on a row', (text) => flagValues({ ordinal: 0, rule: 'x', note: text, related: null })[2], 400],
    ['what a change says of itself', (text) => (toldChange({ note: text }) as { note: string }).note, 200],
    ['the name of a person who signs in', (text) => personIn({ sub: text }, 'https://issuer').name, 100],
  ])('is one that JSON columns take: %s', (_what, stored, most) => {
    for (let before = most - 3; before <= most; before++) {
      const text = stored('x'.repeat(before) + EMOJI + 'and so on') as string;
      expect(text.isWellFormed()).toBe(true);
      expect(text.length).toBeLessThanOrEqual(most);
    }
  });

  it('is stored in the audit as a column of JSON takes it, whoever sent half a character', () => {
    expect(summarised({ name: `half ${EMOJI[0]} and NUL\0` })).toEqual({ name: 'half \ufffd and NUL' });
  });
});
