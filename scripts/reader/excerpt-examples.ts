/*
 * The other form in which a reader is asked (`src/answer/ask/judge/check-reading.ts`): whether one sentence answers a question. What it has to refuse are the
 * questions that come nearest: those that other sentences of the same text answer, and those that seem to be answered there.
 */
import { shuffled } from '../../src/kernel/random.js';
import { splitSentences } from '../../src/kernel/sentences.js';
import { REFUSAL } from '../../src/sources/prompting/index.js';
import { withSurroundings } from '../../src/answer/ask/read/surroundings.js';
import type { ReadingArticle, ReadingParagraph, ReadingQuestion } from './reading-data.js';
import { lacksAnswer, type Reading } from './reading-examples.js';
import { sharedWords } from './shared-words.js';

/** Of the sentences that no question is about, the share that is asked the question which comes nearest. */
const UNASKED_SHARE = 0.2;
/** Of the questions that are drawn to be refused, the share that shares most words with the sentence; the others are any of the same text. */
const NEAREST_SHARE = 0.6;

/** Every sentence that a question is about, with the questions that it answers, and about as many that it doesn't. */
export function excerptsOf(articles: readonly ReadingArticle[], random: () => number): Reading[] {
  return articles.flatMap(({ paragraphs }) => {
    const all = paragraphs.flatMap(({ questions }) => questions);
    return paragraphs.flatMap((paragraph) => excerptsIn(paragraph, all, random));
  });
}

function excerptsIn(paragraph: ReadingParagraph, all: readonly ReadingQuestion[], random: () => number): Reading[] {
  const sentences = splitSentences(paragraph.text);
  const about = new Map<string, ReadingQuestion[]>();
  for (const question of paragraph.questions)
    if (question.sentence !== undefined)
      about.set(question.sentence, [...(about.get(question.sentence) ?? []), question]);
  return sentences.flatMap((sentence) => {
    const { text } = sentence;
    const own = about.get(text) ?? [];
    if (own.length === 0 && random() >= UNASKED_SHARE) return [];
    const excerpt = withSurroundings(paragraph, sentence, sentences);
    const answered = own.filter(({ answers }) => answers.length > 0);
    const near = own.filter(({ answers }) => answers.length === 0);
    // A question whose answer stands in what goes before the sentence is neither.
    const others = all.filter((question) => !own.includes(question) && lacksAnswer([excerpt], question));
    const wanted = own.length === 0 ? 1 : Math.max(0, answered.length - near.length);
    const refused = [...near, ...drawn(others, text, wanted, random)];
    return {
      passages: [excerpt],
      questions: shuffled(
        [
          ...answered.map(({ text: question, answers }) => ({ question, answer: answers[0]!, refused: false })),
          ...refused.map(({ text: question }) => ({ question, answer: REFUSAL, refused: true })),
        ],
        random,
      ),
    };
  });
}

function drawn(
  questions: readonly ReadingQuestion[],
  sentence: string,
  count: number,
  random: () => number,
): ReadingQuestion[] {
  const left = shuffled(questions, random);
  const byWords = left
    .map((question) => ({ question, shared: sharedWords(question.text, sentence) }))
    .sort((a, b) => b.shared - a.shared)
    .map(({ question }) => question);
  const taken = new Set<ReadingQuestion>();
  while (taken.size < Math.min(count, left.length)) {
    const from = random() < NEAREST_SHARE ? byWords : left;
    taken.add(from.find((question) => !taken.has(question))!);
  }
  return [...taken];
}
