import type { FittedOn } from '../../../src/answer/ask/index.js';
import { ALL_SEEN } from '../../../src/sources/knowledge/index.js';
import { changesSince, type Places } from '../../../src/prove/router/places.js';

const THEN: FittedOn = {
  mark: '01a00000-0000-7000-8000-000000000000',
  collections: [
    { id: 'a', name: 'manuals', passages: 100 },
    { id: 'b', name: 'letters', passages: 40 },
  ],
  adapters: [{ versionId: 'v1', name: 'routing', version: 1 }],
};
const NOW: Places = {
  sight: ALL_SEEN,
  collections: [collection('a', 'manuals', 100), collection('b', 'letters', 40)],
  adapters: [{ versionId: 'v1', name: 'routing', version: 1, datasetVersionId: 'd' }],
};

function collection(id: string, name: string, chunks: number): Places['collections'][number] {
  return { id, name, documents: 1, chunks, language: 'english', denseWeight: 0.6, staleDocuments: 0, indexes: [] };
}
const changed = (now: Partial<Places>, added: Record<string, number> = {}) =>
  changesSince(THEN, { ...NOW, ...now }, new Map(Object.entries(added))).map(({ name, change }) => `${name} ${change}`);
const manuals = (chunks: number): Partial<Places> => ({
  collections: [collection('a', 'manuals', chunks), NOW.collections[1]!],
});

describe('what changed since the router was fitted', () => {
  it('is nothing while less than a tenth of a collection’s passages came, went or were replaced', () => {
    expect(changed({})).toEqual([]);
    expect(changed(manuals(109), { a: 9 })).toEqual([]);
    expect(changed(manuals(91))).toEqual([]);
    expect(changed(manuals(100), { a: 4 })).toEqual([]);
  });

  it('is a collection of which a tenth came, went or was replaced', () => {
    expect(changed(manuals(110), { a: 10 })).toEqual(['manuals CHANGED']);
    expect(changed(manuals(90))).toEqual(['manuals CHANGED']);
    expect(changed(manuals(100), { a: 5 })).toEqual(['manuals CHANGED']);
  });

  it('is a place that came or is gone, and another version in production', () => {
    expect(changed({ collections: [...NOW.collections, collection('c', 'invoices', 3)] })).toEqual(['invoices ADDED']);
    expect(changed({ collections: [NOW.collections[0]!] })).toEqual(['letters REMOVED']);
    const [adapter] = NOW.adapters;
    expect(changed({ adapters: [{ ...adapter!, versionId: 'v2', version: 2 }] })).toEqual(['routing@2 CHANGED']);
    expect(changed({ adapters: [] })).toEqual(['routing@1 REMOVED']);
    expect(changed({ adapters: [adapter!, { ...adapter!, versionId: 'w', name: 'moods' }] })).toEqual([
      'moods@1 ADDED',
    ]);
  });
});
