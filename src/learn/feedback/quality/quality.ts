import type { z } from 'zod';
import { DAY_MS } from '../../../kernel/duration.js';
import { badInput } from '../../../kernel/errors.js';
import { predictedShare } from '../../../kernel/statistics/prediction-powered.js';
import { float, int, record } from '../../../kernel/record.js';

/** Fewer reviewed answers say nothing. */
const LEAST_REVIEWED = 10;

/** How far back answers are looked at where nobody says since when, in days. */
export const QUALITY_DAYS = 30;
const MOST_DAYS = 366;

export const productionQuality = record(
  'ProductionQuality',
  'The share of right answers: the confidence of all answers, corrected by answers that were drawn at random and reviewed.',
  {
    share: float(`Share of right answers, 0 to 1; null before ${LEAST_REVIEWED} are reviewed.`).nullable(),
    low: float(
      'Lower end of the share’s 95 % interval, which holds however often it is read; null before the share is known.',
    ).nullable(),
    high: float('Upper end of that interval; null likewise.').nullable(),
    reviewed: int('Drawn answers that were reviewed, as far as they are counted: in the order of the draw.'),
    waiting: int('Drawn answers that nobody has reviewed.'),
    wanted: int('How many more reviews are needed before anything is said; 0 once it is.'),
    answers: int('Answers that the share is about.'),
    others: int(
      'Answers of the time that the share is not about: no draw covers them, or too few of the draw are reviewed.',
    ),
  },
);
export type ProductionQuality = z.infer<typeof productionQuality>;

/** Answers that reviews are drawn from, or that quality is about. */
export interface QualityScope {
  from: Date;
  /** Exclusive. */
  to: Date;
  /** Row id of the version that answered; null: any. */
  adapterVersionId: string | null;
}

/** @param field path of `to`, for errors @throws BAD_USER_INPUT */
export function scopeOf(
  { adapterVersionId, ...span }: { adapterVersionId: string | null; from?: Date | null; to?: Date | null },
  field: string,
): QualityScope {
  const to = span.to ?? new Date();
  const from = span.from ?? new Date(to.getTime() - QUALITY_DAYS * DAY_MS);
  if (from >= to) throw badInput(field, 'to must be later than from.');
  if (to.getTime() - from.getTime() > MOST_DAYS * DAY_MS)
    throw badInput(field, `At most ${MOST_DAYS} days are looked at together.`);
  return { from, to, adapterVersionId };
}

/** A drawn answer: its random number, what it predicts of itself, and what its reviewers say; null: neither right nor wrong. */
interface DrawnAnswer {
  number: number;
  predicted: number;
  reviewed: boolean;
  right: number | null;
}

/** Answers that the same draws were made from: each was drawn with the same probability. */
export interface DrawnClass {
  /** Whether any draw was. */
  drawnFrom: boolean;
  answers: number;
  /** Sums of what they predict of themselves, and of its squares. */
  sum: number;
  sumSquares: number;
  drawn: readonly DrawnAnswer[];
}

/**
 * Reviews count up to the first drawn answer that nobody reviewed: those with the least random numbers are a random sample, whatever was
 * reviewed first for another reason. Classes of which too little is reviewed are left out.
 */
export function qualityOf(classes: readonly DrawnClass[]): ProductionQuality {
  const groups = classes.map((group) => {
    const waiting = group.drawn.filter(({ reviewed }) => !reviewed);
    const first = Math.min(...waiting.map(({ number }) => number));
    const judgements = group.drawn.flatMap(({ number, predicted, right }) =>
      right === null || number >= first ? [] : [{ predicted, right }],
    );
    const enough = judgements.length >= (waiting.length > 0 ? LEAST_REVIEWED : 1);
    return { ...group, waiting: waiting.length, judgements, counts: group.drawnFrom && enough };
  });
  const countedGroups = groups.filter(({ counts }) => counts);
  const judgements = countedGroups.flatMap(({ answers, judgements }) =>
    judgements.map((judgement) => ({ ...judgement, weight: answers / judgements.length })),
  );
  const total = (
    selection: readonly (typeof groups)[number][],
    part: (group: (typeof groups)[number]) => number,
  ): number => selection.reduce((sum, group) => sum + part(group), 0);
  const answers = total(countedGroups, (group) => group.answers);
  const isKnown = judgements.length >= LEAST_REVIEWED;
  const mean = total(countedGroups, ({ sum }) => sum) / Math.max(1, answers);
  const variance = total(countedGroups, ({ sumSquares }) => sumSquares) / Math.max(1, answers) - mean ** 2;
  const { value, low, high } = predictedShare({ n: answers, mean, variance: Math.max(0, variance) }, judgements);
  const reviewed = isKnown ? judgements.length : total(groups, (group) => group.judgements.length);
  return {
    ...(isKnown ? { share: value, low, high } : { share: null, low: null, high: null }),
    reviewed,
    waiting: total(groups, ({ waiting }) => waiting),
    wanted: isKnown ? 0 : Math.max(1, LEAST_REVIEWED - reviewed),
    answers: isKnown ? answers : 0,
    others: total(groups, (group) => group.answers) - (isKnown ? answers : 0),
  };
}
