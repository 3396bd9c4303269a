import { withApproved } from '../../../src/ask/route/router/router.js';
import { fitRouter, type PlacedQuestion } from '../../../src/evaluation/router/fit-router.js';
import type { PlaceSignal } from '../../../src/ask/index.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { leastConfidence } from '../../../src/kernel/risk.js';

/** Questions of two places and of none: a place's own lie nearer to it, by its own measure of near. */
function questions(count: number, seed: number): PlacedQuestion[] {
  const random = seededRandom(seed);
  const near = { papers: [0.75, 0.55], routing: [0.5, 0.2] } as const;
  return (['papers', 'routing', null] as const).flatMap((belongs) =>
    Array.from({ length: count }, (): PlacedQuestion => {
      const signals = Object.entries(near).map(([id, [own, foreign]]) => {
        const top = (id === belongs ? own : foreign) + 0.15 * (random() - 0.5);
        return [id, { top, mean: top - 0.03, coverage: id === 'papers' ? top : 0 }] as const;
      });
      return placed(belongs, new Map(signals));
    }),
  );
}

/** The only collection there is, `papers`, is the nearest. */
const placed = (belongs: string | null, signals: Map<string, PlaceSignal>): PlacedQuestion => ({
  belongs,
  source: null,
  signals,
  nearest: { id: 'papers', signal: signals.get('papers') ?? null },
});

const PLACES = [
  { id: 'papers', strategy: 'RAG' as const },
  { id: 'routing', strategy: 'ADAPTER' as const },
];

describe('fitting a router', () => {
  it('places questions that it has not seen, also those that belong nowhere, and is as sure as it is right', () => {
    const { places, figures } = fitRouter(PLACES, questions(80, 1));
    expect(places.map(({ id }) => id)).toEqual(['papers', 'routing']);
    expect(figures.questions).toBe(120);
    expect(figures.accuracy).toBeGreaterThan(0.95);
    expect(figures.commonest).toBeCloseTo(1 / 3, 2);
    expect(figures.calibrationError).toBeLessThan(0.1);
  });

  it('keeps how often held-out routes were wrong above each probability', () => {
    const { risk, figures } = fitRouter(PLACES, questions(80, 1));
    expect(risk.at(-1)).toMatchObject({ decisions: 120, wrong: Math.round(120 * (1 - figures.accuracy)) });
    expect(leastConfidence(risk, 0.05)).not.toBeNull();
  });

  it('counts one decision of each passage, and measures on passages that fitted nothing', () => {
    const ofPassages = questions(80, 1).map((question, i) => ({
      ...question,
      source: question.belongs === 'papers' ? `passage ${Math.floor(i / 8)}` : null,
    }));
    const { risk, figures } = fitRouter(PLACES, ofPassages);
    expect(figures.questions).toBe(120);
    // Five of each place: those with more questions don't answer for this one.
    expect(risk.at(-1)).toMatchObject({ decisions: 15 });
  });

  it('promises no error rate by the questions of nobody, which nearly always go right, where there are few about documents', () => {
    const random = seededRandom(3);
    const near = (own: boolean) => (own && random() < 0.7 ? 0.7 : 0.3) + 0.2 * (random() - 0.5);
    const about = (passages: number) =>
      (['papers', null] as const).flatMap((belongs) =>
        Array.from({ length: 120 }, (_, i) => {
          const [top, mean, coverage] = [0, 0, 0].map(() => near(belongs === 'papers')) as [number, number, number];
          const question = placed(belongs, new Map([['papers', { top, mean, coverage }]]));
          return { ...question, source: belongs === null ? null : `passage ${i % passages}` };
        }),
      );
    const promised = (passages: number) => leastConfidence(fitRouter([PLACES[0]!], about(passages)).risk, 0.1);
    expect(Array.from({ length: 5 }, () => promised(8)).filter((point) => point !== null)).toEqual([]);
  });

  it('is measured with what people’s words added to scores, and holds for nothing else', () => {
    const plain = fitRouter(PLACES, questions(80, 1));
    const moved = fitRouter(PLACES, questions(80, 1), { routing: 6 });
    expect(moved.risk.at(-1)!.wrong).toBeGreaterThan(plain.risk.at(-1)!.wrong);

    const learned = { ...plain, collections: [], adapters: [{ versionId: 'r', name: 'routing', version: 1 }] };
    const found = learned as unknown as Parameters<typeof withApproved>[0];
    expect(withApproved(found, {})).toHaveProperty('risk');
    expect(withApproved(found, { 'routing@1': 2 })).not.toHaveProperty('risk');
    const measured = { ...found, offsets: { 'routing@1': 2, 'gone@1': 1 } };
    expect(withApproved(measured, { 'routing@1': 2, 'gone@1': 1 })).toMatchObject({
      risk: plain.risk,
      offsets: { 'routing@1': 2 },
    });
  });

  it('leaves out a place that has too few questions to be known by', () => {
    const few = questions(80, 1).filter(({ belongs }, i) => belongs !== 'routing' || i % 20 === 0);
    expect(fitRouter(PLACES, few).places.map(({ id }) => id)).toEqual(['papers']);
  });

  it('is no surer than its data where two places can’t be told apart', () => {
    const random = seededRandom(5);
    const alike = questions(60, 3).map(({ belongs }) =>
      placed(belongs, new Map(PLACES.map(({ id }) => [id, { top: random(), mean: random(), coverage: random() }]))),
    );
    expect(fitRouter(PLACES, alike).figures.calibrationError).toBeLessThan(0.2);
  });

  it('takes documents for one place, however alike its collections are', () => {
    const random = seededRandom(9);
    const collections = ['north', 'south', 'east'];
    const about = (belongs: string | null): PlacedQuestion => {
      const near = () => (belongs === null ? 0.3 : 0.7) + 0.1 * (random() - 0.5);
      const signals = new Map(collections.map((id) => [id, { top: near(), mean: near(), coverage: near() }]));
      // Which of them has the best passage is chance.
      const id = collections[Math.floor(random() * 3)]!;
      return { belongs, source: null, signals, nearest: { id, signal: signals.get(id)! } };
    };
    const places = collections.map((id) => ({ id, strategy: 'RAG' as const }));
    const asked = [...collections, null].flatMap((belongs) => Array.from({ length: 60 }, () => about(belongs)));
    const { figures, risk } = fitRouter(places, asked);
    expect(figures).toMatchObject({ accuracy: 1, commonest: 0.75 });
    expect(leastConfidence(risk, 0.05)).not.toBeNull();
  });

  it('is measured as it is served: what is not probable enough for the base model is read', () => {
    const random = seededRandom(11);
    // Half of the questions of nobody look like some about the papers.
    const asked = (['papers', null] as const).flatMap((belongs) =>
      Array.from({ length: 200 }, () => {
        const top = belongs === null || random() < 0.5 ? 0.3 : 0.8;
        return placed(belongs, new Map([['papers', { top, mean: top, coverage: top }]]));
      }),
    );
    const { figures, risk } = fitRouter([PLACES[0]!], asked);
    // Of the base model nothing is surer than 2 in 3, so it is never chosen: all questions are read, and those of nobody are wrong.
    expect(figures.accuracy).toBe(0.5);
    expect(risk.at(-1)).toMatchObject({ decisions: 200, wrong: 100 });
  });
});
