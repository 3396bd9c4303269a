import { rateSequence, type ConfidenceInterval } from '../../evaluation/index.js';
import type { SkipReason } from './shadow.js';
import { percent } from '../../kernel/text.js';

/** A figure of what was served and of what the candidate would have said, over the same questions. */
export interface Beside {
  pairs: number;
  served: number | null;
  candidate: number | null;
}

/** What is known of the questions whose right answer somebody told. */
export interface Truth {
  known: number;
  servedRight: number;
  candidateRight: number;
  onlyServed: number;
  onlyCandidate: number;
  /** McNemar's: of a split at least as uneven, were both equally good. */
  p: number;
}

/** What a shadow found so far. */
export interface ShadowFigures {
  answered: number;
  waiting: number;
  compared: number;
  failed: number;
  /** Pairs that went with their answers, erased since. */
  erased: number;
  skipped: readonly { reason: SkipReason; count: number }[];
  failures: readonly { code: string; count: number }[];
  same: number;
  /** Mean overlap of the words of two texts, 0 to 1; null where there are none. */
  similarity: number | null;
  /** Most frequent first; null is no label: it abstained. */
  changes: readonly { from: string | null; to: string | null; count: number }[];
  abstained: { served: number; candidate: number };
  confidence: Beside;
  /** Medians in ms. The candidate's waited behind users, so that the work alone compares. */
  latencyMs: Beside;
  computeMs: Beside;
  truth: Truth;
}

/** Chance that the interval of agreement ever misses, however often one looks. */
const ALPHA = 0.05;

/** The share of the same answers, with an interval that may be read at any time; null before the first pair. */
export function agreementOf({ compared, same }: ShadowFigures): ({ value: number } & ConfidenceInterval) | null {
  if (compared === 0) return null;
  return { value: same / compared, ...rateSequence({ answers: compared, good: same }, ALPHA) };
}

/** Close to none and to all, a decimal more. */
const shareOf = (share: number): string => percent(share, share > 0.995 || share < 0.005 ? 1 : 0);
const times = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

/** What was found, in a few sentences with figures. */
export function sentenceOf(candidate: string, served: string, figures: ShadowFigures): string {
  const agreement = agreementOf(figures);
  const skipped = figures.skipped.reduce((sum, { count }) => sum + count, 0);
  const said = [
    agreement === null
      ? `${candidate} has not been compared with ${served} yet.`
      : `${candidate} said the same as ${served} in ${figures.same} of ${times(figures.compared, 'question')}: ${shareOf(agreement.value)}, ${shareOf(agreement.low)} to ${shareOf(agreement.high)}.`,
    ...changed(figures),
    ...worked(figures),
    figures.failed > 0 && `It failed on ${times(figures.failed, 'question')}${code(figures)}.`,
    ...rightness(figures.truth),
    skipped > 0 && `${times(skipped, 'sampled question was', 'sampled questions were')} not put to it.`,
    figures.erased > 0 && `${times(figures.erased, 'pair')} went with erased answers.`,
  ];
  return said.filter((each) => typeof each === 'string').join(' ');
}

const code = ({ failures }: ShadowFigures): string => (failures[0] ? ` (${failures[0].code})` : '');

function changed({ changes, abstained, compared }: ShadowFigures): string[] {
  const [most] = changes;
  const labels = changes.reduce((sum, { count }) => sum + count, 0);
  const name = (label: string | null): string => (label === null ? 'no answer' : `“${label}”`);
  return [
    ...(most
      ? [`Labels changed in ${labels}, most often ${name(most.from)} to ${name(most.to)} (${most.count}).`]
      : []),
    ...(compared > 0 && abstained.served + abstained.candidate > 0
      ? [`It abstained ${times(abstained.candidate, 'time')}, what was served ${times(abstained.served, 'time')}.`]
      : []),
  ];
}

function worked({ confidence, computeMs }: ShadowFigures): string[] {
  const both = [
    confidence.candidate !== null &&
      confidence.served !== null &&
      `Its confidence is ${confidence.candidate.toFixed(2)} on average beside ${confidence.served.toFixed(2)}.`,
    computeMs.candidate !== null &&
      computeMs.served !== null &&
      `An answer takes it ${Math.round(computeMs.candidate)} ms of work beside ${Math.round(computeMs.served)}.`,
  ];
  return both.filter((each) => typeof each === 'string');
}

function rightness({ known, servedRight, candidateRight, onlyServed, onlyCandidate, p }: Truth): string[] {
  if (known === 0) return [];
  return [
    `Of ${times(known, 'question')} whose right answer is known it has ${candidateRight} right, what was served ${servedRight}; alone ${onlyCandidate} and ${onlyServed} (p = ${p.toFixed(3)}).`,
  ];
}
