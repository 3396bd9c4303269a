import { chooseStrength } from '../../../src/prove/regression/choose-strength.js';
import { minimize } from '../../../src/kernel/minimize.js';
import { fitSoftmax, predictSoftmax, type LabelledVectors } from '../../../src/kernel/softmax-regression.js';
import { seededRandom } from '../../../src/kernel/random.js';

/** Three clouds of points in a plane. */
function clouds(count: number, spread: number, seed: number): LabelledVectors {
  const random = seededRandom(seed);
  const centres = [
    [1, 0],
    [-1, 0.5],
    [0, -1],
  ];
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const vectors = Float32Array.from({ length: 2 * count }, (_, i) => {
    const centre = centres[labels[Math.floor(i / 2)]!]!;
    return centre[i % 2]! + spread * (random() + random() - 1);
  });
  return { vectors, labels };
}

describe('L-BFGS', () => {
  it('finds the minimum of a badly scaled bowl', () => {
    const at = minimize(
      (x, gradient) => {
        gradient[0] = 2 * (x[0]! - 3);
        gradient[1] = 2_000 * (x[1]! + 1);
        return (x[0]! - 3) ** 2 + 1_000 * (x[1]! + 1) ** 2;
      },
      new Float64Array(2),
      { tolerance: 1e-9 },
    );
    expect(at[0]).toBeCloseTo(3, 6);
    expect(at[1]).toBeCloseTo(-1, 6);
  });

  it('ends in the valley of Rosenbrock', () => {
    const at = minimize(
      ([x, y], gradient) => {
        gradient[0] = -2 * (1 - x!) - 400 * x! * (y! - x! * x!);
        gradient[1] = 200 * (y! - x! * x!);
        return (1 - x!) ** 2 + 100 * (y! - x! * x!) ** 2;
      },
      Float64Array.of(-1.2, 1),
      { steps: 1_000, tolerance: 1e-8 },
    );
    expect(at[0]).toBeCloseTo(1, 4);
    expect(at[1]).toBeCloseTo(1, 4);
  });
});

describe('the regression', () => {
  it('stands where the gradient of the penalised likelihood is zero', () => {
    const data = clouds(90, 1.2, 1);
    const strength = 2;
    const { weights } = fitSoftmax(data, 3, strength);
    // The gradient of C * loss + |w|^2 / 2 with respect to each weight, computed in the plainest way.
    const gradient = weights.map((weight, i) => (i < 6 ? weight / strength : 0));
    for (let row = 0; row < 90; row++) {
      const x = [data.vectors[2 * row]!, data.vectors[2 * row + 1]!, 1];
      const scores = [0, 1, 2].map((c) => Math.exp(x.reduce((sum, each, d) => sum + each * weights[3 * d + c]!, 0)));
      const total = scores.reduce((sum, each) => sum + each, 0);
      for (let d = 0; d < 3; d++)
        for (let c = 0; c < 3; c++)
          gradient[3 * d + c]! += x[d]! * (scores[c]! / total - (data.labels[row] === c ? 1 : 0));
    }
    for (const each of gradient) expect(Math.abs(each)).toBeLessThan(90 * 2e-5);
  });

  it('tells clouds apart that lie apart, surely', () => {
    const model = fitSoftmax(clouds(90, 0.3, 1), 3, 100);
    const { vectors, labels } = clouds(60, 0.3, 2);
    const given = predictSoftmax(model, vectors);
    expect(given.labels).toEqual(labels);
    expect(Math.min(...given.probabilities)).toBeGreaterThan(0.8);
  });

  it('takes the penalty that is best on rows for validation, and the middle one where there are none', () => {
    const fitting = { train: clouds(60, 2, 1), classes: 3 };
    const none = { vectors: new Float32Array(), labels: new Int32Array() };
    expect(chooseStrength({ ...fitting, validation: none }).strength).toBe(10);
    const validation = clouds(90, 2, 3);
    const { strength, model } = chooseStrength({ ...fitting, validation });
    const right = (of: typeof model): number =>
      predictSoftmax(of, validation.vectors).labels.filter((label, i) => label === validation.labels[i]).length;
    for (const other of [1, 10, 100])
      expect(right(model)).toBeGreaterThanOrEqual(right(fitSoftmax(fitting.train, 3, other)) - 1);
    expect([1, 10, 100]).toContain(strength);
  });
});
