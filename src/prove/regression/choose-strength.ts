import {
  fitSoftmax,
  predictSoftmax,
  type LabelledVectors,
  type SoftmaxModel,
} from '../../kernel/softmax-regression.js';

export interface Fitting {
  train: LabelledVectors;
  /** Rows that decide between penalties; without any, the middle one is taken. */
  validation: LabelledVectors;
  classes: number;
}

/** scikit-learn's C. Vectors of unit length want far less penalty than its default of 1. */
const STRENGTHS = [1, 10, 100] as const;

/** The penalty with the best accuracy on the rows for validation, of equals the stronger one, and the model that it gives. */
export function chooseStrength({ train, validation, classes }: Fitting): { model: SoftmaxModel; strength: number } {
  const strengths = validation.labels.length === 0 ? STRENGTHS.slice(1, 2) : STRENGTHS;
  let best: { model: SoftmaxModel; strength: number; right: number } | undefined;
  let model: SoftmaxModel | undefined;
  for (const strength of strengths) {
    // Each starts where the one with more penalty ended.
    model = fitSoftmax(train, classes, strength, model);
    const { labels } = predictSoftmax(model, validation.vectors);
    const right = labels.filter((label, i) => label === validation.labels[i]).length;
    if (best === undefined || right > best.right) best = { model, strength, right };
  }
  return best!;
}
