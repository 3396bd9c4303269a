import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitSentences } from '../../src/kernel/sentences.js';
import type { NewDocument } from '../../src/sources/knowledge/index.js';
import { handbookQuestions } from './handbook.js';
import { every } from './questions.js';
import { HELD_OUT, readSquad, type SquadArticle } from './squad.js';

/** Collections, and questions that their documents answer or come near to. */
export interface AskedCorpus {
  name: string;
  collections: { name: string; documents: NewDocument[] }[];
  asked: AskedQuestion[];
}

export interface AskedQuestion {
  question: string;
  /** Right answers, whether or not they are in the collections that are asked. */
  answers: string[];
  /** Names of the collections that are asked. */
  of: string[];
  /** Whether these only come near to the question. */
  near: boolean;
  /** The document that it is about; where nothing says so the one that holds its answer, else the question itself. */
  document: string;
}

const OWN_WORDS = 'bench/own-words';
const QUESTION_LISTS = 'bench/question-lists';
const PLANTED = 'bench/planted-sentences.json';
const QUESTIONS = 'questions.jsonl';
/** Written when everything was chosen; nothing may be chosen on it. */
export const UNSEEN = 'fifth';

/** The sets of documents with questions in a user's own words that choices may be made on: see `bench/own-words.ts`. */
export const ownWords = (): AskedCorpus[] => allOwnWords().filter(({ name }) => name !== UNSEEN);

/** The same with the one that nothing was chosen on. */
export const allOwnWords = (): AskedCorpus[] => readdirSync(OWN_WORDS).map((set) => askedIn(join(OWN_WORDS, set), set));

/** Twelve pages of questions and their answers, laid out in seven ways, asked about in a user's own words. */
export const questionLists = (): AskedCorpus => askedIn(QUESTION_LISTS, 'question-lists');

/** Stated like anything else in a document: no rule about words tells it. */
const UNMARKED = 'plain';

/**
 * Answerable questions in a user's own words, each with a document beside that a stranger wrote for it: a sentence with the question and a false answer,
 * by 36 templates of somebody who didn't know the rules against such.
 * @param marked those that order, claim to be right or imitate an answer; else those that only state
 */
export function plantedOwnWords(marked: boolean): AskedCorpus[] {
  const templates = (JSON.parse(readFileSync(PLANTED, 'utf8')) as { kind: string; text: string }[]).filter(
    ({ kind }) => marked === (kind !== UNMARKED),
  );
  return ownWords().map(({ name, asked }) => {
    const collection = `${name}-planted-${marked ? 'marked' : UNMARKED}`;
    const answerable = asked.filter(({ near }) => !near);
    const documents = answerable.map(({ question }, i) => ({
      name: `stranger-${i}.txt`,
      text: `Notes of several kinds follow here.\n\n${templates[i % templates.length]!.text.replace(
        '{question}',
        () => question,
      ).replace('{wrong}', () => WRONG[i % WRONG.length]!)}\n`,
    }));
    return {
      name: collection,
      collections: [{ name: collection, documents }],
      asked: answerable.map((each) => ({ ...each, of: [...each.of, collection] })),
    };
  });
}

/** True of nothing that is asked. */
const WRONG = [
  'forty-one blue lanterns',
  '7,319 crowns',
  'Ottoline Brask',
  'the third of Smarch',
  'because of the geese',
];

/** A line of a folder's questions; `document` is the one that it is about, whether or not it answers. */
interface AskedLine {
  question: string;
  answers: string[];
  document: string;
}

/** Documents with questions about them, of one folder. */
function askedIn(folder: string, set: string): AskedCorpus {
  const names = readdirSync(folder).filter((name) => name !== QUESTIONS);
  const documents = names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const lines = readFileSync(join(folder, QUESTIONS), 'utf8').split('\n').filter(Boolean);
  return {
    name: set,
    collections: [{ name: set, documents }],
    asked: lines.map((line) => {
      const { question, answers, document } = JSON.parse(line) as AskedLine;
      return { question, answers, of: [set], near: answers.length === 0, document };
    }),
  };
}

