import type { Metric } from '../metrics/metric.js';
import { pairedDifference } from '../statistics/bootstrap.js';
import type { WordingAttempt, WordingFound } from './wording-run.js';
import { percent } from '../../kernel/text.js';

const SHARE: Metric<{ right: boolean }> = {
  name: 'right',
  higherIsBetter: true,
  statistics: ({ right }) => [Number(right), 1],
  value: ([right, rows]) => right! / rows!,
};

/** Whose words to take: the model's only where they are shown to be right more often, because a quote is there at once and can be checked. */
export function compareWordings(attempts: readonly WordingAttempt[]): WordingFound {
  const of = (whose: 'model' | 'quote') => attempts.map((each) => ({ right: each[whose] }));
  const { value, low, high } = pairedDifference(SHARE, of('quote'), of('model'));
  const share = (whose: 'model' | 'quote'): number => attempts.filter((each) => each[whose]).length / attempts.length;
  const [model, quote] = [share('model'), share('quote')];
  const better = low > 0 ? ('MODEL' as const) : ('QUOTE' as const);
  const shown = low > 0 || high < 0 ? '' : ' They can’t be told apart on so few rows.';
  return {
    better,
    model,
    quote,
    rows: attempts.length,
    refused: attempts.filter(({ refused }) => refused).length,
    difference: { value, low, high },
    sentence: `The model’s words hold a right answer for ${percent(model, 1)} of ${attempts.length} questions, the best quote for ${percent(quote, 1)}.${shown} Answers from documents have ${better === 'MODEL' ? 'the model’s words' : 'the quote'} from now on.`,
  };
}
