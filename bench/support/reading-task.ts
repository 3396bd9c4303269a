import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HELD_OUT, readSquad, type SquadArticle } from './squad.js';

/** Every so manieth of the articles that are learned from validates. */
const VALIDATES = 9;

/** XQuAD's English half as documents and as questions about them, each article's in one split; the reader has not seen those of the test. */
export interface ReadingTask {
  /** One an article. */
  documents: { name: string; text: string }[];
  /** In SQuAD's form. */
  files: { name: string; split: 'TRAIN' | 'VALIDATION' | 'TEST' }[];
}

/** @returns null where the data sets are not on this machine */
export function readingTask(): ReadingTask | null {
  const articles = readSquad('xquad.en');
  if (!articles) return null;
  const learned = articles.filter(({ title }) => !HELD_OUT.has(title));
  const folder = mkdtempSync(join(tmpdir(), 'graft-bench-reading-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const file = (split: ReadingTask['files'][number]['split'], chosen: readonly SquadArticle[]) => {
    const name = join(folder, `${split.toLowerCase()}.json`);
    writeFileSync(name, squadOf(chosen));
    return { name, split };
  };
  return {
    documents: articles.map(({ title, paragraphs }) => ({
      name: `${title}.txt`,
      text: paragraphs.map(({ text }) => text).join('\n\n'),
    })),
    files: [
      file(
        'TRAIN',
        learned.filter((_, index) => index % VALIDATES !== 0),
      ),
      file(
        'VALIDATION',
        learned.filter((_, index) => index % VALIDATES === 0),
      ),
      file(
        'TEST',
        articles.filter(({ title }) => HELD_OUT.has(title)),
      ),
    ],
  };
}

const squadOf = (articles: readonly SquadArticle[]): string =>
  JSON.stringify({
    version: '1.1',
    data: articles.map(({ title, paragraphs }, article) => ({
      title,
      paragraphs: paragraphs.map(({ text, questions }, paragraph) => ({
        context: text,
        qas: questions.map((question, index) => ({
          id: `${title}-${article}-${paragraph}-${index}`,
          question: question.text,
          answers: question.answers.map((answer) => ({ text: answer, answer_start: text.indexOf(answer) })),
        })),
      })),
    })),
  });
