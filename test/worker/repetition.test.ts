import fc from 'fast-check';
import { RepetitionWatch } from '../../src/kernel/repetition.js';

/** Tokens read until the watch stops, and how many of them it would keep. */
function readUntilStopped(tokens: readonly number[]): { read: number; kept: number } | null {
  const watch = new RepetitionWatch();
  for (const [index, token] of tokens.entries()) {
    const repetition = watch.push(token);
    if (repetition) return { read: index + 1, kept: repetition.kept };
  }
  return null;
}

const times = (piece: readonly number[], count: number): number[] => Array.from({ length: count }, () => piece).flat();
/** Tokens that differ all. */
const fresh = (count: number, from = 1_000): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('a repeated piece', () => {
  it('is stopped after four times and 32 tokens, and kept once', () => {
    expect(readUntilStopped([...fresh(5), ...times([7], 96)])).toEqual({ read: 37, kept: 6 });
    expect(readUntilStopped([...fresh(5), ...times([7, 8, 9], 96)])).toEqual({ read: 37, kept: 8 });
    expect(readUntilStopped([...fresh(5), ...times(fresh(20, 1), 96)])).toEqual({ read: 85, kept: 25 });
  });

  it('ends every endless loop of at most 48 tokens, soon and at the same place each time', () => {
    const piece = fc.array(fc.nat(20), { minLength: 1, maxLength: 48 });
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 20 }), piece, (before, looped) => {
        const tokens = [...before, ...times(looped, 64)];
        const stopped = readUntilStopped(tokens);
        expect(stopped).toEqual(readUntilStopped(tokens));
        expect(stopped?.read).toBeLessThanOrEqual(before.length + Math.max(32, 4 * looped.length));
      }),
    );
  });

  it('loses nothing but repetitions: what is kept, and its end again and again, is all that was read', () => {
    const piece = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 60 }), piece, (before, looped) => {
        const tokens = [...before, ...times(looped, 40)];
        const { read, kept } = readUntilStopped(tokens)!;
        const lost = tokens.slice(kept, read);
        const fits = (length: number): boolean =>
          lost.every((token, index) => token === tokens[kept - length + (index % length)]);
        expect(Array.from({ length: Math.min(48, kept) }, (_, index) => index + 1).some(fits)).toBe(true);
      }),
    );
  });

  it('is none in lists, tables and rules that repeat a little', () => {
    expect(readUntilStopped(times([7], 31))).toBeNull();
    expect(readUntilStopped(times(fresh(30, 1), 3))).toBeNull();
    const rows = Array.from({ length: 50 }, (_, row) => [1, 2, 3, 1_000 + row, 4, 5]).flat();
    expect(readUntilStopped(rows)).toBeNull();
  });
});
