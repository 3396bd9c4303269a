import fc from 'fast-check';
import { Counting, OVERLAP } from '../../../src/ship/delivery/counting.js';

describe('how far answers are counted', () => {
  it('names those that are looked at again, each once, whatever the order in which they came', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 3 * OVERLAP }), { maxLength: 200 });
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 1, max: 50 }), (before, came, most) => {
        const last = BigInt(Math.max(0, ...before));
        const known = before.filter((sequence) => sequence > Number(last) - OVERLAP);
        const counting = new Counting({ last, recent: known.map(BigInt) });
        for (let at = 0; at < came.length; at += most) counting.add(came.slice(at, at + most).map(BigInt));
        const highest = Math.max(0, ...known, ...came);
        const expected = [...new Set([...known, ...came])].filter((each) => each > highest - OVERLAP);
        expect(counting.last).toBe(BigInt(highest));
        const [from, but] = counting.behind;
        expect(from).toBe(BigInt(highest - OVERLAP));
        const kept = counting.recent.slice(1, -1).split(',').filter(Boolean).map(Number);
        // Before anything came, what is known is as it was read.
        expect(kept).toEqual(expected.sort((a, b) => a - b));
        const ranges = (JSON.parse(but.replace(/^\{/, '[').replace(/\}$/, ']')) as [number, number][]).flatMap(
          ([a, b]) => Array.from({ length: b - a + 1 }, (_, n) => a + n),
        );
        expect(ranges).toEqual(kept);
        // Apart from one another: what follows one another is one.
        expect(but.split('[').length - 1).toBe(kept.filter((each, n) => each !== (kept[n - 1] ?? -1) + 1).length);
      }),
    );
  });
});
