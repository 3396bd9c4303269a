import type { z } from 'zod';
import { record, string, float, boolean } from '../../kernel/record.js';
import { intervalFields } from '../../kernel/interval.js';
import type { EvaluationFigures } from '../evaluations/figures.js';
import { signed } from './signed.js';

export const simplerMethod = record(
  'SimplerMethod',
  'A method without a language model beside a first version, on the same test rows: what one would use instead.',
  {
    name: string('`regression` on the embedder’s vectors, or `nearest rows`.'),
    accuracy: float('Its accuracy, 0 to 1.'),
    ...intervalFields(
      'Accuracy of the version less its own.',
      'Lower end of the interval that holds it in 95 of 100 cases (McNemar’s score test).',
      'Upper end of that interval.',
    ),
    better: boolean('Whether the version is shown to be better: the lower end is above 0.'),
    message: string('The comparison, in words.'),
  },
);
type SimplerMethod = z.infer<typeof simplerMethod>;

/** Methods that the evaluation asked the same rows; none where it asked none, or the rows have no labels. */
export function simplerMethods({ metrics, regression, nearestRows }: EvaluationFigures): SimplerMethod[] {
  const ownAccuracy = metrics.find(({ name }) => name === 'accuracy')?.value;
  if (ownAccuracy === undefined) return [];
  const compared = [
    { name: 'regression', title: 'a regression on the embedder’s vectors', figures: regression },
    { name: 'nearest rows', title: 'the nearest labelled rows', figures: nearestRows },
  ];
  return compared.flatMap(({ name, title, figures }) => {
    if (!figures) return [];
    const { value, low, high } = figures.difference;
    const better = low > 0;
    const verdict = better ? 'is better than' : high < 0 ? 'is worse than' : 'isn’t shown to be better than';
    const interval = `${signed(value)} (${signed(low)} to ${signed(high)})`;
    const accuracies = `accuracy ${ownAccuracy.toFixed(3)} beside ${figures.accuracy.value.toFixed(3)}`;
    const message = `It ${verdict} ${title}: ${accuracies}, ${interval}.`;
    return [{ name, accuracy: figures.accuracy.value, value, low, high, better, message }];
  });
}
