/**
 * Answers to questions in a user's own words, which are rarely those of the document: manuals, rules, minutes, recipes, help pages and reports in
 * two sets of six documents (`bench/own-words`), each with 60 questions that they answer and 40 that they come near to and don't.
 * RAG is retrieval as the caller may ask for it, AUTO what answers by itself, where the reader that comes with Graft judges the sentences first.
 *
 * Published: refusals, and how often a right answer stands word for word in the text, in the best quote and in one of three. The weights in
 * `src/ask/evidence.ts` and `check-reading.ts` were chosen on these two sets among others.
 *
 *   npm run bench -- own-words
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { refusals, shareOf, type ToldOrRefused } from './support/shares.js';

const FOLDER = 'bench/own-words';
const QUESTIONS = 'questions.jsonl';
const STRATEGIES = ['RAG', 'AUTO'] as const;

interface Question {
  question: string;
  /** Any of them is right; none where the documents don't say. */
  answers: string[];
}

/** Where a right answer stands word for word. */
interface Told extends ToldOrRefused {
  text: boolean;
  best: boolean;
  three: boolean;
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

type Answering = Awaited<ReturnType<typeof startAnswering>>;

async function measure({ service, workspaceId, ingest }: Answering, set: string) {
  const folder = join(FOLDER, set);
  const names = readdirSync(folder).filter((name) => name !== QUESTIONS);
  await ingest(
    set,
    names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') })),
  );
  const questions = linesOf(join(folder, QUESTIONS)).map((line) => JSON.parse(line) as Question);
  const { signal } = new AbortController();
  const told: Record<(typeof STRATEGIES)[number], Told[]> = { RAG: [], AUTO: [] };
  for (const { question, answers } of questions)
    for (const strategy of STRATEGIES) {
      const began = performance.now();
      const answer = await service.ask({ workspaceId }, { question, collections: [set], strategy }, signal);
      const ms = performance.now() - began;
      const holds = (said: string): boolean => holdsGold({ gold: answers, answer: said });
      const quotes = answer.evidence.map(({ quote }) => quote);
      const refused = answer.abstention !== null;
      told[strategy].push({
        ...{ near: answers.length === 0, refused, text: !refused && holds(answer.text), ms },
        ...{ best: holds(quotes[0] ?? ''), three: quotes.some(holds) },
      });
    }
  return STRATEGIES.map((strategy) => rowOf(set, strategy, told[strategy]));
}

function rowOf(set: string, strategy: string, told: readonly Told[]) {
  const answerable = told.filter(({ near }) => !near);
  return {
    ...{ set, strategy, ...refusals(told) },
    'right in the text': shareOf(answerable, ({ text }) => text),
    'in the best quote': shareOf(answerable, ({ best }) => best),
    'in one of three': shareOf(answerable, ({ three }) => three),
  };
}

const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  const rows = [];
  for (const set of readdirSync(FOLDER)) rows.push(...(await measure(answering, set)));
  printResult('own-words', { machine: describeMachine(), rows });
} finally {
  await answering.stop();
}
