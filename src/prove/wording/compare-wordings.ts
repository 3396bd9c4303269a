import type { Metric } from '../metrics/metric.js';
import { pairedDifference } from '../bootstrap.js';
import type { WordingAttempt, WordingFound } from './wording-run.js';
import { percent } from '../../kernel/text.js';

const SHARE: Metric<{ right: boolean }> = {
  name: 'right',
  higherIsBetter: true,
  statistics: ({ right }) => [Number(right), 1],
  value: ([right, rows]) => right! / rows!,
  share: ([right, rows]) => [right!, rows!],
};

/** The model's words have two tries, one from each material (Bonferroni). */
const SIGNIFICANT = 0.05 / 2;

/**
 * Whose words to take: the model's only where they are shown to be right more often, because a quote is there at once and can be checked. It is shown the
 * material from which they were right more often; the sentence, which it reads sooner, where both were alike.
 */
export function compareWordings(attempts: readonly WordingAttempt[]): WordingFound {
  const of = (whose: Tried) => attempts.map((each) => ({ right: each[whose] }));
  const share = (whose: Tried): number => attempts.filter((each) => each[whose]).length / attempts.length;
  const [sentence, passages, quote] = [share('sentence'), share('passages'), share('quote')];
  const own = passages > sentence ? 'passages' : 'sentence';
  const { value, low, high, p } = pairedDifference(SHARE, of('quote'), of(own));
  const apart = p < SIGNIFICANT;
  const better = apart && value > 0 ? ('MODEL' as const) : ('QUOTE' as const);
  const model = Math.max(sentence, passages);
  const [from, other] = own === 'passages' ? ['whole passages', sentence] : ['one sentence', passages];
  const shown = apart ? '' : ' They can’t be told apart on so few rows.';
  return {
    better,
    material: own === 'passages' ? 'PASSAGES' : 'SENTENCE',
    sentence,
    passages,
    model,
    quote,
    rows: attempts.length,
    refused: attempts.filter(({ refused }) => refused).length,
    difference: { value, low, high },
    summary: `The model’s words hold a right answer for ${percent(model, 1)} of ${attempts.length} questions when it is shown ${from} (${percent(other, 1)} otherwise), the best quote for ${percent(quote, 1)}.${shown} Answers from documents have ${better === 'MODEL' ? 'the model’s words' : 'the quote'} from now on.`,
  };
}

type Tried = 'sentence' | 'passages' | 'quote';
