import { missingOf } from '../../../src/answer/ask/index.js';
import { fitRouter, type PlacedQuestion } from '../../../src/prove/router/fit-router.js';
import type { PlaceSignal } from '../../../src/answer/ask/index.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { leastConfidence } from '../../../src/kernel/risk.js';

const PAPERS = { collections: ['papers'], adapters: ['routing'] };

const sentence = (score: number): PlacedQuestion['best'] => ({ score, probability: 0.6 });

/** The only collection there is, `papers`, is the nearest. */
const placed = (belongs: string | null, signal: PlaceSignal, logOdds: number): PlacedQuestion => ({
  belongs,
  source: null,
  nearest: { id: 'papers', signal },
  best: null,
  memberships: new Map([['routing', { logOdds, pValue: logOdds > 0 ? 0.5 : 0.01 }]]),
});

/** Questions of two places and of none: a place's own lie nearer to it, by its own measure of near. */
function questions(count: number, seed: number): PlacedQuestion[] {
  const random = seededRandom(seed);
  return (['papers', 'routing', null] as const).flatMap((belongs) =>
    Array.from({ length: count }, (): PlacedQuestion => {
      const top = (belongs === 'papers' ? 0.75 : 0.55) + 0.15 * (random() - 0.5);
      const logOdds = (belongs === 'routing' ? 3 : -3) + 2 * (random() - 0.5);
      return placed(belongs, { top, mean: top - 0.03, coverage: top }, logOdds);
    }),
  );
}

