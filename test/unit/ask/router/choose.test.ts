import fc from 'fast-check';
import {
  orderOf,
  ownerOf,
  SIGNIFICANT,
  weigh,
  type Place,
  type ScoredPlace,
} from '../../../../src/answer/ask/route/router/choose.js';

const place = (more: Partial<Place>): Place => ({
  strategy: 'ADAPTER',
  adapter: null,
  logOdds: null,
  pValue: null,
  expectedMs: null,
  ...more,
});
const nobody = place({ strategy: 'BASE' });
const documents = (logOdds: number | null, pValue: number | null = logOdds === null ? null : 0.5) =>
  place({ strategy: 'RAG', logOdds, pValue });
const adapter = (logOdds: number, pValue = 0.5, name = 'routing@1') => place({ adapter: name, logOdds, pValue });
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

  it('is the more probable first, and the other after it', () => {
    expect(asked(nobody, documents(-3), adapter(4))).toEqual(['routing@1', 'RAG']);
    expect(asked(nobody, documents(3), adapter(1))).toEqual(['RAG', 'routing@1']);
    expect(asked(nobody, documents(1), adapter(2), adapter(3, 0.9, 'tickets@2'))).toEqual([
      'tickets@2',
      'routing@1',
      'RAG',
    ]);
  });

  it('is no adapter that the question is foreign to, however probable it is beside others', () => {
    expect(asked(nobody, documents(-4, 0.01), adapter(6, SIGNIFICANT / 2))).toEqual(['RAG']);
    expect(asked(nobody, adapter(6, SIGNIFICANT / 2))).toEqual([]);
    expect(asked(nobody, adapter(-6, SIGNIFICANT))).toEqual(['routing@1']);
  });

  it('are documents that nobody calibrated behind an adapter that is more probable than not', () => {
    expect(asked(nobody, documents(null), adapter(2))).toEqual(['routing@1', 'RAG']);
    expect(asked(nobody, documents(null), adapter(-2))).toEqual(['RAG', 'routing@1']);
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
  });

  it('is nobody’s where it looks foreign there, too', () => {
    expect(owner(nobody, documents(-3, 0.01), adapter(-4, 0.01))).toMatchObject({ strategy: 'BASE' });
    expect(owner(nobody, adapter(-4, 0.01))).toMatchObject({ strategy: 'BASE' });
    expect(owner(nobody, documents(-2))).toMatchObject({ strategy: 'BASE' });
  });
});
