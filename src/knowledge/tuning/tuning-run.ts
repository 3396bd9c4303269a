import { z } from 'zod';
import { enumeration } from '../../kernel/enumeration.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

/** Where the questions came from that a weight was chosen on. */
export const TuningSource = enumeration('LABELLED', 'CLOZE');
export type TuningSource = keyof typeof TuningSource;

/** A question and the chunks that hold its answer. */
const tuningQuestion = z.object({ question: z.string(), chunkIds: z.array(z.string()) });
export type TuningQuestion = z.infer<typeof tuningQuestion>;

const triedWeight = z.object({ denseWeight: z.number(), chosenOn: z.number(), heldOut: z.number() });
/** Mean reciprocal ranks at one weight, of the half that the weight is chosen on and of the other. */
export type TriedWeight = z.infer<typeof triedWeight>;

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
  output: storedJson(
    z.object({
      source: z.enum(TuningSource),
      questions: z.number().int(),
      before: z.number(),
      denseWeight: z.number(),
      tried: z.array(triedWeight),
    }),
  ),
  pausable: true,
});
export type RetrievalTuningContext = ContextOf<typeof retrievalTuning>;
