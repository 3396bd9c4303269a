import fc from 'fast-check';
import { membershipOf, type MembershipModel } from '../../../src/answer/ask/index.js';
import { pValueOf } from '../../../src/answer/ask/route/membership/membership.js';
import { fitMembership, LEAST_CALIBRATED, type OwnRow } from '../../../src/prove/membership/fit-membership.js';
import { spelled } from '../../../src/prove/membership/spellings.js';
import { seededRandom } from '../../../src/kernel/random.js';

const DIMENSIONS = 16;
const LABELS = 6;

const unit = (vector: number[]): Float32Array => {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => value / length);
};

/** Texts about subjects: the first six are the adapter's labels, further ones are foreign. */
function texts(random: () => number): (subject: number) => Float32Array[] {
  const noise = (size: number): number[] => Array.from({ length: DIMENSIONS }, () => size * (random() + random() - 1));
  return (subject) => {
    const own = noise(0.35).map(
      (value, i) => value + (i === subject ? 1 : 0) + (i === LABELS && subject < LABELS ? 0.5 : 0),
    );
    const spelling = noise(0.05);
    return [unit(own), unit(own.map((value, i) => value + spelling[i]!))];
  };
}

const ownRows = (count: number, text: (subject: number) => Float32Array[]): OwnRow[] =>
  Array.from({ length: count }, (_, i) => ({ vectors: text(i % LABELS), label: `label ${i % LABELS}` }));

const foreignTexts = (count: number, text: (subject: number) => Float32Array[]): Float32Array[][] =>
  Array.from({ length: count }, (_, i) => text(LABELS + 1 + (i % 8)));

function fittedTo(rows: number, seed = 1): { model: MembershipModel; text: (subject: number) => Float32Array[] } {
  const text = texts(seededRandom(seed));
  const model = fitMembership({ own: ownRows(rows, text), foreign: foreignTexts(120, text), seed });
  return { model: model!, text };
}

const shareOf = (hits: readonly boolean[]): number => hits.filter(Boolean).length / hits.length;

describe('membership of an adapter', () => {
  it.each([60, 240, 500])('keeps nineteen of twenty own messages and refuses foreign ones, with %d rows', (rows) => {
    const { model, text } = fittedTo(rows);
    const fresh = ownRows(600, text);
    const own = fresh.map(({ vectors }) => membershipOf(model, vectors[0]!));
    const spelledOtherwise = fresh.map(({ vectors }) => membershipOf(model, vectors[1]!));
    const foreign = foreignTexts(400, text).map(([vector]) => membershipOf(model, vector!));
    expect(shareOf(own.map(({ pValue }) => pValue >= 0.05))).toBeGreaterThan(0.91);
    expect(shareOf(spelledOtherwise.map(({ pValue }) => pValue >= 0.05))).toBeGreaterThan(0.91);
    expect(shareOf(foreign.map(({ pValue }) => pValue >= 0.05))).toBeLessThan(0.05);
    expect(shareOf(own.map(({ label }, i) => label!.name === fresh[i]!.label))).toBeGreaterThan(0.95);
  });

  it.each([60, 500])('remembers which of %d rows it keeps', (count) => {
    const text = texts(seededRandom(4));
    const own = ownRows(count, text);
    const { kept, rows, regression } = fitMembership({ own, foreign: foreignTexts(120, text), seed: 4 })!;
    const { dimensions } = regression;
    expect(new Set(kept).size).toBe(rows.length / dimensions);
    kept.forEach((place, i) =>
      expect(rows.subarray(i * dimensions, (i + 1) * dimensions)).toEqual(own[place]!.vectors[0]),
    );
  });

  it('is calibrated: of messages with one probability that share is own', () => {
    const { model, text } = fittedTo(450);
    const all = [
      ...ownRows(400, text).map(({ vectors }) => ({ own: 1, ...membershipOf(model, vectors[0]!) })),
      ...foreignTexts(400, text).map(([vector]) => ({ own: 0, ...membershipOf(model, vector!) })),
    ];
    const brier = all.reduce((sum, { own, probability }) => sum + (own - probability) ** 2, 0) / all.length;
    expect(brier).toBeLessThan(0.03);
  });

  it('names the row that is nearest', () => {
    const { model } = fittedTo(450);
    const row = model.rows.slice(7 * DIMENSIONS, 8 * DIMENSIONS);
    expect(membershipOf(model, row).nearest).toEqual({ row: 7, similarity: expect.closeTo(1, 5) as number });
  });

  it('knows the messages of an adapter that writes text, which has no labels', () => {
    const text = texts(seededRandom(3));
    const own = ownRows(200, text).map(({ vectors }) => ({ vectors, label: null }));
    const model = fitMembership({ own, foreign: foreignTexts(120, text), seed: 3 })!;
    const kept = ownRows(300, text).map(({ vectors }) => membershipOf(model, vectors[0]!));
    expect(kept[0]!.label).toBeNull();
    expect(shareOf(kept.map(({ pValue }) => pValue >= 0.05))).toBeGreaterThan(0.9);
    const foreign = foreignTexts(300, text).map(([vector]) => membershipOf(model, vector!).pValue >= 0.05);
    expect(shareOf(foreign)).toBeLessThan(0.05);
  });

  it('learns nothing where too few rows are left to calibrate with', () => {
    const text = texts(seededRandom(4));
    const [own, foreign] = [ownRows(LEAST_CALIBRATED - 1, text), foreignTexts(120, text)];
    expect(fitMembership({ own, foreign, seed: 1 })).toBeNull();
    expect(fitMembership({ own: ownRows(100, text), foreign: foreign.slice(0, 5), seed: 1 })).toBeNull();
  });

  it('counts the spellings of a held-out row as one row', () => {
    const { model } = fittedTo(120);
    expect(model.calibration).toMatchObject({ rows: 120, foreign: 120 });
    expect(model.calibration.scores).toHaveLength(240);
  });
});

describe('the conformal p-value', () => {
  it('is the share of rows that look no more like own ones, for any scores', () => {
    const scores = fc.array(fc.float({ noNaN: true, min: -50, max: 50 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.float({ noNaN: true, min: -60, max: 60 }), (held, score) => {
        const calibration = { rows: held.length, foreign: 1, scores: [...held].sort((a, b) => a - b) };
        const atMost = held.filter((each) => each <= score).length;
        expect(pValueOf(calibration, score)).toBeCloseTo((1 + atMost) / (held.length + 1), 12);
      }),
      { seed: 41 },
    );
  });

  it('refuses nothing where there was nothing to calibrate with', () => {
    expect(pValueOf({ rows: 0, scores: [] }, -9)).toBe(1);
  });
});

describe('spellings', () => {
  it('begins with the text as it was written, and differs only in case, marks and greeting', () => {
    const all = spelled('my card has not come', seededRandom(1));
    expect(all[0]).toBe('my card has not come');
    expect(new Set(all).size).toBeGreaterThan(2);
    for (const text of all) expect(text.toLowerCase()).toContain('my card has not come');
  });
});
