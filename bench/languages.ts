/**
 * The same articles and the same questions in English and in Spanish (XQuAD's own translations; German lies not where the data sets do): XQuAD's
 * articles that no reader learns from, a collection a language with its own stemmer. A question is asked of its article's half of the collection's
 * language (answerable) and of the other half of the articles (off topic). The reader learned English; of others nothing is judged but relevance.
 *
 *   npm run bench -- languages [--questions 100]   (of each language at most)
 */
import { startAnswering } from './support/answering.js';
import { numberOption } from './support/options.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import type { OfDocument } from './support/by-document.js';
import { shareOf } from './support/shares.js';
import { HELD_OUT, readSquad, type SquadArticle } from './support/squad.js';

const QUESTIONS = numberOption('questions', 100);
const LANGUAGES = [
  { language: 'English', file: 'xquad.en', stemmer: 'english' },
  { language: 'Spanish', file: 'xquad.es', stemmer: 'spanish' },
] as const;
const { signal } = new AbortController();

type Answering = Awaited<ReturnType<typeof startAnswering>>;

interface Told extends OfDocument {
  refused: boolean;
  text: boolean;
  three: boolean;
}

async function tell(
  answering: Answering,
  question: string,
  collection: string,
  gold: string[],
): Promise<Omit<Told, 'document'>> {
  const { service, workspaceId } = answering;
  const { abstention, text, evidence } = await service.ask(
    { workspaceId },
    { question, collections: [collection], strategy: 'RAG', reader: false },
    signal,
  );
  const refused = abstention !== null;
  return {
    refused,
    text: !refused && holdsGold({ gold, answer: text }),
    three: evidence.some(({ quote }) => holdsGold({ gold, answer: quote })),
  };
}

async function measure(answering: Answering, articles: readonly SquadArticle[], stemmer: string, language: string) {
  const halves = [0, 1].map((half) => articles.filter((_, i) => i % 2 === half));
  const nameOf = (half: number): string => `${stemmer}-${half}`;
  for (const [half, own] of halves.entries())
    await answering.ingest(
      nameOf(half),
      own.flatMap(({ paragraphs }, a) =>
        paragraphs.map(({ text }, p) => ({ name: `${a}-${p}.txt`, text, mediaType: 'text/plain' })),
      ),
      stemmer,
    );
  const asked = halves.flatMap((own, half) =>
    own.flatMap(({ title, paragraphs }) =>
      paragraphs.flatMap(({ questions }) => questions.map((question) => ({ ...question, half, document: title }))),
    ),
  );
  const answerable: Told[] = [];
  const offTopic: Told[] = [];
  for (const { text, answers, half, document } of every(asked, QUESTIONS)) {
    answerable.push({ document, ...(await tell(answering, text, nameOf(half), answers)) });
    offTopic.push({ document, ...(await tell(answering, text, nameOf(1 - half), [])) });
  }
  return {
    language,
    questions: answerable.length,
    'right in the text': shareOf(answerable, ({ text }) => text),
    'in one of three': shareOf(answerable, ({ three }) => three),
    'refused though answerable': shareOf(answerable, ({ refused }) => refused),
    'refused off topic': shareOf(offTopic, ({ refused }) => refused),
  };
}

const answering = await startAnswering();
try {
  const titles = readSquad('xquad.en')?.map(({ title }) => title) ?? [];
  const rows = [];
  for (const { language, file, stemmer } of LANGUAGES) {
    // Translations have their articles in the same order.
    const articles = readSquad(file)?.filter((_, i) => HELD_OUT.has(titles[i] ?? ''));
    if (articles) rows.push(await measure(answering, articles, stemmer, language));
    else console.log(`SKIPPED: ${file} is not in ../shared/datasets.`);
  }
  printResult('languages', { machine: describeMachine(), rows });
} finally {
  await answering.stop();
}
