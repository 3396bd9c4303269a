import type { Citation, Evidence } from '../answer.js';
import { supportShare } from './verify.js';

/** Evidence that holds less of the text than this is not cited beside better. */
const LEAST_SUPPORT = 0.25;

/**
 * The sentences that the text rests on, strongest support first. A text always has one: where no sentence holds enough
 * of it, the best.
 */
export function cite(text: string, evidence: readonly Evidence[], question: string): Citation[] {
  const citations = evidence
    .map((sentence) => toCitation(sentence, supportShare(text, sentence.quote, question)))
    .sort((a, b) => b.support - a.support);
  const strong = citations.filter(({ support }) => support >= LEAST_SUPPORT);
  return strong.length > 0 ? strong : citations.slice(0, 1);
}

function toCitation(evidence: Evidence, support: number): Citation {
  const { documentId, documentName, chunkId, collectionName, quote, start, end, page, headings, scores } = evidence;
  return { documentId, documentName, chunkId, collectionName, quote, start, end, page, headings, scores, support };
}
