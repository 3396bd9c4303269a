import { z } from 'zod';
import { interval } from '../../kernel/interval.js';
import { choice, record, oneOf, int, float, string } from '../../kernel/record.js';
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
  better: oneOf(WordingChoice, 'Whose words to take: the model’s only where they are shown to be better.'),
  rows: int('Questions that were asked.'),
  material: oneOf(
    Material,
    'What to show the model: whichever its words were right from more often, the sentence where both were alike.',
  ),
  sentence: float('Share of them whose right answer stands in its words when it is shown the best sentence, 0 to 1.'),
  passages: float('Share of them whose right answer stands in its words when it is shown whole passages, 0 to 1.'),
  model: float('The larger of these two, 0 to 1.'),
  quote: float('Share of them whose right answer stands in the best quote, 0 to 1.'),
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
    at: string('When it was found.').meta({ shown: 'DateTime' }),
  },
);
export type MeasuredWording = z.infer<typeof measuredWording>;

export const storedWording = storedJson(measuredWording);
