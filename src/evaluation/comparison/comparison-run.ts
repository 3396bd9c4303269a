import { z } from 'zod';
import { StrategyValues } from '../../ask/index.js';
import { Split } from '../../data/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

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

const interval = { value: z.number(), low: z.number(), high: z.number() };

const comparison = z.object({
  metric: z.string(),
  rows: z.number().int(),
  strategies: z.array(
    z.object({
      strategy,
      ...interval,
      abstained: z.number().int(),
      /** Median time of an answer. */
      medianMs: z.number(),
    }),
  ),
  /** Each two strategies on the same rows: `second` minus `first`. */
  pairs: z.array(
    z.object({
      first: strategy,
      second: strategy,
      ...interval,
      p: z.number(),
      /** The same, corrected for all pairs that were looked at (Holm); missing where that was not done yet. */
      adjustedP: z.number().optional(),
      /** Rows that only the first, or only the second, has right, and what chance makes of that; null where answers are right in part. */
      mcnemar: z.object({ onlyFirst: z.number(), onlySecond: z.number(), p: z.number() }).nullable(),
    }),
  ),
  recommended: strategy,
  /** Whether the recommended one is shown to be the best, or no worse and cheaper than what is. */
  decided: z.boolean(),
  sentence: z.string(),
});
export type Comparison = z.infer<typeof comparison>;

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
