import { z } from 'zod';
import { enumeration } from '../kernel/enumeration.js';
import { interval } from '../kernel/interval.js';
import { record } from '../kernel/record.js';
import { storedJson } from '../kernel/stored-json.js';

/** Whose words an answer from documents has: the model's, or the best sentence's. */
export const WordingChoice = enumeration('MODEL', 'QUOTE');
export type WordingChoice = keyof typeof WordingChoice;

/** What a comparison of a model's words with the best quotes found. */
export const wordingFigures = {
  better: z.enum(WordingChoice).describe('Whose words to take: the model’s only where they are shown to be better.'),
  rows: z.number().int().describe('Questions that were asked.'),
  model: z.number().describe('Share of them whose right answer stands in the model’s words, 0 to 1.'),
  quote: z.number().describe('Share of them whose right answer stands in the best quote, 0 to 1.'),
  difference: interval.describe('The model’s share minus the quote’s, -1 to 1.'),
};

export const measuredWording = record(
  'MeasuredWording',
  'Whether a model words answers from documents better than the best quote says them.',
  {
    ...wordingFigures,
    /** Of the variant that was asked. */
    quantization: z.string(),
    runId: z.string(),
    at: z.string().describe('When it was found.').meta({ shown: 'DateTime' }),
  },
);
export type MeasuredWording = z.infer<typeof measuredWording>;

export const storedWording = storedJson(measuredWording);
