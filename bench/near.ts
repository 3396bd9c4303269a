/**
 * Whether nothing is answered where passages are near the question and hold no answer, and what that costs where they do.
 *
 * Each text is cut into blocks of some 900 characters that go to two collections in turn. A question is asked of both (answerable), and of
 * the one that has none of its right answers word for word (near: the text around the answer is there, the answer is not). XQuAD: the
 * 12 articles that no reader learns from; COVID-QA: 20 articles; the example handbook: its Markdown and text files. RAG is retrieval as the
 * caller may ask for it, AUTO what answers by itself, where the reader that comes with Graft judges the passages first.
 *
 *   npm run bench -- near [--questions 60]           (of each corpus at most)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitSentences } from '../src/kernel/sentences.js';
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { handbookQuestions } from './support/handbook.js';
import { numberOption } from './support/options.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { refusals, shareOf, type ToldOrRefused } from './support/shares.js';
import { HELD_OUT, readSquad, type SquadArticle } from './support/squad.js';

const QUESTIONS = numberOption('questions', 60);
const BLOCK = 900;
const HANDBOOK = 'examples/handbook';
const STRATEGIES = ['RAG', 'AUTO'] as const;
const { signal } = new AbortController();

interface Corpus {
  name: string;
  texts: { name: string; text: string }[];
  questions: { text: string; answers: string[] }[];
}

interface Told extends ToldOrRefused {
  strategy: (typeof STRATEGIES)[number];
  /** Whether a right answer stands in what was said, word for word. */
  right: boolean;
}

function blocks(text: string): string[] {
  const cut: string[] = [];
  let block = '';
  for (const { text: sentence } of splitSentences(text)) {
    if (block.length > BLOCK) {
      cut.push(block);
      block = '';
    }
    block += `${sentence} `;
  }
  return block.trim() === '' ? cut : [...cut, block];
}

const ofArticles = (name: string, articles: readonly SquadArticle[]): Corpus => ({
  name,
  texts: articles.map(({ title, paragraphs }) => ({
    name: `${title.replace(/\W+/g, '-').slice(0, 60)}.txt`,
    text: paragraphs.map(({ text }) => text).join('\n\n'),
  })),
  questions: articles.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ questions }) => questions.filter(({ answers }) => answers.length > 0)),
  ),
});

async function handbook(): Promise<Corpus> {
  const names = readdirSync(HANDBOOK).filter((name) => /\.(md|txt)$/.test(name));
  const questions = await handbookQuestions();
  return {
    name: 'handbook',
    texts: names.map((name) => ({ name, text: readFileSync(join(HANDBOOK, name), 'utf8') })),
    questions: questions.flatMap(({ question, answer }) =>
      answer === null ? [] : [{ text: question, answers: [answer] }],
    ),
  };
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

async function measure({ service, workspaceId, ingest }: Answering, { name, texts, questions }: Corpus) {
  const cells: { collection: string; text: string }[] = [];
  for (const parity of [0, 1]) {
    const documents = texts.flatMap((each) => {
      const text = blocks(each.text).filter((_, index) => index % 2 === parity).join('\n\n'); // prettier-ignore
      return text === '' ? [] : [{ name: each.name, text, mediaType: 'text/plain' }];
    });
    const collection = `${name}-${parity}`;
    await ingest(collection, documents);
    cells.push({ collection, text: documents.map(({ text }) => text).join('\n') });
  }
  const told: Told[] = [];
  const ask = async (question: string, answers: readonly string[], collections: string[], near: boolean) => {
    for (const strategy of STRATEGIES) {
      const began = performance.now();
      const { abstention, text } = await service.ask({ workspaceId }, { question, collections, strategy }, signal);
      const ms = performance.now() - began;
      const right = abstention === null && holdsGold({ gold: answers, answer: text });
      told.push({ strategy, near, refused: abstention !== null, right, ms });
    }
  };
  for (const { text, answers } of every(questions, QUESTIONS)) {
    const holding = cells.filter((cell) => answers.some((answer) => cell.text.includes(answer)));
    const lacking = cells.filter((cell) => !holding.includes(cell)).map(({ collection }) => collection);
    if (holding.length > 0) await ask(text, answers, cells.map(({ collection }) => collection), false); // prettier-ignore
    if (lacking.length === 1) await ask(text, answers, lacking, true);
    if (told.length > 0 && told.length % 40 === 0) console.log(`${name}: ${told.length} answers`);
  }
  return STRATEGIES.map((strategy) => rowOf(name, strategy, told.filter((each) => each.strategy === strategy))); // prettier-ignore
}

function rowOf(corpus: string, strategy: string, told: readonly Told[]) {
  const answerable = told.filter(({ near }) => !near);
  return { corpus, strategy, ...refusals(told), 'right answer said': shareOf(answerable, ({ right }) => right) };
}

const [xquad, covid] = [readSquad('xquad.en'), readSquad('covidqa-part')];
if (!xquad || !covid)
  console.log('SKIPPED: the data sets are not in ../shared/datasets; the handbook alone is measured.');
const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  const corpora = [await handbook()];
  if (xquad)
    corpora.push(
      ofArticles(
        'xquad',
        xquad.filter(({ title }) => HELD_OUT.has(title)),
      ),
    );
  if (covid) corpora.push(ofArticles('covid', covid.slice(0, 20)));
  const rows = [];
  for (const corpus of corpora) rows.push(...(await measure(answering, corpus)));
  printResult('near', { machine: describeMachine(), rows });
} finally {
  await answering.stop();
}
