import { splitSentences, type Sentence } from '../../kernel/sentences.js';
import type { Passage } from '../../knowledge/index.js';
import type { Evidence } from '../answer.js';
import { contentStems } from './words.js';

/** UTF-16 units that a sentence and what it leads to have together at most. */
const LONGEST = 1_200;

/**
 * Some sentences fit a question because they only lead to what it asks for: a line that opens a list (`Bring along:`), or one that says no more than the
 * question does (“The roof was renewed. That was in 2014.”). They are quoted with what they lead to: the list, or the next sentence of the paragraph.
 * Ranks stay as they are. What stands in such a quote isn't evidence a second time, and what ranks above it isn't quoted within.
 * @param evidence best first, exact quotes of the passages
 * @param asked stems of the question's words that count
 */
export function withWhatFollows(
  evidence: readonly Evidence[],
  passages: readonly Passage[],
  asked: ReadonlySet<string>,
): Evidence[] {
  const split = new Map<string, readonly Sentence[]>();
  const kept: Evidence[] = [];
  for (const one of evidence) {
    const passage = passages.find(({ chunkId }) => chunkId === one.chunkId);
    if (passage === undefined || kept.some((better) => isWithin(one, better))) continue;
    const sentences = split.get(one.chunkId) ?? splitSentences(passage.text);
    split.set(one.chunkId, sentences);
    const end = passage.start + endOf(passage.text, sentences, one.start - passage.start, asked);
    const whole = { ...one, end, quote: passage.text.slice(one.start - passage.start, end - passage.start) };
    kept.push(end > one.end && !kept.some((better) => isWithin(better, whole)) ? whole : one);
  }
  return kept;
}

type Place = Pick<Evidence, 'documentId' | 'start' | 'end'>;
const isWithin = (one: Place, other: Place): boolean =>
  one.documentId === other.documentId && other.start <= one.start && one.end <= other.end;

/** Where the sentence that starts there ends with what it leads to. */
function endOf(text: string, sentences: readonly Sentence[], start: number, asked: ReadonlySet<string>): number {
  const at = sentences.findIndex((sentence) => sentence.start === start);
  const lead = sentences[at];
  if (lead === undefined) return start;
  const following = sentences.slice(at + 1);
  const next = following[0];
  let end = lead.end;
  const fits = (sentence: Sentence): boolean => sentence.end - start <= LONGEST;
  if (lead.text.endsWith(':'))
    for (const sentence of following) {
      const goesOn = !text.slice(end, sentence.start).includes('\n');
      if (!fits(sentence) || (goesOn ? end === lead.end : !isItem(text, sentence))) break;
      end = sentence.end;
    }
  else if (next && fits(next) && !text.slice(end, next.start).includes('\n') && saysNoMore(lead.text, asked))
    end = next.end;
  return end;
}

/** Whether a sentence begins an item of a list: behind a bullet, or with a number of its own. */
const isItem = (text: string, { start }: Sentence): boolean =>
  /(^|\n)[ \t]*[-*+•‣▪◦–—][ \t]+$/.test(text.slice(Math.max(0, start - 40), start)) ||
  /^(\(?\d{1,3}[.)]|\(?[a-z][.)])\s/.test(text.slice(start, start + 8));

function saysNoMore(sentence: string, asked: ReadonlySet<string>): boolean {
  const stems = contentStems(sentence);
  return stems.size > 0 && [...stems].every((stem) => asked.has(stem));
}
