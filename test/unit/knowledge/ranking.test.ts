import fc from 'fast-check';
import { fuse } from '../../../src/sources/knowledge/retrieval/fuse.js';
import { indexText, lexicalText } from '../../../src/sources/knowledge/indexing/lexical-text.js';

const chunk = (chunkId: string, score: number, collectionId = 'c') => ({ chunkId, collectionId, score });

describe('fuse', () => {
  it('weighs min-max normalised scores, and keeps the raw ones with their ranks', () => {
    const fused = fuse(
      'HYBRID',
      [chunk('a', 0.9), chunk('b', 0.5), chunk('d', 0.1)],
      [chunk('b', 12), chunk('c', 4)],
      () => 0.6,
    );
    expect(fused).toEqual([
      {
        chunkId: 'b',
        scores: { dense: 0.5, lexical: 12, fused: expect.closeTo(0.6 * 0.5 + 0.4), denseRank: 2, lexicalRank: 1 },
      },
      {
        chunkId: 'a',
        scores: { dense: 0.9, lexical: null, fused: expect.closeTo(0.6), denseRank: 1, lexicalRank: null },
      },
      { chunkId: 'c', scores: { dense: null, lexical: 4, fused: 0, denseRank: null, lexicalRank: 2 } },
      { chunkId: 'd', scores: { dense: 0.1, lexical: null, fused: 0, denseRank: 3, lexicalRank: null } },
    ]);
  });

  it('goes by BM25 alone when there are no vectors, whatever the weight', () => {
    const fused = fuse('HYBRID', [], [chunk('a', 3), chunk('b', 2)], () => 0.9);
    expect(fused.map(({ scores }) => scores.fused)).toEqual([1, 0]);
  });

  it('uses the weight of each passage’s own collection', () => {
    const [first] = fuse('HYBRID', [chunk('a', 1, 'x'), chunk('b', 0.9, 'y'), chunk('z', 0, 'x')], [], (id) =>
      id === 'x' ? 0.2 : 1,
    );
    expect(first?.chunkId).toBe('b');
  });

  it('gives every candidate once, with a score in 0..1, in order, the same each time', () => {
    const list = fc
      .uniqueArray(fc.tuple(fc.nat(30), fc.double({ min: -1, max: 50, noNaN: true })), { selector: ([id]) => id })
      .map((pairs) => pairs.map(([id, score]) => chunk(`c${id}`, score)).sort((a, b) => b.score - a.score));
    fc.assert(
      fc.property(list, list, fc.double({ min: 0, max: 1, noNaN: true }), (dense, lexical, weight) => {
        const fused = fuse('HYBRID', dense, lexical, () => weight);
        expect(new Set(fused.map(({ chunkId }) => chunkId))).toEqual(
          new Set([...dense, ...lexical].map(({ chunkId }) => chunkId)),
        );
        const scores = fused.map(({ scores: { fused: score } }) => score);
        expect(scores.every((score) => score >= 0 && score <= 1 + 1e-9)).toBe(true);
        expect([...scores].sort((a, b) => b - a)).toEqual(scores);
        expect(fuse('HYBRID', [...dense], [...lexical], () => weight)).toEqual(fused);
      }),
    );
  });
});

describe('lexicalText', () => {
  it.each([
    ['TCP/IP on node.js', 'tcp ip on node js'],
    ['e-mail me@host.example', 'e mail me host example'],
    ['Version 3.5.1, 1,000 units; 12,34', 'version 3.5.1 1000 units 12 34'],
    ['max_tokens — “quoted” don’t', 'max tokens quoted don t'],
    ['Ｆｕｌｌ ﬁne CAFÉ', 'full fine café'],
    ['a 10kg bag for 9AM, 5µm fine, the 19th in 3D', 'a 10 kg bag for 9 am 5 μm fine the 19th in 3d'],
    ['ends 3.', 'ends 3'],
  ])('reads %s as %s', (text, expected) => {
    expect(lexicalText(text)).toBe(expected);
  });

  it('leaves only letters, digits, marks, points inside numbers and single spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(lexicalText(text)).toMatch(/^(?:[\p{L}\p{N}\p{M}.]+(?: [\p{L}\p{N}\p{M}.]+)*)?$/u);
      }),
    );
  });
});

describe('indexText', () => {
  it('adds the headings that the chunk does not say itself', () => {
    expect(indexText({ headings: ['Guide', 'Pump'], text: 'Pump\n\nIt hums.' })).toBe('Guide\nPump\n\nIt hums.');
    expect(indexText({ headings: [], text: 'It hums.' })).toBe('It hums.');
  });
});
