import { z } from 'zod';
import { record, choice, int, float } from '../../../../kernel/record.js';
import { riskCurve } from '../../../../kernel/risk.js';
import { storedJson } from '../../../../kernel/stored-json.js';
import type { Prisma } from '../../../../platform/database/index.js';
import { calibratedMembership, type MembershipModel } from '../membership/membership.js';
import { calibration } from './calibration.js';

export const RouterMode = choice('RouterMode', 'What a router does with its choice.', {
  OBSERVE: 'Answers say what it would have chosen.',
  APPLY: 'It chooses, where a question says `AUTO`.',
});
export type RouterMode = keyof typeof RouterMode;

export const routerFigures = record(
  'RouterFigures',
  'How well a version of the router places questions that it was not fitted on.',
  {
    questions: int('Questions that it was measured on.'),
    accuracy: float('Share that went where they belong, 0 to 1.'),
    calibrationError: float('Expected calibration error: how far its probabilities are from how often it is right.'),
    commonest: float('The same of always taking the commonest place.'),
    p: float(
      'Probability of as large a lead over the commonest place if there were none, 0 to 1 (exact test of McNemar); 1 without a lead.',
    ),
  },
);

/** A lead over the commonest place that is at least this improbable by chance is shown. */
const SHOWN = 0.05;

/** What keeps a version from deciding; null where it is shown to be better than the commonest place. */
export function missingOf({
  figures: { questions, accuracy, commonest, p },
}: Pick<RouterParameters, 'figures'>): string | null {
  if (questions === 0)
    return 'Nothing could be measured: no adapter or collection gave enough questions. An adapter needs some thirty rows, a collection some fifteen passages.';
  if (p < SHOWN) return null;
  const shares = `${(100 * accuracy).toFixed(1)} % of ${questions} held-out questions went where they belong, ${(100 * commonest).toFixed(1)} % belong to the commonest place`;
  return `It is not shown to be better than always taking the commonest place (${shares}): more rows or documents are needed, or ones that differ more.`;
}

/** The places as a fit found them. */
const fittedOn = z.object({
  /** An id made when the fit began: documents with later ones came afterwards. */
  mark: z.string(),
  collections: z.array(z.object({ id: z.string(), name: z.string(), passages: z.number().int() })),
  adapters: z.array(z.object({ versionId: z.string(), name: z.string(), version: z.number().int() })),
});
export type FittedOn = z.infer<typeof fittedOn>;

/** Held-out rows that p-values come from: see `pValueOf`. */
const heldOut = z.object({ rows: z.number().int(), foreign: z.number().int(), scores: z.array(z.number()) });

const learned = z.object({
  collections: z.array(z.object({ id: z.string(), name: z.string(), calibration, heldOut })),
  adapters: z.array(
    z.object({
      versionId: z.string(),
      name: z.string(),
      version: z.number().int(),
      datasetVersionId: z.string(),
      /** The rest of its membership is in its sample. */
      membership: calibratedMembership,
      /** What documents held for own messages, as scores of the best sentences; empty where there were no documents. */
      evidence: z.array(z.number()),
    }),
  ),
  /** Log-odds of all places are divided by it: above 1 it makes the router less sure. */
  temperature: z.number(),
  /** Score of belonging to nothing. */
  baseScore: z.number(),
  /** Added to adapters' scores: memberships are calibrated against labels next to their own, which few ask about. */
  adapterScore: z.number(),
  /** Least p-value with which a message counts as an adapter's own. */
  significance: z.number(),
  figures: routerFigures,
  /** How often held-out questions that went to a destination were wrong there above each probability, by `placeKey`. */
  risks: z.record(z.string(), riskCurve),
  fittedOn,
});
export type RouterParameters = z.infer<typeof learned>;
/** The column `learned` of a router version. */
export const storedLearned = storedJson(learned);

export type RouterRecord = Omit<Prisma.RouterVersionGetPayload<object>, 'learned' | 'mode'> & {
  learned: RouterParameters;
  mode: RouterMode;
};

/** What a version does: one that is not shown to be better than the commonest place only observes, whatever was asked of it. */
export const modeInForce = ({ mode, learned: parameters }: Pick<RouterRecord, 'mode' | 'learned'>): RouterMode =>
  missingOf(parameters) === null ? mode : 'OBSERVE';

/** What is large of an adapter's membership. */
export interface AdapterSample extends Pick<MembershipModel, 'regression' | 'rows'> {
  adapterVersionId: string;
  /** Places of `rows` in the adapter's dataset version. */
  ordinals: readonly number[];
  /** Labels of `rows`; empty texts where rows have none. */
  labels: readonly string[];
}
