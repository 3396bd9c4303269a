import fc from 'fast-check';
import { directionOf, signalOfSample } from '../../../../src/ask/route/router/signals.js';

const sample = { adapterVersionId: 'v', dimensions: 2, vectors: Float32Array.of(1, 0, 0, 1), direction: null };
const at = Float32Array.of(1, 0);

describe('what is known of how much a question is like an adapter’s inputs', () => {
  it('is how near the nearest of them lie', () => {
    expect(signalOfSample(sample, at, 'Refund?')).toMatchObject({ top: 1, mean: 0.5 });
  });

  it('is how much more it is like their mean than like that of all else', () => {
    const direction = directionOf(Float32Array.of(1, 0, 0.8, 0.6), Float32Array.of(0, 1), 2);
    expect([...direction].map((value) => Number(value.toFixed(4)))).toEqual([0.9, -0.7]);
    expect(signalOfSample({ ...sample, direction }, at, '').kind).toBeCloseTo(0.9, 5);
    expect(signalOfSample(sample, at, '').kind).toBe(0);
  });

  it('is the form of the text: its length, whether it asks, its capitals and digits', () => {
    const form = (text: string) => signalOfSample(sample, at, text);
    expect(form('BRUSSELS 1996-08-22').asks).toBe(0);
    expect(form('BRUSSELS 1996-08-22').capitals).toBeCloseTo(0.25);
    expect(form('BRUSSELS 1996-08-22').digits).toBeCloseTo(8 / 19);
    expect(form('¿Dónde está?  ')).toMatchObject({ asks: 1, words: Math.log(3) });
    expect(form('どこですか？').asks).toBe(1);
  });

  it('is numbers for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Object.values(signalOfSample(sample, at, text)).every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
