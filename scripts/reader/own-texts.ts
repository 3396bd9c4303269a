import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { splitSentences } from '../../src/kernel/sentences.js';
import { chunkDocument } from '../../src/sources/knowledge/chunking/chunk.js';
import { parseDocument } from '../../src/sources/knowledge/parsing/parse.js';
import { packageRoot } from '../../src/platform/package-root.js';
import type { ReadingArticle, ReadingParagraph } from './reading-data.js';
import { sharedWords } from './shared-words.js';

const FOLDER = join(packageRoot(), 'readers', 'texts');
const QUESTIONS = 'questions.jsonl';

/** Of the words of a quote, what the sentence must have that it is found in. */
const LEAST_SHARED = 0.75;

const line = z.strictObject({
  document: z.string(),
  question: z.string(),
  /** Word for word in `quote`; null where nothing answers. */
  answer: z.string().nullable(),
  /** The sentence, row or item of the source that answers, or that seems to. */
  quote: z.string(),
});

/**
 * The project's own texts for readers: manuals, tariffs, minutes and the like, with questions in a user's own words, and near ones that they
 * don't answer. Parsed and cut as they would be when ingested: a paragraph is a chunk.
 * @throws where a question's document, quote or answer is not there
 */
export async function ownArticles(): Promise<ReadingArticle[]> {
  const articles: ReadingArticle[] = [];
  const sets = readdirSync(FOLDER, { withFileTypes: true }).filter((each) => each.isDirectory());
  for (const { name: set } of sets) {
    const folder = join(FOLDER, set);
    const asked = readFileSync(join(folder, QUESTIONS), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((each) => line.parse(JSON.parse(each)));
    for (const name of readdirSync(folder).filter((each) => each !== QUESTIONS)) {
      const document = await parseDocument(readFileSync(join(folder, name)), { name, mediaType: null });
      const paragraphs = chunkDocument(document).map(({ text, headings }) => ({ text, headings, questions: [] }));
      for (const question of asked.filter((each) => each.document === name)) place(question, paragraphs);
      articles.push({ title: name, paragraphs });
    }
    const lost = asked.find(({ document }) => !articles.some(({ title }) => title === document));
    if (lost) throw new Error(`${set} has no document ${lost.document}.`);
  }
  return articles;
}

/** Gives the question to the paragraph whose sentence says most of its quote: parsing takes marks and bars away. */
function place({ question, answer, quote }: z.infer<typeof line>, paragraphs: readonly ReadingParagraph[]): void {
  const said = answer === null ? null : plain(answer);
  const [best] = paragraphs
    .flatMap((paragraph) => splitSentences(paragraph.text).map(({ text }) => ({ paragraph, text })))
    .filter(({ text }) => said === null || text.includes(said))
    .map((place) => ({ ...place, shared: sharedWords(quote, place.text) }))
    .sort((a, b) => b.shared - a.shared);
  if (best === undefined || best.shared < LEAST_SHARED * sharedWords(quote, quote))
    throw new Error(`No sentence holds the answer to: ${question}`);
  best.paragraph.questions.push({ text: question, answers: said === null ? [] : [said], sentence: best.text });
}

/** Without Markdown's marks. */
const plain = (text: string): string => text.replaceAll(/[*`]/g, '');
