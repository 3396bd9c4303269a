/** A shadow: a version that answers sampled live questions unseen; and how a pair of answers is compared. */
import { z } from 'zod';
import { confidenceOf, type Answer } from '../../../answer/ask/index.js';
import { answerF1 } from '../../../prove/index.js';
import { verdictOn } from '../../../learn/feedback/index.js';
import { choice, record, string, int, float } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';
import { checkedCount, checkedShare, requestedOnce } from '../request.js';

export type ShadowRow = Prisma.ShadowGetPayload<object>;
export type ShadowPairRow = Prisma.ShadowPairGetPayload<object>;

/** How far a shadow is. */
export const ShadowStatus = choice('ShadowStatus', 'How far a shadow is.', {
  RUNNING: 'Questions are sampled and put to the candidate while nobody waits.',
  COMPLETE: 'As many answers as were wished were compared.',
  STOPPED: 'A person ended it; its report stands.',
  FAILED: 'It could not go on, as `errorCode` says; its report stands.',
});
export type ShadowStatus = keyof typeof ShadowStatus;

/** What became of a sampled answer. */
export const PairStatus = choice('ShadowPairStatus', 'What became of a sampled answer.', {
  WAITING: 'The candidate has not been asked yet.',
  COMPARED: 'Both have answered.',
  FAILED: 'The candidate failed on the question.',
  SKIPPED: 'It was not asked.',
});
export type PairStatus = keyof typeof PairStatus;

/** Why a sampled question was not put to the candidate. */
export const SkipReason = choice('ShadowSkipReason', 'Why a sampled question was not put to the candidate.', {
  BUSY: 'Twenty waited already, because users were answered first or the candidate is slow.',
  HOURLY_BOUND: 'As many as `mostPerHour` had been asked within the hour.',
  UNAVAILABLE: 'What answering takes was away: the worker, the database or the vectors.',
  ENDED: 'It still waited when the shadow ended.',
});
export type SkipReason = keyof typeof SkipReason;

/** The column `skipped`: how often, by reason. */
export const storedSkipped = storedJson(z.partialRecord(z.enum(SkipReason), z.number().int()));

/** What bounds what a shadow costs. */
interface ShadowPlan {
  share: number;
  mostPerHour: number;
  leastAnswers: number;
}
const SHADOW_DEFAULTS: ShadowPlan = { share: 0.1, mostPerHour: 120, leastAnswers: 200 };
const MOST_PER_HOUR = 3_600;
const MOST_PAIRS = 5_000;
/** Kinds of changed labels that a report tells. */
export const MOST_CHANGES = 50;

export const shadowRequest = record('StartShadowInput', 'Which version answers unseen, and what it may cost.', {
  adapter: string('Name of the adapter.'),
  candidate: int('Number of the version, which must be attested; by default the one that `CANDIDATE` names.').nullish(),
  share: float(
    `Share of the answers by production that are sampled, above 0 to 1; ${SHADOW_DEFAULTS.share} by default.`,
  ).nullish(),
  mostPerHour: int(
    `Questions that the candidate is asked within an hour at most, 1 to ${MOST_PER_HOUR}; ${SHADOW_DEFAULTS.mostPerHour} by default. More are skipped.`,
  ).nullish(),
  leastAnswers: int(
    `Answers of the candidate at which it is complete, 1 to ${MOST_PAIRS}; ${SHADOW_DEFAULTS.leastAnswers} by default.`,
  ).nullish(),
  ...requestedOnce,
});
export type StartShadow = z.infer<typeof shadowRequest> & { by: string };

/** @throws BAD_USER_INPUT */
export function checkedPlan(request: { [Name in keyof ShadowPlan]?: number | null }): ShadowPlan {
  const { share, mostPerHour, leastAnswers } = SHADOW_DEFAULTS;
  return {
    share: checkedShare(request.share ?? share, 'input.share'),
    mostPerHour: checkedCount(request.mostPerHour ?? mostPerHour, 'input.mostPerHour', 1, MOST_PER_HOUR),
    leastAnswers: checkedCount(request.leastAnswers ?? leastAnswers, 'input.leastAnswers', 1, MOST_PAIRS),
  };
}

/** How two answers to one question differ: numbers, labels and a digest, nothing of what was said. */
export type PairComparison = Pick<
  Prisma.ShadowPairUncheckedUpdateInput,
  | 'same'
  | 'similarity'
  | 'verdict'
  | 'servedLabel'
  | 'candidateLabel'
  | 'servedAbstained'
  | 'candidateAbstained'
  | 'servedConfidence'
  | 'candidateConfidence'
  | 'servedComputeMs'
  | 'candidateComputeMs'
>;

/** Holds what a candidate said against what was served. */
export function compareAnswers(servedAnswer: Answer, candidate: Answer): PairComparison {
  const texts =
    servedAnswer.output.kind === 'TEXT' && servedAnswer.abstention === null && candidate.abstention === null;
  const verdict = verdictOn(candidate);
  return {
    same: verdict === verdictOn(servedAnswer),
    similarity: texts ? answerF1({ gold: [servedAnswer.text], answer: candidate.text }) : null,
    verdict,
    servedLabel: labelOf(servedAnswer),
    candidateLabel: labelOf(candidate),
    servedAbstained: servedAnswer.abstention !== null,
    candidateAbstained: candidate.abstention !== null,
    servedConfidence: confidenceOf(servedAnswer),
    candidateConfidence: confidenceOf(candidate),
    servedComputeMs: servedAnswer.cost.computeMs,
    candidateComputeMs: candidate.cost.computeMs,
  };
}

const labelOf = ({ output, abstention }: Answer): string | null =>
  output.kind === 'LABEL' && abstention === null ? output.label : null;