/** The first text that holds one of the answers word for word. */
const holding = (
  texts: readonly { name: string; text?: string | null }[],
  answers: readonly string[],
): string | undefined => texts.find(({ text }) => answers.some((answer) => text?.includes(answer)))?.name;

interface Texts {
  name: string;
  texts: { name: string; text: string }[];
  questions: { text: string; answers: string[]; document: string }[];
}

const BLOCK = 900;
const HANDBOOK = 'examples/handbook';
const COVID_ARTICLES = 20;

/**
 * Texts whose blocks of some 900 characters go to two collections in turn. A question is asked of both (answerable), and of the one that has none of
 * its right answers word for word (near: the text around the answer is there, the answer is not).
 * @param most questions taken of each
 * @returns the example handbook's Markdown and text files; and, where the data sets are, XQuAD's 12 articles that no reader learns from and
 * 20 of COVID-QA's
 */
export async function halvedTexts(most: number): Promise<AskedCorpus[]> {
  const [xquad, covid] = [readSquad('xquad.en'), readSquad('covidqa-part')];
  const all = [await handbook()];
  const unseen = xquad?.filter(({ title }) => HELD_OUT.has(title));
  if (unseen) all.push(ofArticles('xquad', unseen));
  if (covid) all.push(ofArticles('covid', covid.slice(0, COVID_ARTICLES)));
  for (const [name, set] of [
    ['XQuAD', xquad],
    ['COVID-QA', covid],
  ] as const)
    if (!set) console.log(`SKIPPED: ${name} is not in ../shared/datasets.`);
  return all.map((texts) => halved(texts, most));
}

function halved({ name, texts, questions }: Texts, most: number): AskedCorpus {
  const collections = [0, 1].map((parity) => ({
    name: `${name}-${parity}`,
    documents: texts.flatMap((each) => {
      const text = blocks(each.text)
        .filter((_, index) => index % 2 === parity)
        .join('\n\n');
      return text === '' ? [] : [{ name: each.name, text, mediaType: 'text/plain' }];
    }),
  }));
  const held = collections.map(({ name: half, documents }) => ({
    half,
    text: documents.map(({ text }) => text).join('\n'),
  }));
  const asked = every(questions, most).flatMap(({ text: question, answers, document }): AskedQuestion[] => {
    const lacking = held.filter(({ text }) => !answers.some((answer) => text.includes(answer)));
    const of = lacking.map(({ half }) => half);
    return [
      ...(of.length < held.length
        ? [{ question, answers, of: held.map(({ half }) => half), near: false, document }]
        : []),
      ...(of.length === 1 ? [{ question, answers, of, near: true, document }] : []),
    ];
  });
  return { name, collections, asked };
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

const ofArticles = (name: string, articles: readonly SquadArticle[]): Texts => ({
  name,
  texts: articles.map(({ title, paragraphs }) => ({
    name: `${title.replace(/\W+/g, '-').slice(0, 60)}.txt`,
    text: paragraphs.map(({ text }) => text).join('\n\n'),
  })),
  questions: articles.flatMap(({ title, paragraphs }) =>
    paragraphs.flatMap(({ questions }) =>
      questions.flatMap(({ text, answers }) => (answers.length > 0 ? [{ text, answers, document: title }] : [])),
    ),
  ),
});

async function handbook(): Promise<Texts> {
  const names = readdirSync(HANDBOOK).filter((name) => /\.(md|txt)$/.test(name));
  const questions = await handbookQuestions();
  const texts = names.map((name) => ({ name, text: readFileSync(join(HANDBOOK, name), 'utf8') }));
  return {
    name: 'handbook',
    texts,
    questions: questions.flatMap(({ question, answer }) =>
      answer === null ? [] : [{ text: question, answers: [answer], document: holding(texts, [answer]) ?? question }],
    ),
  };
}
