import { excerptsOf } from '../../../scripts/reader/excerpt-examples.js';
import { ownArticles } from '../../../scripts/reader/own-texts.js';
import type { ReadingArticle } from '../../../scripts/reader/reading-data.js';
import { readingsOf } from '../../../scripts/reader/reading-examples.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { REFUSAL } from '../../../src/sources/prompting/index.js';

describe('what a reader learns from', () => {
  let articles: ReadingArticle[];
  beforeAll(async () => {
    articles = await ownArticles();
  });
  const all = () => articles.flatMap(({ paragraphs }) => paragraphs.flatMap(({ questions }) => questions));

  it('places each question of the project’s own texts in the sentence of a chunk that answers it, or seems to', () => {
    expect(all()).toHaveLength(7 * 100 + 467);
    for (const { paragraphs } of articles)
      for (const { text, questions } of paragraphs)
        for (const { sentence, answers } of questions) {
          expect(text).toContain(sentence);
          for (const answer of answers) expect(sentence).toContain(answer);
        }
  });

  it.each([
    ['passages', readingsOf],
    ['single sentences', excerptsOf],
  ])('answers from what is shown, and refuses what is not in it: %s', (_form, make) => {
    const answers = new Map(all().map((question) => [question.text, question.answers]));
    const readings = make(articles, seededRandom(1));
    for (const { passages, questions } of readings)
      for (const { question, answer, refused } of questions) {
        const shown = passages.join('\n');
        if (refused) expect(answer).toBe(REFUSAL);
        else expect(shown).toContain(answer);
        if (refused) for (const right of answers.get(question)!) expect(shown).not.toContain(right);
      }
    const asked = readings.flatMap(({ questions }) => questions);
    expect(asked.filter(({ refused }) => !refused)).toHaveLength(7 * 100);
  });

  it('refuses each near question at the sentence that seems to answer it', () => {
    const readings = excerptsOf(articles, seededRandom(2));
    for (const { text, answers, sentence } of all()) {
      if (answers.length > 0) continue;
      const there = readings.filter(({ passages }) => passages[0]!.endsWith(sentence!));
      expect(there.flatMap(({ questions }) => questions)).toContainEqual({
        question: text,
        answer: REFUSAL,
        refused: true,
      });
    }
  });
});
