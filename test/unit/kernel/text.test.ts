import fc from 'fast-check';
import { beginningInBytes } from '../../../src/kernel/text.js';

describe('beginningInBytes', () => {
  it('takes whole characters, as many as the bytes have room for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 4, max: 40 }), (text, most) => {
        const cut = beginningInBytes(text, most);
        expect(text.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
        const next = [...text.slice(cut.length)][0];
        if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(most);
      }),
    );
  });
});
