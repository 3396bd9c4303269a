/**
 * How good answers from documents are, in two corpora: XQuAD (English; 240 paragraphs of 48 articles, 1,190 questions,
 * `../shared/datasets`; left out where it is absent) and `examples/` (18 files, 20 questions with an answer, 4 without).
 *
 * XQuAD's paragraphs lie in four collections: two halves of the articles, each split by paragraph. A question is asked of its own
 * half (answerable), of the other half (off topic), and of its half without the paragraphs like its own (on topic, but the
 * answer's paragraph is missing). Published: how often the gold answer stands in the best sentence, in the evidence, in the text; how
 * often Graft abstains in each case.
 *
 * `--questions N` takes every so manieth question (default 400 questions), `--answers N` asks the model that many (default 60).
 */
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  abstention,
  checkedQuestion,
  findConflicts,
  findEvidence,
  answerProbability,
  LEAST_PROBABILITY,
  retrievePassages,
  type Conflict,
  type Evidence,
  type RetrievalResult,
} from '../src/answer/ask/index.js';
import { startAnswering } from './support/answering.js';
import { handbookQuestions, ingestHandbook } from './support/handbook.js';
import { numberOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';
import { percent } from './support/percent.js';

type Answering = Awaited<ReturnType<typeof startAnswering>>;

interface Asked {
  question: string;
  golds: string[];
  collections: string[];
}

interface Seen extends Asked {
  evidence: Evidence[];
  conflicts: Conflict[];
  /** Whether another number in a copy of the best sentence is told; null where it has no number. */
  tellsPlanted: boolean | null;
  abstained: boolean;
}

const QUESTIONS = numberOption('questions', 400);
const ANSWERS = numberOption('answers', 60);
const XQUAD = join(process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets', 'xquad.en.json');

const plain = (text: string): string => text.toLowerCase().replace(/[\s\u00a0]+/g, ' ');
const holds = (text: string, golds: readonly string[]): boolean =>
  golds.some((gold) => plain(text).includes(plain(gold)));
const share = <T>(items: readonly T[], test: (item: T) => boolean): number =>
  items.length === 0 ? 0 : items.filter(test).length / items.length;

interface Xquad {
  data: { paragraphs: { context: string; qas: { question: string; answers: { text: string }[] }[] }[] }[];
}

const half = (article: number): number => article % 2;
const cell = (article: number, paragraph: number): string => `xquad-${half(article)}-${paragraph % 2}`;

async function ingestXquad(answering: Answering, { data }: Xquad): Promise<void> {
  const cells = new Map<string, { name: string; text: string }[]>();
  data.forEach(({ paragraphs }, a) =>
    paragraphs.forEach(({ context }, p) => {
      const name = cell(a, p);
      cells.set(name, [...(cells.get(name) ?? []), { name: `${a}-${p}.txt`, text: context }]);
    }),
  );
  for (const [name, documents] of cells) await answering.ingest(name, documents);
}

function xquadQuestions({ data }: Xquad): { own: Asked[]; offTopic: Asked[]; missing: Asked[] } {
  const all = data.flatMap(({ paragraphs }, a) =>
    paragraphs.flatMap(({ qas }, p) => qas.map(({ question, answers }) => ({ a, p, question, answers }))),
  );
  const step = Math.max(1, Math.floor(all.length / QUESTIONS));
  const chosen = all.filter((_, index) => index % step === 0).slice(0, QUESTIONS);
  const asked = (collections: (a: number, p: number) => string[]): Asked[] =>
    chosen.map(({ a, p, question, answers }) => ({
      question,
      golds: answers.map(({ text }) => text),
      collections: collections(a, p),
    }));
  return {
    own: asked((a) => [0, 1].map((p) => cell(a, p))),
    offTopic: asked((a) => [0, 1].map((p) => cell(a + 1, p))),
    missing: asked((a, p) => [cell(a, p + 1)]),
  };
}

async function see({ parts, workspaceId }: Answering, asked: readonly Asked[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  const { signal } = new AbortController();
  const reading = { ...parts, embedder: () => parts.registry.embedder() };
  for (const one of asked) {
    const question = checkedQuestion({ question: one.question, collections: one.collections, strategy: 'RAG' });
    const found = await retrievePassages(
      reading,
      await parts.retriever.scope(workspaceId, question.collections),
      question,
      signal,
    );
    const { evidence, conflicts } = await findEvidence(reading, workspaceId, found, signal);
    const tellsPlanted = planted(evidence, found.terms);
    seen.push({ ...one, evidence, conflicts, tellsPlanted, abstained: abstention(1, evidence) !== null });
  }
  return seen;
}

/** Lays a copy of the best sentence with another number into another document. */
function planted(evidence: readonly Evidence[], terms: RetrievalResult['terms']): boolean | null {
  const [best] = evidence;
  const quote = best?.quote.replace(/(?<![\p{L}\d.,:/-])\d+(?![\d:/]|[.,-]\d)/u, (number) =>
    String(7 + 3 * Number(number)),
  );
  if (best === undefined || quote === best.quote || quote === undefined) return null;
  return findConflicts([...evidence, { ...best, quote, documentId: 'planted' }], terms).some(({ quotes }) =>
    quotes.some(({ documentId }) => documentId === 'planted'),
  );
}

const inBest = ({ evidence, golds }: Seen): boolean => holds(evidence[0]?.quote ?? '', golds);
const inEvidence = ({ evidence, golds }: Seen): boolean => evidence.some(({ quote }) => holds(quote, golds));

/** Asks the model too. */
async function answerAll({ service, workspaceId }: Answering, asked: readonly Asked[]) {
  const { signal } = new AbortController();
  const answers = [];
  for (const { question, collections, golds } of asked) {
    const answer = await service.ask(
      { workspaceId },
      { question, collections, strategy: 'RAG', reader: false },
      signal,
    );
    const quotes = answer.evidence.map(({ quote }) => quote).join('\n');
    const text = holds(answer.text, golds);
    answers.push({ question, golds, answer, text, either: text || holds(quotes, golds) });
  }
  return answers;
}

const answering = await startAnswering();
const rows: Record<string, string | number>[] = [];
try {
  if (existsSync(XQUAD)) {
    const xquad = JSON.parse(await readFile(XQUAD, 'utf8')) as Xquad;
    await ingestXquad(answering, xquad);
    const { own, offTopic, missing } = xquadQuestions(xquad);
    const seen = {
      own: await see(answering, own),
      off: await see(answering, offTopic),
      missing: await see(answering, missing),
    };
    const plantable = seen.own.filter(({ tellsPlanted }) => tellsPlanted !== null);
    const given = seen.own.filter(({ abstained }) => !abstained);
    const step = Math.max(1, Math.floor(own.length / ANSWERS));
    const answers = await answerAll(answering, own.filter((_, index) => index % step === 0).slice(0, ANSWERS));
    const abstained = ({ abstained: yes }: Seen): boolean => yes;
    const [right, wrong] = [seen.off.filter(abstained).length, seen.own.filter(abstained).length];
    rows.push(
      {
        corpus: 'XQuAD',
        figure: 'gold answer in the best sentence',
        n: seen.own.length,
        value: percent(share(seen.own, inBest)),
      },
      {
        corpus: 'XQuAD',
        figure: 'gold answer in the evidence',
        n: seen.own.length,
        value: percent(share(seen.own, inEvidence)),
      },
      {
        corpus: 'XQuAD',
        figure: 'the same, where it did not abstain',
        n: given.length,
        value: percent(share(given, inEvidence)),
      },
      {
        corpus: 'XQuAD',
        figure: 'gold answer in the text',
        n: answers.length,
        value: percent(share(answers, (a) => a.text)),
      },
      {
        corpus: 'XQuAD',
        figure: 'gold answer in text or evidence',
        n: answers.length,
        value: percent(share(answers, (a) => a.either)),
      },
      {
        corpus: 'XQuAD',
        figure: 'text is the model’s wording',
        n: answers.length,
        value: percent(share(answers, (a) => a.answer.wording === 'MODEL')),
      },
      {
        corpus: 'XQuAD',
        figure: 'abstains though answerable',
        n: seen.own.length,
        value: percent(share(seen.own, abstained)),
      },
      {
        corpus: 'XQuAD',
        figure: 'tells of a conflict where none was planted',
        n: seen.own.length,
        value: percent(share(seen.own, ({ conflicts }) => conflicts.length > 0)),
      },
      {
        corpus: 'XQuAD',
        figure: 'tells of a copy of the best sentence with another number',
        n: plantable.length,
        value: percent(share(plantable, ({ tellsPlanted }) => tellsPlanted === true)),
      },
      {
        corpus: 'XQuAD',
        figure: 'abstains off topic (recall)',
        n: seen.off.length,
        value: percent(share(seen.off, abstained)),
      },
      {
        corpus: 'XQuAD',
        figure: 'abstentions that are right (precision), as many off topic as answerable',
        n: right + wrong,
        value: percent(right / (right + wrong)),
      },
      {
        corpus: 'XQuAD',
        figure: 'abstains on topic with the answer’s passage missing',
        n: seen.missing.length,
        value: percent(share(seen.missing, abstained)),
      },
    );
  } else console.log(`SKIPPED: XQuAD: no ${XQUAD}.`);

  await ingestHandbook(answering);
  const questions = (await handbookQuestions()).map(({ question, answer }) => ({
    question,
    golds: answer === null ? [] : [answer],
    collections: ['handbook'],
  }));
  const answers = await answerAll(answering, questions);
  for (const { question, golds, answer, text, either } of answers) {
    const best = answer.evidence[0];
    const probability = best ? answerProbability(best).toFixed(2) : '-';
    console.log(
      `${text ? 'T' : either ? 'e' : '-'} ${answer.abstention ? 'abstains' : answer.wording} ${probability} | ${question} | ${golds[0] ?? 'none'} | ${answer.text}`,
    );
    if (golds.length > 0 && !text)
      for (const { quote, score } of answer.evidence) console.log(`      ${score.toFixed(2)} ${quote.slice(0, 160)}`);
  }
  const answerable = answers.filter(({ golds }) => golds.length > 0);
  const unanswerable = answers.filter(({ golds }) => golds.length === 0);
  rows.push(
    {
      corpus: 'examples',
      figure: 'gold answer in text or evidence, not abstained',
      n: answerable.length,
      value: percent(share(answerable, (a) => a.either && !a.answer.abstention)),
    },
    {
      corpus: 'examples',
      figure: 'gold answer in the text',
      n: answerable.length,
      value: percent(share(answerable, (a) => a.text)),
    },
    {
      corpus: 'examples',
      figure: 'abstains though answerable',
      n: answerable.length,
      value: percent(share(answerable, (a) => a.answer.abstention !== null)),
    },
    {
      corpus: 'examples',
      figure: 'abstains where the handbook has no answer',
      n: unanswerable.length,
      value: percent(share(unanswerable, (a) => a.answer.abstention !== null)),
    },
  );
} finally {
  await answering.stop();
}
printResult(
  'answers',
  {
    machine: describeMachine(),
    rows: rows.map((row) => ({ model: answering.variant.model, ...row })),
    leastProbability: LEAST_PROBABILITY,
  },
  ['model', 'corpus', 'figure'],
);
