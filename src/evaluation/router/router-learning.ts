import { z } from 'zod';
import { choose, eligible, placeKey, type Offsets, type ScoredPlace } from '../../ask/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { record } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import type { Answer } from '../../ask/index.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { intervalFields } from '../../kernel/interval.js';
import type { LoggedChoice, PolicyComparison } from './off-policy.js';

/** How a proposal of the router ended. */
export const RouterProposalStatus = enumeration('OPEN', 'APPROVED', 'REJECTED', 'WITHDRAWN');
export type RouterProposalStatus = keyof typeof RouterProposalStatus;

const estimate = record(
  'RouterEstimate',
  'An estimate with its 95 % interval, in shares of right answers.',
  intervalFields('The estimate.', 'Lower end of its interval.', 'Upper end.'),
);

const policyValue = record(
  'RouterValue',
  'What a way to route would have been worth, judged from the chances that the router took.',
  {
    ips: estimate
      .describe('By inverse propensity: answers weigh by how seldom they were chosen.')
      .meta({ name: 'inversePropensity' }),
    dr: estimate
      .describe('Doubly robust: a model of what is right, corrected by the same weights.')
      .meta({ name: 'doublyRobust' }),
    effective: z
      .number()
      .describe(
        'Answers of its choices where the two ways differ, in what they are worth by Kish: where both choose the same, none tells which is better.',
      )
      .meta({ name: 'effectiveAnswers' }),
    unsupported: z
      .number()
      .describe(
        'Of the questions in which the two ways differ, the share, 0 to 1, in which chance never could have chosen so; 0 where they don’t differ.',
      ),
  },
);

export const comparison = record(
  'RouterComparison',
  'Two ways to route, judged on the same questions, none of which was learned from.',
  {
    questions: z.number().int().describe('Questions that they were judged on.'),
    present: policyValue.describe('As the router decides now, without chance.'),
    candidate: policyValue.describe('As it would decide.'),
    difference: estimate.describe('What the candidate adds, doubly robust.'),
  },
);

/** The column `evidence` of a router proposal. */
export const storedRouterEvidence = storedJson(
  z.object({
    offsets: z.record(z.string(), z.number()),
    /** Questions that it learned from; the comparison is on others. */
    learnedFrom: z.number().int(),
    comparison,
  }),
);

export const routerLearning = defineRunKind({
  kind: 'ROUTER_LEARNING',
  description:
    'The router learns from what people say of answers which places are right more often than it thinks, and is judged from the chances that it took.',
  input: storedJson(z.object({})),
  output: storedJson(
    z.object({
      /** null where nothing is proposed. */
      proposalId: z.string().nullable(),
      message: z.string(),
      questions: z.number().int(),
      comparison: comparison.nullable(),
    }),
  ),
  occupies: 'router',
});
export type RouterLearningContext = ContextOf<typeof routerLearning>;

/** A choice with what is needed to choose anew. */
export interface RoutedChoice extends LoggedChoice {
  candidates: readonly ScoredPlace[];
}

/** Fewer questions show nothing. */
const LEAST_QUESTIONS = 100;
/**
 * Answers of the candidate’s choice, where it differs, that a comparison must be worth: with fewer, the difference there is the reward model’s guess. Its
 * interval only sees how wrong that is where answers disagree with it, and ten that are as often right as not all say the same once in 500 times.
 */
export const LEAST_EFFECTIVE = 10;
/** Of the questions in which it would choose otherwise, those at most whose choice nobody could have seen. */
const MOST_UNSUPPORTED = 0.05;

/** What an answer tells of the router's chances; null where it took none. @param reward 0 to 1 */
export function routedChoice(
  { route, adapter: used }: Pick<Answer, 'route' | 'adapter'>,
  reward: number,
): RoutedChoice | null {
  const { router, candidates: stored, strategy } = route;
  if (router?.propensity === undefined || route.chosenBy !== 'ROUTER') return null;
  const candidates = stored.map(({ strategy: of, adapter = null, probability, expectedMs }): ScoredPlace => ({
    strategy: of,
    adapter,
    probability,
    expectedMs,
    logOdds: probability === null ? null : Math.log(Math.max(probability, 1e-6)),
  }));
  const known = candidates.filter(({ probability }) => probability !== null);
  const chosen = placeKey({ strategy, adapter: used && `${used.name}@${used.version}` });
  if (known.length < 2 || !known.some((place) => placeKey(place) === chosen)) return null;
  const { chosen: own } = choose(candidates);
  return {
    candidates,
    chosen,
    propensity: router.propensity,
    reward,
    eligible: new Set(eligible({ chosen: own, places: candidates }).map(placeKey)),
    places: new Map(known.map((place) => [placeKey(place), place.probability!])),
  };
}

/** What the router chooses without chance. */
export const present = ({ candidates }: RoutedChoice): string => placeKey(choose(candidates).chosen);

/** What it would choose with such offsets. */
export const withOffsets =
  (offsets: Offsets) =>
  ({ candidates }: RoutedChoice): string => {
    const raised = candidates.map((place) =>
      place.probability === null ? 0 : place.probability * Math.exp(offsets[placeKey(place)] ?? 0),
    );
    const sum = raised.reduce((all, each) => all + each, 0);
    const moved = candidates.map((place, i) => ({
      ...place,
      probability: place.probability === null ? null : raised[i]! / sum,
    }));
    return placeKey(choose(moved).chosen);
  };

/** Why a comparison is no ground to propose anything; null where it is one. */
export function objection({ questions, candidate, difference }: PolicyComparison): string | null {
  if (questions < LEAST_QUESTIONS)
    return `${questions} questions were left to judge by, and ${LEAST_QUESTIONS} are needed.`;
  if (difference.low === 0 && difference.high === 0) return 'It would choose as the router does now.';
  if (candidate.effective < LEAST_EFFECTIVE)
    return `What it would choose otherwise was chosen too seldom: the answers are worth ${candidate.effective.toFixed(1)}, and ${LEAST_EFFECTIVE} are needed.`;
  if (candidate.unsupported > MOST_UNSUPPORTED)
    return `In ${(100 * candidate.unsupported).toFixed(0)} % of the questions in which it would choose otherwise, it would choose what chance never could.`;
  if (difference.low <= 0)
    return `It can’t be told to be better: ${points(difference.value)} points (${points(difference.low)} to ${points(difference.high)}).`;
  return null;
}

const points = (share: number): string => `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)}`;
