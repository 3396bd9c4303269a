import { HELD_OUT, readSquad, type SquadQuestion } from '../../bench/support/squad.js';

/** A question with its answers; none where its sentence only seems to answer it. */
export type ReadingQuestion = SquadQuestion;

export interface ReadingParagraph {
  text: string;
  headings: readonly string[];
  questions: ReadingQuestion[];
}

export interface ReadingArticle {
  title: string;
  paragraphs: ReadingParagraph[];
}

/**
 * What the reader may learn from encyclopedias: XQuAD's English articles and the answerable questions of SQuAD 2.0, without the articles
 * that are held out. A paragraph or a question that both have counts once. Of the questions that SQuAD 2.0 made unanswerable
 * none is taken: a model of this size learns from them to refuse, not to tell.
 */
export function encyclopediaArticles(): ReadingArticle[] {
  const [xquad, squad2] = [readSquad('xquad.en'), readSquad('squad2-part')];
  if (xquad === null || squad2 === null) throw new Error('The data sets are not in ../shared/datasets.');
  const articles = new Map<string, Map<string, ReadingParagraph>>();
  for (const { title, paragraphs } of [...xquad, ...squad2]) {
    if (HELD_OUT.has(title)) continue;
    const known = articles.get(title) ?? new Map<string, ReadingParagraph>();
    articles.set(title, known);
    const asked = new Set([...known.values()].flatMap(({ questions }) => questions.map(({ text }) => text)));
    for (const { text, questions } of paragraphs) {
      const fresh = questions.filter(
        ({ text: question, answers }) => answers.length > 0 && !asked.has(question) && asked.add(question),
      );
      const key = text.replace(/\s+/g, ' ').trim();
      const before = known.get(key);
      if (before) before.questions.push(...fresh);
      else known.set(key, { text: key, headings: [], questions: fresh });
    }
  }
  return [...articles].map(([title, paragraphs]) => ({ title, paragraphs: [...paragraphs.values()] }));
}
