import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Passage } from '../../src/sources/knowledge/index.js';

/** Documents with questions of which it is known where the answer stands. */
export interface Corpus {
  name: string;
  language: string;
  documents: { name: string; content: Buffer }[];
  questions: LabelledQuestion[];
}

export interface LabelledQuestion {
  text: string;
  /** Name of the document that holds the answer. */
  document: string;
  answers(passage: Passage): boolean;
}

const DATASETS = process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets';
const EXAMPLES = 'examples';
const SQUAD_FORM = [
  ['XQuAD-en', 'xquad.en.json', 'english'],
  ['XQuAD-es', 'xquad.es.json', 'spanish'],
  ['SQuAD 2, part', 'squad2-part.json', 'english'],
  ['COVID-QA, part', 'covidqa-part.json', 'english'],
] as const;

/** The corpora that are here; the example handbook always is. @param most questions of each, evenly taken; all of them when left out */
export function readCorpora(most = Infinity): Corpus[] {
  const found = SQUAD_FORM.filter(([name, file]) => {
    const here = existsSync(join(DATASETS, file));
    if (!here)
      console.log(`SKIPPED ${name}: ${join(DATASETS, file)} is not here. GRAFT_SHARED_DATASETS names the folder.`);
    return here;
  });
  const corpora = [
    ...found.map(([name, file, language]) => readSquad(name, join(DATASETS, file), language)),
    readExamples(),
  ];
  return corpora.map(({ questions, ...corpus }) => ({ ...corpus, questions: evenly(questions, most) }));
}

function evenly<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, items.length / most);
  return Array.from({ length: Math.min(most, items.length) }, (_, i) => items[Math.floor(i * step)]!);
}

interface Squad {
  data: { paragraphs: { context: string; qas: { question: string; answers: { answer_start: number }[] }[] }[] }[];
}

function readSquad(name: string, path: string, language: string): Corpus {
  const paragraphs = (JSON.parse(readFileSync(path, 'utf8')) as Squad).data.flatMap((article) => article.paragraphs);
  const nameOf = (i: number): string => `paragraph-${i}.txt`;
  return {
    name,
    language,
    documents: paragraphs.map(({ context }, i) => ({ name: nameOf(i), content: Buffer.from(context) })),
    questions: paragraphs.flatMap(({ qas }, i) =>
      qas
        .filter(({ answers }) => answers.length > 0)
        .map(({ question, answers }) => ({
          text: question,
          document: nameOf(i),
          // Plain text is kept as it was sent, so that the offsets of the labels fit.
          answers: ({ documentName, start, end }) =>
            documentName === nameOf(i) && answers.some(({ answer_start: at }) => start <= at && at < end),
        })),
    ),
  };
}

function readExamples(): Corpus {
  const labelled = JSON.parse(readFileSync(join(EXAMPLES, 'questions.json'), 'utf8')) as {
    question: string;
    answer: string | null;
    document: string | null;
  }[];
  const folder = join(EXAMPLES, 'handbook');
  const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ');
  return {
    name: 'example handbook',
    language: 'english',
    documents: readdirSync(folder).map((name) => ({ name, content: readFileSync(join(folder, name)) })),
    questions: labelled.flatMap(({ question, answer, document }) =>
      answer === null || document === null
        ? []
        : [
            {
              text: question,
              document,
              answers: ({ documentName, text }: Passage) =>
                documentName === document && plain(text).includes(plain(answer)),
            },
          ],
    ),
  };
}
