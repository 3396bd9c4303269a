import { z } from 'zod';
import { enumeration } from '../../../kernel/enumeration.js';
import { record } from '../../../kernel/record.js';
import { riskCurve } from '../../../kernel/risk.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';
import { calibration } from './calibration.js';
import { placeKey, type Offsets } from './choose.js';

/** Whether a router decides, or only says what it would have decided. */
export const RouterMode = enumeration('OBSERVE', 'APPLY');
export type RouterMode = keyof typeof RouterMode;

export const routerFigures = record(
  'RouterFigures',
  'How well a version of the router places questions that it was not fitted on.',
  {
    questions: z.number().int().describe('Questions that it was measured on.'),
    accuracy: z.number().describe('Share that went where they belong, 0 to 1.'),
    calibrationError: z
      .number()
      .describe('Expected calibration error: how far its probabilities are from how often it is right.'),
    commonest: z.number().describe('The same of always taking the commonest place.'),
  },
);

/** The places as a fit found them. */
const fittedOn = z.object({
  /** An id made when the fit began: documents with later ones came afterwards. */
  mark: z.string(),
  collections: z.array(z.object({ id: z.string(), name: z.string(), passages: z.number().int() })),
  adapters: z.array(z.object({ versionId: z.string(), name: z.string(), version: z.number().int() })),
});
export type FittedOn = z.infer<typeof fittedOn>;

const learned = z.object({
  collections: z.array(z.object({ id: z.string(), name: z.string(), calibration })),
  adapters: z.array(z.object({ versionId: z.string(), name: z.string(), version: z.number().int(), calibration })),
  /** Log-odds of all places are divided by it: above 1 it makes the router less sure. */
  temperature: z.number(),
  /** Score of the base model: a question goes to it when no place's log-odds are above. */
  baseScore: z.number(),
  figures: routerFigures,
  /** What people's words added to the scores of places, by `placeKey`; missing where nothing was learned of them. */
  offsets: z.record(z.string(), z.number()).optional(),
  /** How often routes of the held-out questions were wrong above each probability; missing where nobody kept it. */
  risk: riskCurve.optional(),
  /** Missing where nobody kept it. */
  fittedOn: fittedOn.optional(),
});
export type RouterParameters = z.infer<typeof learned>;
/** The column `learned` of a router version. */
export const storedLearned = storedJson(learned);

/**
 * What a person approved of places goes on where a fit finds them anew; of an adapter’s other version nobody said anything. How often routes were wrong
 * holds for the offsets that they were measured with.
 */
export function withApproved(found: RouterParameters, approved: Offsets): RouterParameters {
  const there = new Set([
    placeKey({ strategy: 'BASE', adapter: null }),
    placeKey({ strategy: 'RAG', adapter: null }),
    ...found.adapters.map(({ name, version }) => `${name}@${version}`),
  ]);
  const kept = Object.entries(approved).filter(([key]) => there.has(key));
  const { risk, offsets: measuredWith = {}, ...same } = found;
  const offsets = Object.fromEntries(kept);
  const measured = risk !== undefined && kept.every(([key, added]) => measuredWith[key] === added);
  return { ...same, ...(kept.length > 0 && { offsets }), ...(measured && { risk }) };
}

export type RouterRecord = Omit<Prisma.RouterVersionGetPayload<object>, 'learned' | 'mode'> & {
  learned: RouterParameters;
  mode: RouterMode;
};

/** Vectors of inputs that an adapter was trained on, of unit length, row-major [count, dimensions]. */
export interface AdapterSample {
  adapterVersionId: string;
  vectors: Float32Array;
  dimensions: number;
  /** From the mean of text that belongs nowhere to the mean of `vectors`; null where nobody kept it. */
  direction: Float32Array | null;
}
