import type { EvaluationFigures } from '../../../src/prove/evaluations/figures.js';
import { worthFigures, worthSentences } from '../../../src/ship/tuning/worth.js';
import { evaluationFigures } from '../../support/evaluation-figures.js';

const interval = (value: number, low: number, high: number) => ({ value, low, high });
const difference = { ...interval(0.1, 0.05, 0.15), p: 0.01 };
const method = { embedder: 'e5', trainedOn: 80, accuracy: interval(0.75, 0.7, 0.8), onlyAnswers: 6 };
const nearestRows = { ...method, difference: { ...interval(0.05, -0.01, 0.11), p: 0.2 }, onlyNearest: 1 };
const regression = { ...method, difference, strength: 1, onlyRegression: 1 };

const figuresWith = (more: Partial<EvaluationFigures> = {}, name = 'accuracy'): EvaluationFigures =>
  evaluationFigures([{ name, higherIsBetter: true, ...interval(0.8, 0.7, 0.9), difference, pairs: null }], more);

describe('what tuning was worth', () => {
  it('is told beside the base model, neighbours, a regression and what was forgotten', () => {
    const figures = figuresWith({ nearestRows, regression });
    const measured = { rows: 100, against: null, insteadOf: null, figures };
    expect(worthSentences(measured, 'CLASSIFICATION')).toEqual([
      'Its accuracy on 100 test rows is 0.800 (0.700 to 0.900).',
      'The base model’s accuracy on the same rows is 0.700, and the adapter’s differs by +0.100 (+0.050 to +0.150).',
      'It is better than a regression on the embedder’s vectors: accuracy 0.800 beside 0.750, +0.100 (+0.050 to +0.150).',
      'It isn’t shown to be better than the nearest labelled rows: accuracy 0.800 beside 0.750, +0.050 (−0.010 to +0.110).',
      'Its perplexity on general text is 1.010 times the base model’s (1.000 to 1.030).',
      'It has the base model’s most probable token in 95 % of places of answers to general prompts (90 % to 97.5 %).',
    ]);
    expect(worthFigures(measured)).toMatchObject({
      metric: { name: 'accuracy', ...interval(0.8, 0.7, 0.9) },
      replaced: { is: 'BASE_MODEL', value: expect.closeTo(0.7), difference },
      nearestRows: { accuracy: nearestRows.accuracy, difference: nearestRows.difference },
      regression: { accuracy: regression.accuracy, difference },
      retention: { perplexityRatio: interval(1.01, 1, 1.03), agreement: interval(0.95, 0.9, 0.975) },
    });
  });

  it('is told beside the version in production by its name, where there is one', () => {
    const measured = { rows: 100, against: 'mail@1', insteadOf: null, figures: figuresWith() };
    expect(worthSentences(measured, 'CLASSIFICATION')[1]).toBe(
      'The accuracy of mail@1, then in production, on the same rows is 0.700, and the adapter’s differs by +0.100 (+0.050 to +0.150).',
    );
    expect(worthFigures(measured).replaced).toMatchObject({ is: 'PRODUCTION', adapter: 'mail@1' });
  });

  it('is told beside the base model where the version in production learned all test rows, and says so', () => {
    const measured = { rows: 100, against: null, insteadOf: 'mail@1', figures: figuresWith() };
    expect(worthSentences(measured, 'CLASSIFICATION').slice(1, 3)).toEqual([
      'It is measured beside the base model, as mail@1, then in production, learned all test rows.',
      expect.stringMatching(/^The base model’s accuracy on/),
    ]);
    expect(worthFigures(measured).replaced).toMatchObject({ is: 'BASE_MODEL', adapter: null, insteadOf: 'mail@1' });
  });

  it('says why neighbours weren’t compared, and nothing of what wasn’t measured', () => {
    const figures = figuresWith({ retention: null }, 'token F1');
    const measured = { rows: 6, against: null, insteadOf: null, figures };
    expect(worthSentences(measured, 'INSTRUCTION').slice(2)).toEqual([
      'Neighbours and a regression weren’t compared, as the rows have no labels.',
    ]);
    expect(worthSentences(measured, 'CLASSIFICATION').slice(2)).toEqual([
      'Neighbours and a regression weren’t compared, as the rows for training have fewer than two labels.',
    ]);
    expect(worthFigures(measured)).toMatchObject({ nearestRows: null, regression: null, retention: null });
  });
});
