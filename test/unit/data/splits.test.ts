import fc from 'fast-check';
import {
  DEFAULT_SPLIT_RULE,
  Split,
  splitOfGroup,
  splitOfWord,
} from '../../../src/sources/data/datasets/importing/splits.js';

describe('splitOfGroup', () => {
  it('gives a group its split whatever else is there, and another one under another seed', () => {
    fc.assert(
      fc.property(fc.string(), (key) =>
        expect(splitOfGroup(key, DEFAULT_SPLIT_RULE)).toBe(splitOfGroup(key, { ...DEFAULT_SPLIT_RULE })),
      ),
    );
    const keys = Array.from({ length: 500 }, (_, i) => `row ${i}`);
    const moved = keys.filter(
      (key) => splitOfGroup(key, DEFAULT_SPLIT_RULE) !== splitOfGroup(key, { ...DEFAULT_SPLIT_RULE, seed: 'other' }),
    );
    expect(moved.length).toBeGreaterThan(50);
  });

  it('never moves a row out of the test split when the test share grows', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 0.4, noNaN: true }), (key, test) => {
        if (splitOfGroup(key, { seed: 's', test, validation: 0.1 }) === Split.TEST)
          expect(splitOfGroup(key, { seed: 's', test: test + 0.1, validation: 0.1 })).toBe(Split.TEST);
      }),
    );
  });

  it('keeps to the shares', () => {
    const counts = { TRAIN: 0, VALIDATION: 0, TEST: 0 };
    for (let i = 0; i < 20_000; i++) counts[splitOfGroup(`k${i}`, { seed: 's', validation: 0.1, test: 0.2 })]++;
    expect(counts.VALIDATION / 20_000).toBeCloseTo(0.1, 1);
    expect(counts.TEST / 20_000).toBeCloseTo(0.2, 1);
  });
});

it('understands the words that public sets use', () => {
  expect(['train', ' Dev', 'VALID', 'test', 'holdout'].map(splitOfWord)).toEqual([
    'TRAIN',
    'VALIDATION',
    'VALIDATION',
    'TEST',
    null,
  ]);
});
