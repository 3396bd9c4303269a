import { abstention, LEAST_PROBABILITY } from '../../../src/answer/ask/abstention.js';
import { ExpectedTimes } from '../../../src/answer/ask/route/expected-times.js';
import { decideRoute, previewOf, withReason, type RouteFeatures } from '../../../src/answer/ask/route/route.js';
import { evidenceOf } from './support.js';

const features: RouteFeatures = {
  choice: 'AUTO',
  named: false,
  adapter: null,
  labelledRows: null,
  expectedMs: {},
  readable: { collections: 2, chunks: 40 },
};

describe('decideRoute', () => {
  it('reads where there is something to read', () => {
    const route = decideRoute({ ...features, expectedMs: { RAG: 700 } });
    expect(route).toMatchObject({ strategy: 'RAG', chosenBy: 'ROUTER' });
    expect(route.reasons).toEqual([
      {
        feature: 'collections.chunks',
        value: 40,
        contribution: 1,
        sentence: '2 collections with 40 passages can be read.',
      },
    ]);
    expect(route.candidates).toContainEqual({ strategy: 'RAG', available: true, probability: null, expectedMs: 700 });
    expect(route.candidates).toContainEqual(expect.objectContaining({ strategy: 'HYBRID', available: false }));
  });

  it('reads though there is nothing to read, which refuses: the base model would invent an answer', () => {
    for (const named of [false, true]) {
      const route = decideRoute({ ...features, named, readable: { collections: 1, chunks: 0 } });
      expect(route).toMatchObject({ strategy: 'RAG', chosenBy: 'ROUTER' });
      expect(route.reasons.at(-1)).toMatchObject({ contribution: -1, sentence: 'There is no passage to read.' });
    }
  });

  it('foresees that a question is nobody’s where there is nothing to read', () => {
    const empty = decideRoute({ ...features, readable: { collections: 1, chunks: 0 } });
    expect(previewOf(empty, null)).toMatchObject({ destination: 'NOBODY' });
    expect(previewOf(decideRoute(features), null)).toMatchObject({ destination: 'DOCUMENTS' });
  });

  it('obeys the caller and says so', () => {
    for (const choice of ['BASE', 'RAG', 'ADAPTER', 'HYBRID'] as const) {
      const route = decideRoute({ ...features, choice, adapter: 'routing' });
      expect(route.candidates).toContainEqual(expect.objectContaining({ strategy: choice, available: true }));
      expect(route).toMatchObject({ strategy: choice, chosenBy: 'CALLER' });
      expect(route.reasons[0]).toMatchObject({ feature: 'strategy.requested', contribution: 1 });
    }
  });

  it('says nothing of passages that nobody looked for', () => {
    const route = decideRoute({ ...features, choice: 'BASE', readable: null });
    expect(route.reasons.map(({ feature }) => feature)).toEqual(['strategy.requested']);
    expect(route.candidates.map(({ strategy }) => strategy)).not.toContain('RAG');
    expect(route.candidates).toContainEqual(expect.objectContaining({ strategy: 'ADAPTER', available: false }));
  });

  it('adds what is seen later without changing what was told before', () => {
    const route = decideRoute(features);
    const reason = { feature: 'retrieval.degraded', value: 1, contribution: -1, sentence: 'No vectors.' };
    expect(withReason(route, reason).reasons.at(-1)).toBe(reason);
    expect(route.reasons).toHaveLength(1);
    expect(withReason(route, null)).toBe(route);
  });

  it('expects the median of the last answers', () => {
    const times = new ExpectedTimes(3);
    for (const ms of [5_000, 100, 300, 200]) times.add('RAG', ms);
    expect(times.medians()).toEqual({ RAG: 200 });
  });
});

describe('abstention', () => {
  const good = evidenceOf('x', { coverage: 0.9, similarity: 0.7 });
  const poor = evidenceOf('x', {
    coverage: 0.2,
    similarity: 0.15,
    scores: { ...good.scores, dense: 0.2 },
  });

  it('says why there is no answer, in the order in which things can be missing', () => {
    expect(abstention(0, [])).toMatchObject({ reason: 'NO_DOCUMENTS', probability: null });
    expect(abstention(3, [])).toMatchObject({ reason: 'NOTHING_FOUND', probability: null });
    expect(abstention(3, [poor])).toMatchObject({ reason: 'LOW_RELEVANCE', threshold: LEAST_PROBABILITY });
    expect(abstention(3, [good])).toBeNull();
  });
});
