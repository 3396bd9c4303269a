import { z } from 'zod';
import { rateSequence } from '../../../prove/index.js';
import { record, int, float, oneOf, string } from '../../../kernel/record.js';
import { MOST_CHANGES, SkipReason } from './shadow.js';
import { percent } from '../../../kernel/text.js';

/** A figure of what was served and of what the candidate would have said, over the same questions. */
const beside = record('ShadowFigure', 'A figure of what was served beside the candidate’s, over the same questions.', {
  pairs: int('Questions of which both are known.'),
  served: float('Of what was served; null where none is known.').nullable(),
  candidate: float('Of the candidate; null where none is known.').nullable(),
});

const truth = record(
  'ShadowTruth',
  'Questions whose right answer feedback told, also after the shadow ended: an expectation, or a judgement of what was served.',
  {
    known: int('Questions of which it is known whether each of both answers is right.'),
    differing: int('Of those, the two answers differ.'),
    servedRight: int('Of those, what was served is right.'),
    candidateRight: int('Of those, the candidate is right.'),
    onlyServed: int('Only what was served is right.'),
    onlyCandidate: int('Only the candidate is right.'),
    p: float('McNemar’s exact test: probability of a split at least as uneven if both were equally good, 0 to 1.'),
  },
);
export type Truth = z.infer<typeof truth>;

const skipped = record('ShadowSkipped', 'Sampled questions that were not put to the candidate, for one reason.', {
  reason: oneOf(SkipReason, 'Why.'),
  count: int('How many.'),
});

const failures = record('ShadowFailures', 'Questions that the candidate failed on with one code.', {
  code: string('The error code.'),
  count: int('How many.'),
});

const labelChange = record('LabelChange', 'How often one label became another.', {
  from: string('What was served; null where it abstained.').nullable(),
  to: string('What the candidate said; null where it abstained.').nullable(),
  count: int('How often.'),
});

const agreement = record('ShadowAgreement', 'A share with the interval that holds it.', {
  value: float('Share of the compared questions to which both said the same, 0 to 1.'),
  low: float('Lower end, 0 to 1: misses with a chance of 5 % at most, however often one looks.'),
  high: float('Upper end, 0 to 1.'),
});

export const shadowReport = record(
  'ShadowReport',
  'What a shadow found so far. It grows with feedback, and shrinks when answers are erased.',
  {
    sentence: string('What was found, in a few sentences with figures.'),
    answered: int('Questions that were put to the candidate.'),
    compared: int('Of those, both answers were compared.'),
    failed: int('Of those, the candidate failed.'),
    erased: int('Of those, went with their answers, which were erased since.'),
    waiting: int('Sampled questions that wait, at most some 20.'),
    skipped: z.array(skipped).describe('Sampled questions that were not asked, by reason.'),
    failures: z.array(failures).describe('What the candidate failed with, most frequent first.'),
    agreement: agreement.nullable().describe('How often both said the same; null before the first.'),
    similarity: float(
      'Of answers in words: mean overlap of both texts’ words (F1), 0 to 1; null where there are none.',
    ).nullable(),
    changes: z.array(labelChange).describe(`Labels that changed, most frequent first, ${MOST_CHANGES} at most.`),
    abstentions: beside.describe('Questions that were not answered, counted.'),
    confidence: beside.describe('Mean confidence, 0 to 1, of questions where both have one.'),
    latencyMs: beside.describe(
      'Median time from question to answer, in ms. The candidate’s holds what it waited for users: compare `computeMs`.',
    ),
    computeMs: beside.describe('Median time that model and embedder worked on an answer, in ms.'),
    truth: truth.describe('What is known of who was right.'),
  },
);
type ShadowReport = z.infer<typeof shadowReport>;

/** What a shadow counted so far, of which its report is made. */
export interface ShadowFigures extends Omit<ShadowReport, 'sentence' | 'agreement' | 'abstentions'> {
  same: number;
  abstained: { served: number; candidate: number };
}

