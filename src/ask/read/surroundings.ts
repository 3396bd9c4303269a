import { splitSentences, type Sentence } from '../../kernel/sentences.js';
import { opensSection } from './headings.js';
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
  const at = sentences.findIndex(({ start }) => start === sentence.start);
  const own = sentences.slice(0, Math.max(0, at)).findLast((each) => opensSection(text, each));
  const heading = own?.text ?? headings.at(-1);
  const lead = leadOf(text, sentences, at);
  return [heading, lead !== heading && lead, sentence.text].filter(Boolean).join('\n');
}

/** What leads to a sentence; undefined where nothing does. */
function leadOf(text: string, sentences: readonly Sentence[], at: number): string | undefined {
  const between = (index: number): string => text.slice(sentences[index]!.end, sentences[index + 1]!.start);
  if (at < 1) return undefined;
  if (!between(at - 1).includes('\n')) return sentences[at - 1]!.text;
  for (let index = at - 1; index >= 0; index--) {
    const { text: led } = sentences[index]!;
    if (led.endsWith(':') || isQuestion(led)) return led;
    if (/\n\s*\n/.test(between(index))) return undefined;
  }
  return undefined;
}
