import { z } from 'zod';
import { choice, record, float, oneOf, int } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';

/** Where the questions came from that a weight was chosen on. */
export const TuningSource = choice('TuningSource', 'Where the questions came from that a weight was chosen on.', {
  LABELLED: 'They were sent, with what answers them.',
  CLOZE:
    'Sentences of the collection’s own passages, without the rarer half of their words; each asks for its passage.',
});
export type TuningSource = keyof typeof TuningSource;

/** A question and the chunks that hold its answer. */
const tuningQuestion = z.object({ question: z.string(), chunkIds: z.array(z.string()) });
export type TuningQuestion = z.infer<typeof tuningQuestion>;

const triedWeight = record('TriedDenseWeight', 'How well one weight ranks.', {
  denseWeight: float('Share of the dense score, 0 to 1.'),
  chosenOn: float('Mean reciprocal rank among ten, 0 to 1, of the half of the questions that the weight is chosen on.'),
  heldOut: float('The same of the other half, which has no part in the choice.'),
});
/** Mean reciprocal ranks at one weight, of the half that the weight is chosen on and of the other. */
export type TriedWeight = z.infer<typeof triedWeight>;

export const tuningResult = record('RetrievalTuningResult', 'What came of a RETRIEVAL_TUNING run.', {
  source: oneOf(TuningSource, 'Where the questions came from.'),
  questions: int('How many were asked.'),
  before: float('The collection’s weight before.'),
  denseWeight: float('Its weight since: the one before where that ranks the held-out half better than the chosen one.'),
  tried: z.array(triedWeight).describe('What each weight gave, by weight.'),
});

export const retrievalTuning = defineRunKind({
  kind: 'RETRIEVAL_TUNING',
  description: 'A collection’s own weight of meaning against words is chosen on questions, and held against others.',
  subject: 'Collection',
  input: storedJson(
    z.object({
      collectionId: z.string(),
      /** null: cloze questions are made of the collection's own passages. */
      questions: z.array(tuningQuestion).nullable(),
      sample: z.number().int(),
      seed: z.number().int(),
    }),
  ),
  output: storedJson(tuningResult),
  pausable: true,
});
export type RetrievalTuningContext = ContextOf<typeof retrievalTuning>;
