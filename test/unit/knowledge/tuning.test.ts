import {
  chooseWeight,
  reciprocalRank,
  type AskedQuestion,
} from '../../../src/sources/knowledge/tuning/choose-weight.js';
import { makeAnsweredQuestions } from '../../../src/sources/knowledge/tuning/cloze-answers.js';
import { clozeQuestion, clozeSentence } from '../../../src/sources/knowledge/tuning/cloze.js';

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

describe('a question with its answer', () => {
  const made = async (sentence: string) => {
    const passages = [sentence, 'Whoever has to sell a Fernholt must ask the others before doing so today.'];
    const chunks = passages.map((text, i) => ({ id: `c${i}`, text }));
    const stopWords = new Set(['the', 'a', 'to', 'has', 'must', 'so', 'of', 'in']);
    const weigh = (word: string) => ({ stem: word.toLowerCase(), idf: word === 'Fernholt' ? 1 : 3 });
    const parts = {
      documents: { drawChunks: () => Promise.resolve(chunks) },
      retriever: {
        termWeights: (_scope: unknown, words: readonly string[]) =>
          Promise.resolve(
            new Map(words.filter((word) => !stopWords.has(word.toLowerCase())).map((word) => [word, weigh(word)])),
          ),
      },
    };
    const scope = { collections: [{ id: 'c', language: 'english' }] } as never;
    const questions = await makeAnsweredQuestions(parts, scope, { most: 50, seed: 1 });
    return questions.filter(({ chunkId }) => chunkId === 'c0');
  };

  it('asks for a name that another passage has, too', async () => {
    const [question] = await made('In the cellar of the mill one old Fernholt opens seven green valves slowly.');
    expect(question).toMatchObject({ answer: 'Fernholt' });
    expect(question!.question).not.toContain('Fernholt');
  });

  it('is none where the sentence says the name a second time', async () => {
    expect(await made('In the cellar of the Fernholt one old Fernholt opens seven green valves slowly.')).toEqual([]);
  });
});
