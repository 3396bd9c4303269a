import { z } from 'zod';
import { interval } from '../../kernel/interval.js';
import { choice, record } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';

/** Whose words an answer from documents has: the model's, or the best sentence's. */
export const WordingChoice = choice(
  'WordingChoice',
  'Whose words an answer from documents has where no adapter reads them.',
  {
    MODEL: 'The model’s, which the best sentence replaces where the evidence doesn’t support them.',
    QUOTE: 'The best sentence’s: nothing is asked of the model, and the first text is the answer.',
  },
);
export type WordingChoice = keyof typeof WordingChoice;

/** What a model words answers from: the best sentence with what leads to it, or whole passages. */
export const Material = choice('WordingMaterial', 'What a model words answers from documents from.', {
  SENTENCE: 'The best sentence, with what leads to it.',
  PASSAGES: 'Whole passages, as many as there is room for.',
});
export type Material = keyof typeof Material;

/** What a comparison of a model's words with the best quotes found. */
export const wordingFigures = {
  better: z.enum(WordingChoice).describe('Whose words to take: the model’s only where they are shown to be better.'),
  rows: z.number().int().describe('Questions that were asked.'),
  material: z
    .enum(Material)
    .describe(
      'What to show the model: whichever its words were right from more often, the sentence where both were alike.',
    ),
  sentence: z
    .number()
    .describe('Share of them whose right answer stands in its words when it is shown the best sentence, 0 to 1.'),
  passages: z
    .number()
    .describe('Share of them whose right answer stands in its words when it is shown whole passages, 0 to 1.'),
  model: z.number().describe('The larger of these two, 0 to 1.'),
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
