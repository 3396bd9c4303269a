import fc from 'fast-check';
import { reusable, sliceEnd, slicesFor, type Slices } from '../../gpu-worker/engines/inference/slices.js';

/** Of each place of a prompt, read from a place on, whether it was in a batch of 64 and more. */
function read(from: number, tokens: number, slices: Slices): boolean[] {
  const large: boolean[] = [];
  for (let at = from; at < tokens;) {
    const end = sliceEnd(at, tokens, slices);
    expect(end).toBeGreaterThan(at);
    for (let place = at; place < end; place += 1) large[place] = end - at >= 64;
    at = end;
  }
  return large;
}

describe('the slices of a prompt', () => {
  const speed = fc.double({ min: 1, max: 100_000, noNaN: true });
  const batch = fc.constantFrom(16, 64, 100, 256, 512);
  const size = fc.integer({ min: 1, max: 3_000 });

  it('read each place in the same way, whatever an earlier prompt has read of it', () => {
    fc.assert(
      fc.property(speed, batch, size, size, fc.nat(3_000), (tokensPerSecond, batchTokens, first, second, common) => {
        const slices = slicesFor(tokensPerSecond, batchTokens);
        // What an earlier prompt keeps ends where its last whole batch did.
        const kept = reusable(Math.min(common, first, second - 1), slices);
        const before = read(0, first, slices).slice(0, kept);
        const fresh = read(0, second, slices);
        const rest = read(kept, second, slices);
        expect([...before, ...rest.slice(kept)]).toEqual(fresh);
      }),
    );
  });

  it('are no larger than a batch, and take a quarter of a second where batches of 64 don’t take more', () => {
    fc.assert(
      fc.property(speed, batch, size, (tokensPerSecond, batchTokens, tokens) => {
        const slices = slicesFor(tokensPerSecond, batchTokens);
        for (let at = 0; at < tokens;) {
          const end = sliceEnd(at, tokens, slices);
          expect(end - at).toBeLessThanOrEqual(batchTokens);
          expect(end - at).toBeLessThanOrEqual(Math.max(64, tokensPerSecond / 4));
          at = end;
        }
      }),
    );
  });
});
