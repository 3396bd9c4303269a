import { withApproved } from '../../../src/ask/route/router/router.js';
import { fitRouter, type PlacedQuestion } from '../../../src/evaluation/router/fit-router.js';
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
      return { belongs, source: null, signals: new Map(signals) };
    }),
  );
}
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
    expect(risk.at(-1)).toMatchObject({ decisions: 80 + 5 });
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
    const alike = questions(60, 3).map(({ belongs }) => ({
      belongs,
      source: null,
      signals: new Map(PLACES.map(({ id }) => [id, { top: random(), mean: random(), coverage: random() }])),
    }));
    expect(fitRouter(PLACES, alike).figures.calibrationError).toBeLessThan(0.2);
  });
});