/** Chance that the interval of agreement ever misses, however often one looks. */
const ALPHA = 0.05;

/** The share of the same answers, with an interval that may be read at any time; null before the first pair. */
export function agreementOf({ compared, same }: ShadowFigures): ShadowReport['agreement'] {
  if (compared === 0) return null;
  return { value: same / compared, ...rateSequence({ answers: compared, good: same }, ALPHA) };
}

/** Close to none and to all, a decimal more. */
const shareOf = (share: number): string => percent(share, share > 0.995 || share < 0.005 ? 1 : 0);
const times = (count: number, singular: string, plural = `${singular}s`): string =>
  `${count} ${count === 1 ? singular : plural}`;

/** What was found, in a few sentences with figures. */
export function sentenceOf(candidate: string, servedVersion: string, figures: ShadowFigures): string {
  const agreement = agreementOf(figures);
  const skipped = figures.skipped.reduce((sum, { count }) => sum + count, 0);
  const sentences = [
    agreement === null
      ? `${candidate} has not been compared with ${servedVersion} yet.`
      : `${candidate} said the same as ${servedVersion} in ${figures.same} of ${times(figures.compared, 'question')}: ${shareOf(agreement.value)}, ${shareOf(agreement.low)} to ${shareOf(agreement.high)}.`,
    ...changed(figures),
    ...worked(figures),
    figures.failed > 0 && `It failed on ${times(figures.failed, 'question')}${code(figures)}.`,
    ...rightness(figures.truth),
    skipped > 0 && `${times(skipped, 'sampled question was', 'sampled questions were')} not put to it.`,
    figures.erased > 0 && `${times(figures.erased, 'pair')} went with erased answers.`,
  ];
  return sentences.filter((sentence) => typeof sentence === 'string').join(' ');
}

const code = ({ failures }: ShadowFigures): string => (failures[0] ? ` (${failures[0].code})` : '');

function changed({ changes, abstained, compared }: ShadowFigures): string[] {
  const [topChange] = changes;
  const labels = changes.reduce((sum, { count }) => sum + count, 0);
  const name = (label: string | null): string => (label === null ? 'no answer' : `“${label}”`);
  return [
    ...(topChange
      ? [
          `Labels changed in ${labels}, most often ${name(topChange.from)} to ${name(topChange.to)} (${topChange.count}).`,
        ]
      : []),
    ...(compared > 0 && abstained.served + abstained.candidate > 0
      ? [`It abstained ${times(abstained.candidate, 'time')}, what was served ${times(abstained.served, 'time')}.`]
      : []),
  ];
}

function worked({ confidence, computeMs }: ShadowFigures): string[] {
  const sentences = [
    confidence.candidate !== null &&
      confidence.served !== null &&
      `Its confidence is ${confidence.candidate.toFixed(2)} on average beside ${confidence.served.toFixed(2)}.`,
    computeMs.candidate !== null &&
      computeMs.served !== null &&
      `An answer takes it ${Math.round(computeMs.candidate)} ms of work beside ${Math.round(computeMs.served)}.`,
  ];
  return sentences.filter((sentence) => typeof sentence === 'string');
}

function rightness({ known, servedRight, candidateRight, onlyServed, onlyCandidate, p }: Truth): string[] {
  if (known === 0) return [];
  return [
    `Of ${times(known, 'question')} whose right answer is known it has ${candidateRight} right, what was served ${servedRight}; alone ${onlyCandidate} and ${onlyServed} (p = ${p.toFixed(3)}).`,
  ];
}

/** @param candidate and @param servedVersion as `name@3` */
export const reportOf = (candidate: string, servedVersion: string, figures: ShadowFigures): ShadowReport => ({
  ...figures,
  sentence: sentenceOf(candidate, servedVersion, figures),
  agreement: agreementOf(figures),
  abstentions: { pairs: figures.compared, ...figures.abstained },
});