describe('fitting a router', () => {
  it('places questions that it has not seen, also those that belong nowhere, and is as sure as it is right', () => {
    const { collections, figures } = fitRouter(PAPERS, questions(80, 1));
    expect(collections).toMatchObject([{ id: 'papers', heldOut: { rows: 40 } }]);
    // As many of all else as of the adapter's own.
    expect(figures.questions).toBe(160);
    expect(figures.accuracy).toBeGreaterThan(0.92);
    expect(figures.commonest).toBe(0.5);
    expect(figures.calibrationError).toBeLessThan(0.1);
    expect(missingOf({ figures })).toBeNull();
  });

  it('is sure of an adapter whose membership is too modest', () => {
    const modest = questions(200, 1).map((question) => {
      const { logOdds, pValue } = question.memberships.get('routing')!;
      return { ...question, memberships: new Map([['routing', { logOdds: logOdds / 2 - 2, pValue }]]) };
    });
    const { adapterScore, figures } = fitRouter(PAPERS, modest);
    expect(adapterScore).toBeGreaterThan(0.5);
    expect(figures.calibrationError).toBeLessThan(0.1);
  });

  it('knows a collection that no foreign question comes to, by those that come to others', () => {
    const [papers, rest] = [questions(80, 1), { collections: ['papers', 'notes'], adapters: ['routing'] }];
    const notes = papers
      .filter(({ belongs }) => belongs === 'papers')
      .map((question) => ({ ...question, belongs: 'notes', nearest: { ...question.nearest!, id: 'notes' } }));
    const { collections } = fitRouter(rest, [...papers, ...notes]);
    expect(collections.map(({ id }) => id)).toEqual(['papers', 'notes']);
  });

  it('decides nothing where it isn’t shown to be better than the commonest place, and says what is missing', () => {
    const random = seededRandom(5);
    const alike = questions(60, 3).map(({ belongs }) =>
      placed(belongs, { top: random(), mean: random(), coverage: random() }, random() - 0.5),
    );
    const { figures } = fitRouter(PAPERS, alike);
    expect(figures.p).toBeGreaterThan(0.05);
    expect(missingOf({ figures })).toContain('not shown to be better than always taking the commonest place');
    // Two right more than the commonest place are no proof.
    expect(missingOf({ figures: { ...fitRouter(PAPERS, questions(2, 1)).figures } })).not.toBeNull();
    expect(missingOf({ figures: fitRouter(PAPERS, []).figures })).toContain('Nothing could be measured');
  });

  it('decides although an adapter has few rows and documents many questions, which it may take for its own', () => {
    const random = seededRandom(4);
    // Documents and messages of one subject: half of the questions look like messages, but find their sentence.
    const near = questions(80, 1)
      .filter(({ belongs }, i) => belongs !== 'routing' || i % 8 === 0)
      .map((question): PlacedQuestion => {
        if (question.belongs !== 'papers')
          return { ...question, best: question.belongs === null ? null : sentence(0.5 + 0.3 * random()) };
        if (random() < 0.5) return question;
        return {
          ...question,
          best: sentence(1 + 0.3 * random()),
          memberships: new Map([['routing', { logOdds: 3, pValue: 0.5 }]]),
        };
      });
    const evidence = new Map([['routing', Array.from({ length: 30 }, () => 0.5 + 0.3 * random())]]);
    expect(missingOf({ figures: fitRouter(PAPERS, near, evidence).figures })).toBeNull();
    expect(missingOf({ figures: fitRouter(PAPERS, near).figures })).not.toBeNull();
  });

  it('asks more of adapters that stand beside others: of several, one takes what is foreign to all by chance', () => {
    const random = seededRandom(6);
    const fitted = (adapters: number) => {
      const names = Array.from({ length: adapters }, (_, i) => `adapter ${i}`);
      const asked = [...names, null].flatMap((belongs) =>
        Array.from({ length: 200 }, (): PlacedQuestion => {
          // Conformal p-values: even for a message of the adapter's own, low for most of what is foreign to it.
          const pValueAt = (name: string): number => (name === belongs ? random() : random() ** 4);
          const memberships = new Map(names.map((name) => [name, { logOdds: 0, pValue: pValueAt(name) }]));
          return { belongs, source: null, nearest: null, best: null, memberships };
        }),
      );
      const { significance } = fitRouter({ collections: [], adapters: names }, asked);
      const takenFrom = (least: number, isForeign: boolean): number => {
        const of = asked.filter(({ belongs }) => (belongs === null) === isForeign);
        const taken = of.filter(({ memberships }) => [...memberships.values()].some(({ pValue }) => pValue >= least));
        return taken.length / of.length;
      };
      return { significance, takenFrom };
    };
    expect(fitted(1).significance).toBe(0.05);
    const { significance, takenFrom } = fitted(4);
    expect(takenFrom(significance, false)).toBeGreaterThan(0.95);
    expect(takenFrom(0.05, true)).toBeGreaterThan(0.9);
    expect(takenFrom(significance, true)).toBeLessThan(0.85);
  });

  describe('beside a collection of which hardly a question could be made', () => {
    const few = questions(80, 1).filter(({ belongs }, i) => belongs !== 'papers' || i % 20 === 0);

    it('asks an adapter that knows its messages', () => {
      const { collections, figures, risks } = fitRouter(PAPERS, few);
      expect(collections).toEqual([]);
      expect(figures).toMatchObject({ questions: 160 });
      // What is nobody's is read for and refused, as it was before there was an adapter: that is no fault of the router.
      expect(missingOf({ figures })).toBeNull();
      expect(leastConfidence(risks['routing']!, 0.1)).not.toBeNull();
    });

    it('decides nothing where an adapter takes nearly all that isn’t its own', () => {
      const random = seededRandom(2);
      const greedy = few.map((question) => {
        const isTaken = question.belongs === 'routing' || random() < 0.9;
        return {
          ...question,
          memberships: new Map([['routing', isTaken ? { logOdds: 3, pValue: 0.5 } : { logOdds: -3, pValue: 0.01 }]]),
        };
      });
      expect(missingOf({ figures: fitRouter(PAPERS, greedy).figures })).not.toBeNull();
    });
  });

  it('keeps how often routes were wrong for each destination by itself', () => {
    const { risks } = fitRouter(PAPERS, questions(80, 1));
    expect(Object.keys(risks).sort()).toEqual(['base', 'documents', 'routing']);
    expect(leastConfidence(risks['routing']!, 0.1)).not.toBeNull();
  });

  it('counts one decision of each passage, and measures on passages that fitted nothing', () => {
    const ofPassages = questions(80, 1).map((question, i) => ({
      ...question,
      source: question.belongs === 'papers' ? `passage ${Math.floor(i / 8)}` : null,
    }));
    const { risks, figures } = fitRouter(PAPERS, ofPassages);
    expect(figures.questions).toBe(160);
    // Five of each place: those with more questions don't answer for this one.
    expect(Object.values(risks).reduce((sum, curve) => sum + curve.at(-1)!.decisions, 0)).toBe(15);
  });

  it('promises no error rate of documents by the questions of others, which nearly always go right', () => {
    const random = seededRandom(3);
    const near = (own: boolean) => (own && random() < 0.7 ? 0.7 : 0.3) + 0.2 * (random() - 0.5);
    const about = (passages: number) =>
      (['papers', null] as const).flatMap((belongs) =>
        Array.from({ length: 120 }, (_, i) => {
          const [top, mean, coverage] = [0, 0, 0].map(() => near(belongs === 'papers')) as [number, number, number];
          const question = placed(belongs, { top, mean, coverage }, -3);
          return { ...question, source: belongs === null ? null : `passage ${i % passages}` };
        }),
      );
    const promised = (passages: number) =>
      leastConfidence(
        fitRouter({ collections: ['papers'], adapters: [] }, about(passages)).risks['documents'] ?? [],
        0.1,
      );
    expect(Array.from({ length: 5 }, () => promised(8)).filter((point) => point !== null)).toEqual([]);
  });

  it('takes documents for one place, however alike its collections are', () => {
    const random = seededRandom(9);
    const collections = ['north', 'south', 'east'];
    const about = (belongs: string | null): PlacedQuestion => {
      const near = () => (belongs === null ? 0.3 : 0.7) + 0.1 * (random() - 0.5);
      // Which of them has the best passage is chance.
      const id = collections[Math.floor(random() * 3)]!;
      const nearest = { id, signal: { top: near(), mean: near(), coverage: near() } };
      return { belongs, source: null, nearest, best: null, memberships: new Map() };
    };
    const asked = [...collections, null].flatMap((belongs) => Array.from({ length: 60 }, () => about(belongs)));
    const { figures } = fitRouter({ collections, adapters: [] }, asked);
    expect(figures.commonest).toBe(0.5);
    expect(figures.accuracy).toBeGreaterThan(0.9);
  });
});
