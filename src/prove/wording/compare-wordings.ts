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
  const rowsOf = (variant: Tried) => attempts.map((attempt) => ({ right: attempt[variant] }));
  const share = (variant: Tried): number => attempts.filter((attempt) => attempt[variant]).length / attempts.length;
  const [sentence, passages, quote] = [share('sentence'), share('passages'), share('quote')];
  const bestMaterial = passages > sentence ? 'passages' : 'sentence';
  const { value, low, high, p } = pairedDifference(SHARE, rowsOf('quote'), rowsOf(bestMaterial));
  const isSignificant = p < SIGNIFICANT;
  const better = isSignificant && value > 0 ? ('MODEL' as const) : ('QUOTE' as const);
  const model = Math.max(sentence, passages);
  const [from, otherShare] = bestMaterial === 'passages' ? ['whole passages', sentence] : ['one sentence', passages];
  const caveat = isSignificant ? '' : ' They can’t be told apart on so few rows.';
  return {
    better,
    material: bestMaterial === 'passages' ? 'PASSAGES' : 'SENTENCE',
    sentence,
    passages,
    model,
    quote,
    rows: attempts.length,
    refused: attempts.filter(({ refused }) => refused).length,
    difference: { value, low, high },
    summary: `The model’s words hold a right answer for ${percent(model, 1)} of ${attempts.length} questions when it is shown ${from} (${percent(otherShare, 1)} otherwise), the best quote for ${percent(quote, 1)}.${caveat} Answers from documents have ${better === 'MODEL' ? 'the model’s words' : 'the quote'} from now on.`,
  };
}

type Tried = 'sentence' | 'passages' | 'quote';
