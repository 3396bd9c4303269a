/*
 * What a reader learns from: questions on several passages at once, in the form of RAFT (Zhang et al. 2024). The passages are
 * neighbours of one article, so that those without the answer are near it; a quarter of the questions have their answer in none of
 * them, and are to be refused.
 */
import { shuffled } from '../../src/kernel/random.js';
import { REFUSAL } from '../../src/sources/prompting/index.js';
import type { ReadingArticle, ReadingParagraph, ReadingQuestion } from './reading-data.js';
import { sharedWords } from './shared-words.js';

/** Passages, and questions to be answered from them: what a model reads once. */
export interface Reading {
  passages: string[];
  questions: { question: string; answer: string; refused: boolean }[];
}

/** Share of readings with so many passages. */
const PASSAGES = [
  { passages: 1, share: 0.1 },
  { passages: 2, share: 0.25 },
  { passages: 3, share: 0.65 },
] as const;
/** UTF-16 units of all passages of a reading, unless one is longer: some 600 tokens. */
const MOST_CHARACTERS = 2_800;
const MOST_QUESTIONS = 16;
const REFUSED_SHARE = 0.25;
/** Of the refused questions: those on the same article that share most words with the passages; those on any other. The rest is on the same. */
const NEAREST_SHARE = 0.4;
const FOREIGN_SHARE = 0.15;

/**
 * One pass over all questions of the articles.
 * @param random decides the order, the passages that go together, and what is refused
 * @param foreign share of the refused questions that is about another article. A user's own words ("Can I pay in cash?") rarely say what they
 * are about, and any text may answer them
 */
export function readingsOf(
  articles: readonly ReadingArticle[],
  random: () => number,
  foreign = FOREIGN_SHARE,
): Reading[] {
  const everywhere = articles.flatMap(({ paragraphs }) => paragraphs.flatMap(({ questions }) => questions));
  return articles.flatMap((article) =>
    groupsOf(article.paragraphs, random).flatMap((group) => {
      const texts = group.map(({ text }) => text);
      const answered = shuffled(
        group.flatMap(({ questions }) => questions.filter(({ answers }) => answers.length > 0)),
        random,
      );
      const own = new Set(answered.map(({ text }) => text));
      const elsewhere = article.paragraphs.flatMap(({ questions }) => questions);
      const near = elsewhere.filter((question) => !own.has(question.text) && lacksAnswer(texts, question));
      return lots(answered, MOST_QUESTIONS).map((lot) => {
        const wanted = Math.round((lot.length * REFUSED_SHARE) / (1 - REFUSED_SHARE) + random() - 0.5);
        const refused = Array.from({ length: wanted }, () =>
          unanswerable(texts, near, everywhere, { random, foreign }),
        );
        return {
          passages: shuffled(texts, random),
          questions: shuffled(
            [
              ...lot.map(({ text, answers }) => ({ question: text, answer: answers[0]!, refused: false })),
              ...[...new Set(refused)].map((question) => ({ question, answer: REFUSAL, refused: true })),
            ],
            random,
          ),
        };
      });
    }),
  );
}

/** Paragraphs of one article in groups that are shown together. */
function groupsOf(paragraphs: readonly ReadingParagraph[], random: () => number): ReadingParagraph[][] {
  const groups: ReadingParagraph[][] = [];
  const left = shuffled(paragraphs, random);
  for (let first = left.pop(); first !== undefined; first = left.pop()) {
    const group = [first];
    const size = drawSize(random());
    while (group.length < size && left.length > 0) {
      const characters = [...group, left.at(-1)!].reduce((sum, { text }) => sum + text.length, 0);
      if (characters > MOST_CHARACTERS) break;
      group.push(left.pop()!);
    }
    groups.push(group);
  }
  return groups;
}

function drawSize(draw: number): number {
  let below = 0;
  for (const { passages, share } of PASSAGES) if (draw < (below += share)) return passages;
  return PASSAGES.at(-1)!.passages;
}

/** A question that none of the passages answers. */
function unanswerable(
  passages: readonly string[],
  near: ReadingQuestion[],
  everywhere: readonly ReadingQuestion[],
  { random, foreign }: { random: () => number; foreign: number },
): string {
  const draw = random();
  if (draw < 1 - foreign && near.length > 0) {
    const held = passages.join(' ');
    const overlap = ({ text }: ReadingQuestion): number => sharedWords(text, held);
    const nearest =
      draw < NEAREST_SHARE ? near.indexOf(near.reduce((a, b) => (overlap(b) > overlap(a) ? b : a))) : null;
    const [taken] = near.splice(nearest ?? Math.floor(random() * near.length), 1);
    return taken!.text;
  }
  for (;;) {
    const question = everywhere[Math.floor(random() * everywhere.length)]!;
    if (lacksAnswer(passages, question)) return question.text;
  }
}

/** Whether no right answer of the question stands in the passages, whatever paragraph it was asked of. */
export const lacksAnswer = (passages: readonly string[], { answers }: ReadingQuestion): boolean =>
  !passages.some((passage) => answers.some((answer) => passage.toLowerCase().includes(answer.toLowerCase())));

const lots = <T>(items: readonly T[], most: number): T[][] => {
  const count = Math.ceil(items.length / most);
  const size = Math.ceil(items.length / Math.max(1, count));
  return Array.from({ length: count }, (_, lot) => items.slice(lot * size, (lot + 1) * size));
};
