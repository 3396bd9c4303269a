import { splitSentences, type Sentence } from '../../../kernel/sentences.js';
import type { Evidence } from '../answer.js';
import { anyOf, listed, SENTENCE_WORDS } from '../languages/index.js';
import type { AnswerType } from './answer-type.js';
import { opensSection } from './headings.js';
import { isPlanted, rolesOf } from './no-evidence.js';
import { isQuestion } from './questions.js';

/**
 * A sentence as the reader is asked about it, and learned to be: under the heading nearest to it, and behind what says what it is about: the
 * sentence before in its paragraph, or the question or opening line (`Bring along:`) above its list. A row or an item before is about something else.
 * @param passage that it stands in
 * @param sentence with its UTF-16 offset in the passage's text
 */
export function withSurroundings(
  { text, headings }: { text: string; headings: readonly string[] },
  sentence: Pick<Sentence, 'start' | 'text'>,
  sentences: readonly Sentence[] = splitSentences(text),
): string {
  const position = sentences.findIndex(({ start }) => start === sentence.start);
  const sectionHeading = sentences
    .slice(0, Math.max(0, position))
    .findLast((candidate) => opensSection(text, candidate));
  const heading = sectionHeading?.text ?? headings.at(-1);
  const lead = leadOf(text, sentences, position);
  return [heading, lead !== heading && lead, sentence.text].filter(Boolean).join('\n');
}

/** What leads to a sentence; undefined where nothing does. */
function leadOf(text: string, sentences: readonly Sentence[], position: number): string | undefined {
  const gapAfter = (index: number): string => text.slice(sentences[index]!.end, sentences[index + 1]!.start);
  if (position < 1) return undefined;
  if (!gapAfter(position - 1).includes('\n')) return sentences[position - 1]!.text;
  for (let index = position - 1; index >= 0; index--) {
    const { text: led } = sentences[index]!;
    if (led.endsWith(':') || isQuestion(led)) return led;
    if (/\n\s*\n/.test(gapAfter(index))) return undefined;
  }
  return undefined;
}

/** A word that stands for something in the sentence before, and begins this one. */
const POINTING = anyOf(SENTENCE_WORDS.flatMap(({ pronouns }) => listed(pronouns)));
const beginsPointing = (text: string): boolean => text.search(POINTING) === text.search(/\p{L}/u);

/** The sentence before, on the same line, of one that begins with a word for what stands there; undefined for any other. */
export function antecedentOf(text: string, sentences: readonly Sentence[], position: number): Sentence | undefined {
  const [previousSentence, sentence] = [sentences[position - 1], sentences[position]];
  if (!previousSentence || !sentence || text.slice(previousSentence.end, sentence.start).includes('\n'))
    return undefined;
  return beginsPointing(sentence.text) && !isQuestion(previousSentence.text) ? previousSentence : undefined;
}

/**
 * A quote that can be read alone: behind the sentence that says what its first word stands for, and before the next one where that names what is asked
 * for and the quote doesn't. Where a reason is asked for, the next sentence often gives it without a word that says so.
 */
export function inContext(
  evidence: Evidence,
  passage: { text: string; start: number },
  type: AnswerType | null,
): Evidence {
  const { text } = passage;
  const sentences = splitSentences(text);
  const position = sentences.findIndex(({ start }) => start === evidence.start - passage.start);
  if (position < 0) return evidence;
  const roles = rolesOf(sentences);
  const honest = (candidate: Sentence | undefined): Sentence | undefined =>
    candidate && isPlanted(candidate.text, { afterQuestion: false, roles }) ? undefined : candidate;
  const { start } = honest(antecedentOf(text, sentences, position)) ?? sentences[position]!;
  const { end } = honest(nextAbout(text, sentences, position, type)) ?? sentences[position]!;
  return { ...evidence, quote: text.slice(start, end), start: passage.start + start, end: passage.start + end };
}

function nextAbout(text: string, sentences: readonly Sentence[], position: number, type: AnswerType | null) {
  const [sentence, next] = [sentences[position]!, sentences[position + 1]];
  if (type === null || !next || type.isNamed(sentence.text)) return undefined;
  if (text.slice(sentence.end, next.start).includes('\n') || isQuestion(next.text)) return undefined;
  return type.kind === 'REASON' || (beginsPointing(next.text) && type.isNamed(next.text)) ? next : undefined;
}
