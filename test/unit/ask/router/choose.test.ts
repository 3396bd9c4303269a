import fc from 'fast-check';
import { choose, weigh, type Place } from '../../../../src/ask/route/router/choose.js';

const place = (more: Partial<Place>): Place => ({
  strategy: 'ADAPTER',
  adapter: null,
  logOdds: null,
  expectedMs: null,
  ...more,
});
const base = place({ strategy: 'BASE' });
const reading = (logOdds: number | null, expectedMs: number | null = null) =>
  place({ strategy: 'RAG', logOdds, expectedMs });
const adapter = (logOdds: number, expectedMs: number | null = null) =>
  place({ adapter: 'routing@1', logOdds, expectedMs });
const by = { baseScore: 0, temperature: 1 };
const chosen = (...places: Place[]) => choose(weigh(places, by));

describe('a router’s choice', () => {
  it('weighs all places: probabilities that sum to 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { maxLength: 6 }), (odds) => {
        const weighed = weigh([base, ...odds.map((logOdds) => adapter(logOdds))], by);
        expect(weighed.reduce((sum, { probability }) => sum + probability!, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('is the most probable place', () => {
    expect(chosen(base, reading(-3), adapter(4)).chosen).toMatchObject({ strategy: 'ADAPTER', adapter: 'routing@1' });
    expect(chosen(base, reading(3), adapter(-4)).chosen.strategy).toBe('RAG');
    expect(chosen(base, reading(-5), adapter(-5)).chosen.strategy).toBe('BASE');
  });

  it('is the base model only where it is surer than an invented answer costs: else documents are read, which can refuse', () => {
    const odds = (probability: number) => Math.log((1 - probability) / probability);
    expect(chosen(base, reading(odds(0.62)))).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'INVENTS' });
    expect(chosen(base, reading(odds(0.74)))).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'INVENTS' });
    expect(chosen(base, reading(odds(0.62))).margin).toBeCloseTo(0.38 - 0.62);
    expect(chosen(base, reading(odds(0.76)))).toMatchObject({ chosen: { strategy: 'BASE' }, exception: null });
    expect(chosen(base, adapter(odds(0.6)))).toMatchObject({ chosen: { strategy: 'BASE' }, exception: null });
  });

  it('is reading where the place is less probable than a wanted error rate allows', () => {
    const places = weigh([base, reading(-1), adapter(2)], by);
    expect(choose(places, 0.5)).toMatchObject({ chosen: { strategy: 'ADAPTER' }, exception: null });
    expect(choose(places, 0.95)).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'RISK' });
    expect(choose(weigh([base, adapter(2)], by), 0.95)).toMatchObject({ chosen: { strategy: 'ADAPTER' } });
  });

  it('is the quicker of two that are as good as tied, and says so', () => {
    const tied = chosen(base, reading(5, 800), adapter(5.01, 90));
    expect(tied).toMatchObject({ chosen: { strategy: 'ADAPTER' }, exception: null });
    expect(chosen(base, reading(5.01, 800), adapter(5, 90))).toMatchObject({
      chosen: { strategy: 'ADAPTER' },
      exception: 'TIE',
    });
  });

  it('reads documents that nobody calibrated, and where it is not sure, because reading can refuse', () => {
    expect(chosen(base, reading(null), adapter(2))).toMatchObject({
      chosen: { strategy: 'RAG' },
      exception: 'UNKNOWN',
    });
    expect(chosen(base, reading(-0.1), adapter(0.1))).toMatchObject({
      chosen: { strategy: 'RAG' },
      exception: 'UNSURE',
    });
  });

  it('lets an adapter that is sure enough answer although there are documents that nobody calibrated', () => {
    expect(chosen(base, reading(null), adapter(4))).toMatchObject({ chosen: { strategy: 'ADAPTER' }, exception: null });
    expect(chosen(base, reading(null))).toMatchObject({ exception: 'UNKNOWN' });
    const unseen = { ...reading(null), unseen: true };
    expect(chosen(base, unseen, adapter(9))).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'UNKNOWN' });
  });

  it('answers with the base model where there is nothing else', () => {
    expect(chosen(base)).toMatchObject({ chosen: { strategy: 'BASE', probability: 1 }, margin: 1, exception: null });
  });
});
