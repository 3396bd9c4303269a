import { z } from 'zod';
import { Split } from '../../sources/data/index.js';
import { record, int, string } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { wordingFigures } from '../../sources/registry/index.js';

const input = z.object({
  modelId: z.string(),
  /** `name@quantization`: what is asked. */
  model: z.string(),
  datasetVersionId: z.string(),
  split: z.enum(Split),
  rows: z.number().int(),
  seed: z.number().int(),
  collections: z.array(z.string()),
});

/** One question: whether a right answer stands in the model's words from either material, and in the best quote. Nothing that a person wrote is kept. */
const attempt = z.object({ sentence: z.boolean(), passages: z.boolean(), quote: z.boolean(), refused: z.boolean() });
export type WordingAttempt = z.infer<typeof attempt>;

export const wordingReport = record('WordingReport', 'What a comparison of wordings found.', {
  ...wordingFigures,
  refused: int('Questions that got no answer, which count as wrong for both.'),
  summary: string('All of it in words.'),
});
export type WordingFound = z.infer<typeof wordingReport>;

export const wordingComparison = defineRunKind({
  kind: 'WORDING_COMPARISON',
  description: 'A model words answers from documents, and each is held against the best quote.',
  subject: 'Model',
  input: storedJson(input),
  output: storedJson(wordingReport),
  checkpoint: storedJson(z.object({ attempts: z.array(attempt) })),
  pausable: true,
});
export type WordingContext = ContextOf<typeof wordingComparison>;
