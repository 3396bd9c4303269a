/*
 * What a reader learns from: questions on several passages at once, in the form of RAFT (Zhang et al. 2024). The passages are
 * neighbours of one article, so that those without the answer are near it; a quarter of the questions have their answer in none of
 * them, and are to be refused.
 */
import type { SquadArticle, SquadParagraph, SquadQuestion } from '../../bench/support/squad.js';
import { shuffled } from '../../src/kernel/random.js';
import { REFUSAL } from '../../src/prompting/index.js';

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
/** Of the refused questions: on the same article, the ones with most words of the passages first; on it, at random; on any other. */
const NEAREST = 0.4;
const SAME_ARTICLE = 0.85;

/**
 * One pass over all questions of the articles.
 * @param random decides the order, the passages that go together, and what is refused
 */
export function readingsOf(articles: readonly SquadArticle[], random: () => number): Reading[] {
  const everywhere = articles.flatMap(({ paragraphs }) => paragraphs.flatMap(({ questions }) => questions));
  return articles.flatMap((article) =>
    groupsOf(article.paragraphs, random).flatMap((group) => {
      const texts = group.map(({ text }) => text);
      const answered = shuffled(
        group.flatMap(({ questions }) => questions),
        random,
      );
      const own = new Set(answered.map(({ text }) => text));
      const elsewhere = article.paragraphs.flatMap(({ questions }) => questions);
      const near = elsewhere.filter((question) => !own.has(question.text) && lacksAnswer(texts, question));
      return lots(answered, MOST_QUESTIONS).map((lot) => {
        const wanted = Math.round((lot.length * REFUSED_SHARE) / (1 - REFUSED_SHARE) + random() - 0.5);
        const refused = Array.from({ length: wanted }, () => unanswerable(texts, near, everywhere, random));
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
function groupsOf(paragraphs: readonly SquadParagraph[], random: () => number): SquadParagraph[][] {
  const groups: SquadParagraph[][] = [];
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
  near: SquadQuestion[],
  everywhere: readonly SquadQuestion[],
  random: () => number,
): string {
  const draw = random();
  if (draw < SAME_ARTICLE && near.length > 0) {
    const held = words(passages.join(' '));
    const overlap = ({ text }: SquadQuestion): number => [...words(text)].filter((word) => held.has(word)).length;
    const nearest = draw < NEAREST ? near.indexOf(near.reduce((a, b) => (overlap(b) > overlap(a) ? b : a))) : null;
    const [taken] = near.splice(nearest ?? Math.floor(random() * near.length), 1);
    return taken!.text;
  }
  for (;;) {
    const question = everywhere[Math.floor(random() * everywhere.length)]!;
    if (lacksAnswer(passages, question)) return question.text;
  }
}

/** Whether no right answer of the question stands in the passages, whatever paragraph it was asked of. */
const lacksAnswer = (passages: readonly string[], { answers }: SquadQuestion): boolean =>
  !passages.some((passage) => answers.some((answer) => passage.toLowerCase().includes(answer.toLowerCase())));

/** Words of four letters or more: shorter ones stand everywhere. */
const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));

const lots = <T>(items: readonly T[], most: number): T[][] => {
  const count = Math.ceil(items.length / most);
  const size = Math.ceil(items.length / Math.max(1, count));
  return Array.from({ length: count }, (_, lot) => items.slice(lot * size, (lot + 1) * size));
};
