import fc from 'fast-check';
import { chooseLabelTokens } from '../../../src/learn/training/recipes/label-tokens.js';

describe('label tokens', () => {
  it('gives a label the first token of its own words where nobody else needs it', () => {
    const labels = [
      { label: 'card arrival', tokens: [1, 2] },
      { label: 'refund', tokens: [3] },
    ];
    expect(chooseLabelTokens(labels)).toEqual([
      { label: 'card arrival', token: 1 },
      { label: 'refund', token: 3 },
    ]);
  });

  it('moves a label on to a later word for one that has no other', () => {
    const labels = [
      { label: 'card arrival', tokens: [1, 2] },
      { label: 'card linking', tokens: [1, 3] },
      { label: 'card', tokens: [1] },
    ];
    const tokens = chooseLabelTokens(labels).map(({ token }) => token);
    expect(tokens).toEqual([2, 3, 1]);
  });

  it('refuses a set that can’t be told apart by one token each, and names a label', () => {
    const labels = ['a', 'b', 'c'].map((label) => ({ label, tokens: [1, 2] }));
    expect(() => chooseLabelTokens(labels)).toThrow(expect.objectContaining({ code: 'DATASET_UNUSABLE' }));
  });

  it('refuses a label that has no other to be told from', () => {
    for (const labels of [[], [{ label: 'refund', tokens: [1] }]])
      expect(() => chooseLabelTokens(labels)).toThrow(/nothing to tell apart/);
  });

  it('never gives two labels one token, nor a label a token that isn’t its own', () => {
    const candidates = fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 5 }), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(candidates, (lists) => {
        const labels = lists.map((tokens, i) => ({ label: `label ${i}`, tokens }));
        let chosen;
        try {
          chosen = chooseLabelTokens(labels);
        } catch {
          // Hall's theorem: only a group of labels with fewer tokens than members can't be served.
          expect(hasTightGroup(lists)).toBe(true);
          return;
        }
        expect(new Set(chosen.map(({ token }) => token)).size).toBe(labels.length);
        chosen.forEach(({ token }, i) => expect(lists[i]).toContain(token));
      }),
    );
  });
});

/** Whether some group of labels has fewer tokens together than it has members. */
function hasTightGroup(lists: readonly (readonly number[])[]): boolean {
  for (let group = 1; group < 2 ** lists.length; group++) {
    const members = lists.filter((_, i) => (group >> i) & 1);
    if (new Set(members.flat()).size < members.length) return true;
  }
  return false;
}
