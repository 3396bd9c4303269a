import { z } from 'zod';
import { StrategyValues } from '../../answer/ask/index.js';
import { Split } from '../../sources/data/index.js';
import { record, int, float, string, boolean, list } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { interval, intervalFields } from '../../kernel/interval.js';

const strategy = z.enum(StrategyValues);

const input = z.object({
  datasetVersionId: z.string(),
  split: z.enum(Split),
  rows: z.number().int(),
  seed: z.number().int(),
  /** `name@3`: the version that acts in ADAPTER and HYBRID; null where neither is compared. */
  adapter: z.string().nullable(),
  /** Documents that RAG and HYBRID read; null: labelled rows, where the dataset has any that are indexed. */
  collections: z.array(z.string()).nullable(),
  strategies: z.array(strategy).min(2),
});
export type ComparisonInput = z.infer<typeof input>;

/** How one strategy answered one row: numbers alone, so that nothing that a person wrote is kept. */
const attempt = z.object({
  /** What the row adds to the sums of the metric that decides: see `Metric`. */
  statistics: z.array(z.number()),
  /** 0 to 1. */
  score: z.number(),
  abstained: z.boolean(),
  ms: z.number(),
});
export type Attempt = z.infer<typeof attempt>;

const strategyFigure = record('StrategyFigure', 'What one strategy is worth on the rows, and what it costs.', {
  strategy: strategy.describe('The strategy.'),
  ...intervalFields('The metric of the task that decides.', 'Lower end of its 95 % interval.', 'Upper end.'),
  abstained: int('Rows to which it gave no answer.'),
  medianMs: float('Median time of an answer, in milliseconds.'),
  foreignAccepted: interval
    .optional()
    .describe(
      'Share of foreign texts that it answers all the same, 0 to 1 (exact interval); null for the base model, and where none were asked.',
    ),
});

const rightOrWrong = record('RightOrWrong', 'Rows that only one of two strategies has right (McNemar’s exact test).', {
  onlyFirst: int('Rows that only the first has right.'),
  onlySecond: int('Rows that only the second has right.'),
  p: float('Probability of a split at least as uneven if both were equally good.'),
});

const strategyPair = record('StrategyPair', 'Two strategies on the same rows.', {
  first: strategy.describe('The first.'),
  second: strategy.describe('The second.'),
  ...intervalFields(
    'The metric of the second minus that of the first.',
    'Lower end of its 95 % interval (paired bootstrap).',
    'Upper end.',
  ),
  p: float('Probability of a difference at least this large if there were none.'),
  adjustedP: float(
    'The same, corrected for all pairs that were looked at (Holm), 0 to 1: what decides. Null in comparisons from before.',
  ).optional(),
  mcnemar: rightOrWrong
    .nullable()
    .describe('Where each answer is right or wrong; null where answers are right in part.'),
});

export const comparison = record('ComparisonReport', 'What a comparison of strategies found.', {
  sentence: string('Which to use, and why, in words.'),
  recommended: strategy.describe('Which to use: the best, or the quickest of those that can’t be told from it.'),
  decided: boolean('Whether the best one is shown to be better than all others.'),
  metric: string('Name of the metric.'),
  rows: int('Rows that were answered.'),
  foreignSet: string(
    'The foreign texts that were asked, and how many; null where labels weren’t compared with an adapter.',
  ).optional(),
  strategies: list(strategyFigure, 'Each strategy.'),
  pairs: list(strategyPair, 'Each two of them.'),
});
export type StrategyComparison = z.infer<typeof comparison>;

export const strategyComparison = defineRunKind({
  kind: 'STRATEGY_COMPARISON',
  description: 'Every strategy answers the same labelled rows, and what each is worth and costs is compared.',
  subject: 'DatasetVersion',
  input: storedJson(input),
  output: storedJson(comparison),
  checkpoint: storedJson(z.object({ attempts: z.array(z.array(attempt)) })),
  pausable: true,
});
export type ComparisonContext = ContextOf<typeof strategyComparison>;
