import fc from 'fast-check';
import { seededRandom } from '../../../../src/kernel/random.js';
import {
  orderOf,
  ownerOf,
  SIGNIFICANCE,
  weigh,
  yieldsTo,
  type Place,
  type ScoredPlace,
} from '../../../../src/answer/ask/route/router/choose.js';

const place = (more: Partial<Place>): Place => ({
  strategy: 'ADAPTER',
  adapter: null,
  logOdds: null,
  pValue: null,
  own: null,
  expectedMs: null,
  yields: false,
  ...more,
});
const nobody = place({ strategy: 'BASE' });
const documents = (logOdds: number | null, pValue: number | null = logOdds === null ? null : 0.5) =>
  place({ strategy: 'RAG', logOdds, pValue, own: pValue === null ? null : pValue >= SIGNIFICANCE });
const adapter = (logOdds: number, pValue = 0.5, name = 'routing@1') =>
  place({ adapter: name, logOdds, pValue, own: pValue >= SIGNIFICANCE });
const weighed = (...places: Place[]): ScoredPlace[] => weigh(places, { baseScore: 0, adapterScore: 0, temperature: 1 });
const asked = (...places: Place[]) => orderOf(weighed(...places)).map((each) => each.adapter ?? each.strategy);

describe('who is asked', () => {
  it('weighs all places: probabilities that sum to 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { maxLength: 6 }), (odds) => {
        const all = weighed(nobody, ...odds.map((logOdds) => adapter(logOdds)));
        expect(all.reduce((sum, { probability }) => sum + probability!, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('is the more probable adapter first, and documents after all', () => {
    expect(asked(nobody, documents(3), adapter(1))).toEqual(['routing@1', 'RAG']);
    expect(asked(nobody, documents(1), adapter(2), adapter(3, 0.9, 'tickets@2'))).toEqual([
      'tickets@2',
      'routing@1',
      'RAG',
    ]);
  });

  it('are documents behind the last adapter that doesn’t let them go first', () => {
    const [sorting, other] = [adapter(2), adapter(3, 0.9, 'tickets@2')];
    expect(asked(nobody, documents(-3), { ...sorting, yields: true })).toEqual(['RAG', 'routing@1']);
    expect(asked(nobody, documents(null), { ...sorting, yields: true }, other)).toEqual([
      'tickets@2',
      'RAG',
      'routing@1',
    ]);
    expect(asked(nobody, documents(null), sorting, { ...other, yields: true })).toEqual([
      'tickets@2',
      'routing@1',
      'RAG',
    ]);
  });

  describe('documents go before an adapter', () => {
    const sentence = (score: number, probability = 0.9) => ({ score, probability });
    const seen = Array.from({ length: 20 }, (_, i) => i / 20);

    it('for about three of ten of its own messages, of others than it knows', () => {
      const random = seededRandom(8);
      const first = Array.from({ length: 400 }, () => {
        const own = Array.from({ length: 30 }, random);
        return yieldsTo(own, sentence(random()));
      }).filter(Boolean);
      expect(first.length / 400).toBeGreaterThan(0.22);
      expect(first.length / 400).toBeLessThan(0.34);
    });

    it('where their sentence is better than those, and as likely an answer as is wanted', () => {
      expect(yieldsTo(seen, sentence(0.97))).toBe(true);
      expect(yieldsTo(seen, sentence(0.5))).toBe(false);
      // A sentence that is as likely as not no answer is enough where somebody says what to read.
      expect(yieldsTo(seen, sentence(0.97, 0.3))).toBe(false);
      expect(yieldsTo(seen, sentence(0.97, 0.3), true)).toBe(true);
    });

    it('where too little is known of what they hold for its own, as when they came later, for a sure sentence alone', () => {
      expect(yieldsTo([], sentence(0.1, 0.6))).toBe(true);
      expect(yieldsTo([], sentence(2, 0.45), true)).toBe(false);
      expect(yieldsTo(seen.slice(0, 9), sentence(2, 0.45))).toBe(false);
      expect(yieldsTo(seen, null)).toBe(false);
    });
  });

  it('is no adapter that the question is foreign to, however probable it is beside others', () => {
    expect(asked(nobody, documents(-4, 0.01), adapter(6, SIGNIFICANCE / 2))).toEqual(['RAG']);
    expect(asked(nobody, adapter(6, SIGNIFICANCE / 2))).toEqual([]);
    expect(asked(nobody, adapter(-6, SIGNIFICANCE))).toEqual(['routing@1']);
  });

  it('are documents wherever there are some: they can refuse', () => {
    fc.assert(
      fc.property(fc.double({ min: -20, max: 20, noNaN: true }), fc.double({ min: 0.01, max: 1 }), (odds, p) => {
        expect(asked(nobody, documents(odds, p), adapter(1, p))).toContain('RAG');
      }),
    );
  });
});

describe('whose a question is held to be', () => {
  const owner = (...places: Place[]) => ownerOf(weighed(...places));

  it('is that of the first that is asked', () => {
    expect(owner(nobody, documents(-3), adapter(4))).toMatchObject({ adapter: 'routing@1' });
    expect(owner(nobody, documents(null))).toMatchObject({ strategy: 'RAG' });
    expect(owner(nobody, documents(-3), { ...adapter(4), yields: true })).toMatchObject({ strategy: 'RAG' });
  });

  it('is nobody’s where it looks foreign there, too', () => {
    expect(owner(nobody, documents(-3, 0.01), adapter(-4, 0.01))).toMatchObject({ strategy: 'BASE' });
    expect(owner(nobody, adapter(-4, 0.01))).toMatchObject({ strategy: 'BASE' });
    expect(owner(nobody, documents(-2))).toMatchObject({ strategy: 'BASE' });
  });
});
