import { splitSentences } from '../../../kernel/sentences.js';
import type { Passage } from '../../../sources/knowledge/index.js';
import type { Citation, Evidence } from '../answer.js';
import { cite } from './cite.js';

/**
 * The sentence that a copied span stands in, as an exact quote, then the evidence that holds some of its words. Of several places
 * the one among the evidence counts, else the first in the strongest passage.
 * @param passages those that the model read, best first
 */
export function citeSpan(
  span: string,
  passages: readonly Passage[],
  evidence: readonly Evidence[],
  question: string,
): Citation[] {
  const places = passages.flatMap((passage) => placesOf(span, passage));
  const rank = ({ documentId, start, end }: Citation): number => {
    const index = evidence.findIndex(
      (sentence) => sentence.documentId === documentId && sentence.start < end && start < sentence.end,
    );
    return index < 0 ? evidence.length : index;
  };
  const [source] = places.sort((a, b) => rank(a) - rank(b));
  const citations = cite(span, evidence, question);
  if (source === undefined) return citations;
  return [
    source,
    ...citations.filter((citation) => citation.documentId !== source.documentId || citation.start !== source.start),
  ];
}

/** The sentences of a passage that hold the span, or the stretch of sentences that it crosses. */
function placesOf(span: string, passage: Passage): Citation[] {
  const sentences = splitSentences(passage.text);
  return occurrences(span, passage.text).flatMap(({ from, to }) => {
    const crossed = sentences.filter(({ start, end }) => start < to && from < end);
    const [first, last] = [crossed[0], crossed.at(-1)];
    if (first === undefined || last === undefined) return [];
    const { documentId, documentName, chunkId, collectionName, page, headings, scores } = passage;
    return {
      documentId,
      documentName,
      chunkId,
      collectionName,
      page,
      headings,
      scores,
      quote: passage.text.slice(first.start, last.end),
      start: passage.start + first.start,
      end: passage.start + last.end,
      support: 1,
    };
  });
}

/** Where a text stands in another, whatever white space parts its words there: the model read the passage on one line. */
function occurrences(span: string, text: string): { from: number; to: number }[] {
  const words = span.split(/\s+/u).filter((word) => word !== '');
  if (words.length === 0) return [];
  const pattern = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('\\s+');
  return [...text.matchAll(new RegExp(pattern, 'gu'))].map(({ index, 0: match }) => ({
    from: index,
    to: index + match.length,
  }));
}
