import { chooseWeight, reciprocalRank, type AskedQuestion } from '../../../src/knowledge/tuning/choose-weight.js';
import { clozeQuestion, clozeSentence } from '../../../src/knowledge/tuning/cloze.js';

const list = (...ids: string[]) => ids.map((chunkId, i) => ({ chunkId, collectionId: 'c', score: 1 - i / 10 }));
/** Meaning finds `a` first and words `b`. */
const asked = (right: string): AskedQuestion => ({
  dense: list('a', 'x', 'b'),
  lexical: list('b', 'y', 'a'),
  right: new Set([right]),
});
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

describe('the choice of a weight', () => {
  it('follows what finds the right passages', () => {
    expect(reciprocalRank(asked('a'), 1)).toBe(1);
    expect(reciprocalRank(asked('a'), 0)).toBeLessThan(1);
    expect(
      chooseWeight(
        times(40, () => asked('a')),
        0.3,
      ).denseWeight,
    ).toBeGreaterThanOrEqual(0.5);
    expect(
      chooseWeight(
        times(40, () => asked('b')),
        0.6,
      ).denseWeight,
    ).toBeLessThan(0.5);
  });

  it('stays as it is where nothing is gained, or where the held-out half gains nothing', () => {
    expect(
      chooseWeight(
        times(40, () => asked('nowhere')),
        0.35,
      ).denseWeight,
    ).toBe(0.35);
    const { denseWeight, tried } = chooseWeight(
      times(40, (i) => asked(i % 2 === 0 ? 'a' : 'b')),
      0.3,
    );
    expect(denseWeight).toBe(0.3);
    expect(tried.find((each) => each.denseWeight === 1)).toMatchObject({ chosenOn: 1 });
    expect(tried.find((each) => each.denseWeight === 0)).toMatchObject({ heldOut: 1 });
  });
});

describe('a cloze question', () => {
  it('is a sentence without the rarer half of its words', () => {
    const sentence = 'The pump in the old mill runs at high pressure.';
    const rarity = { pump: 3, old: 1, mill: 5, runs: 1, high: 1, pressure: 2 };
    const weights = new Map(Object.entries(rarity).map(([word, idf]) => [word, { stem: word, idf }]));
    expect(clozeQuestion(sentence, weights)).toBe('The in the old runs at high');
    expect(clozeQuestion(sentence, new Map([...weights].slice(0, 3)))).toBeNull();
  });

  it('is made of sentences only that are neither scraps nor tables', () => {
    const sentence = 'The pump in the old mill runs at high pressure.';
    expect(clozeSentence(`Short. ${sentence}`, 0.99)).toBe(sentence);
    expect(clozeSentence('Short. Too short as well.', 0)).toBeNull();
  });
});
