import type { z } from 'zod';
import { record, string, float, int, list } from '../../kernel/record.js';
import type { Metric } from '../metrics/metric.js';
import { measure, ratio } from '../metrics/metric.js';
import { estimate, pairedDifference } from '../bootstrap.js';
import { interval, metricDifference } from '../../kernel/interval.js';

/** How probable a window of general text is without and with an adapter: sums of -log p over its tokens, in nats. */
export interface WindowScore {
  text: string;
  base: number;
  adapted: number;
  tokens: number;
}

/** How the next tokens differ at the places of one answer of the base model's to a general prompt. */
export interface PromptScore {
  /** Places where both find the same token the most probable. */
  agreeing: number;
  /** Sum over the places of the KL divergence from base to adapted, in nats. */
  divergence: number;
  places: number;
  /** Token F1 of the adapted model's own answer against the base model's, 0..1. */
  likeness: number;
}

/** How right one row of another task is answered without and with the adapter, 0..1. */
export interface OtherRow {
  base: number;
  adapted: number;
}

const perplexity = record(
  'PerplexityFigures',
  'How probable general text is to the model, without and with the adapter always on.',
  {
    name: string('Which text; null: all of them.').optional().meta({ name: 'text' }),
    base: float('Perplexity of the base model alone; lower is better.'),
    adapted: float('Perplexity with the adapter.'),
    ratio: interval.describe('With the adapter over without it: 1 is nothing forgotten.'),
    tokens: int('Tokens that were scored.'),
  },
);

const otherTask = record(
  'OtherTaskFigures',
  'What the adapter changes on test rows of another task, which are asked as the base model is.',
  {
    datasetVersionId: string('Id of the dataset version.').meta({ name: 'datasetVersion', node: 'DatasetVersion' }),
    rows: int('Rows that were asked, at most 100.'),
    rightToWrong: int('Rows that only the base model alone has right.'),
    wrongToRight: int('Rows that only the model with the adapter has right.'),
    difference: metricDifference.describe('Mean of how right the rows are with the adapter, less without it.'),
  },
);

export const retention = record(
  'RetentionFigures',
  'What the adapter, always on, leaves of the base model: measured where it is served, on text that is no part of any training.',
  {
    perplexity: perplexity.describe('Of all general texts together; the gate looks at its ratio.'),
    texts: list(perplexity, 'Of each general text.'),
    prompts: int('General prompts that were asked.'),
    topAgreement: interval.describe(
      'Share of the tokens of the base model’s answers where the most probable token stays the same, 0 to 1.',
    ),
    divergence: interval.describe('Mean KL divergence of the next token from the base model there, in nats.'),
    misrouted: interval.describe(
      'Misroute damage: how like the base model’s answers those to general prompts stay when the adapter is asked by mistake (token F1, 0 to 1).',
    ),
    others: list(otherTask, 'Of each other task that was named.'),
  },
);
export type Retention = z.infer<typeof retention>;

const perplexityRatio: Metric<WindowScore> = {
  name: 'perplexity ratio',
  higherIsBetter: false,
  statistics: ({ base, adapted, tokens }) => [adapted - base, tokens],
  value: ([difference, tokens]) => Math.exp(ratio(difference!, tokens!)),
};

const mean = <Row>(name: string, part: (row: Row) => number, whole: (row: Row) => number = () => 1): Metric<Row> => ({
  name,
  higherIsBetter: true,
  statistics: (row) => [part(row), whole(row)],
  value: ([sum, count]) => ratio(sum!, count!),
});

const agreement: Metric<PromptScore> = {
  ...mean<PromptScore>(
    'top-1 agreement',
    ({ agreeing }) => agreeing,
    ({ places }) => places,
  ),
  top: 1,
};
const divergence = mean<PromptScore>(
  'KL divergence',
  (row) => row.divergence,
  ({ places }) => places,
);
const likeness: Metric<PromptScore> = { ...mean<PromptScore>('likeness', (row) => row.likeness), top: 1 };
const rightness: Metric<number> = { ...mean<number>('score', (score) => score), top: 1 };

/** How right an answer must be to count as right. */
const RIGHT = 0.5;

/** All figures with their bootstrap intervals; windows, prompts and rows are what is drawn. */
export function retentionFigures(
  windows: readonly WindowScore[],
  prompts: readonly PromptScore[],
  otherTasks: readonly { datasetVersionId: string; rows: readonly OtherRow[] }[],
): Retention {
  const names = [...new Set(windows.map(({ text }) => text))];
  return {
    perplexity: perplexityOf(windows),
    texts: names.map((name) => ({ name, ...perplexityOf(windows.filter(({ text }) => text === name)) })),
    prompts: prompts.length,
    topAgreement: intervalOf(agreement, prompts),
    divergence: intervalOf(divergence, prompts),
    misrouted: intervalOf(likeness, prompts),
    others: otherTasks.map(({ datasetVersionId, rows }) => ({ datasetVersionId, ...flips(rows) })),
  };
}

function perplexityOf(windows: readonly WindowScore[]): Retention['perplexity'] {
  const perplexityFor = (side: 'base' | 'adapted'): number =>
    Math.exp(
      measure(
        mean<WindowScore>(
          side,
          (row) => row[side],
          ({ tokens }) => tokens,
        ),
        windows,
      ),
    );
  return {
    base: perplexityFor('base'),
    adapted: perplexityFor('adapted'),
    ratio: intervalOf(perplexityRatio, windows),
    tokens: windows.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

function flips(rows: readonly OtherRow[]): Omit<Retention['others'][number], 'datasetVersionId'> {
  const [baseScores, adaptedScores] = [rows.map(({ base }) => base), rows.map(({ adapted }) => adapted)];
  const { value, low, high, p } = pairedDifference(rightness, baseScores, adaptedScores);
  return {
    rows: rows.length,
    rightToWrong: rows.filter(({ base, adapted }) => base >= RIGHT && adapted < RIGHT).length,
    wrongToRight: rows.filter(({ base, adapted }) => base < RIGHT && adapted >= RIGHT).length,
    difference: { value, low, high, p },
  };
}

function intervalOf<Row>(metric: Metric<Row>, rows: readonly Row[]): z.infer<typeof interval> {
  const { value, low, high } = estimate(metric, rows);
  return { value, low, high };
}

/**
 * KL divergence of two distributions over a vocabulary, of which the probabilities of the same few tokens are known: everything
 * else counts as one token. It is never more than that of the whole distributions (data processing inequality).
 * @param base natural logarithms of probabilities @param adapted of the same tokens
 */
export function coarseDivergence(base: ArrayLike<number>, adapted: ArrayLike<number>): number {
  let [sum, baseRest, adaptedRest] = [0, 1, 1];
  for (let i = 0; i < base.length; i++) {
    const p = Math.exp(base[i]!);
    sum += p * (base[i]! - adapted[i]!);
    baseRest -= p;
    adaptedRest -= Math.exp(adapted[i]!);
  }
  // Sums of rounded numbers may pass 1.
  const [p, q] = [Math.max(baseRest, 0), Math.max(adaptedRest, Number.EPSILON)];
  return Math.max(0, p === 0 ? sum : sum + p * Math.log(p / q));
}
