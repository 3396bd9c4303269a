/**
 * Answers to questions in a user's own words, which are rarely those of the document: manuals, rules, minutes, recipes, help pages and reports in
 * five sets of six documents (`bench/own-words`), each with 60 questions that they answer and 40 that they come near to and don't.
 * RAG is retrieval alone (`reader: false`), AUTO what answers by itself, where the reader that comes with Graft judges the sentences first.
 *
 * Published: refusals, and how often a right answer stands word for word in the text, in the best quote and in one of three. The weights in
 * `src/answer/ask/read/evidence.ts` were chosen on the first three sets among others; the probability of an answer and its threshold
 * (`bench -- probability`) on four. The fifth was written when all was chosen, and nothing may be chosen on it.
 *
 * So were, still later, twelve pages of questions and their answers (`question-lists`).
 *
 *   npm run bench -- own-words [--sets fifth,question-lists]   (all, those first)
 */
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { allOwnWords, questionLists, UNSEEN, type AskedCorpus } from './support/asked-corpora.js';
import { listOption } from './support/options.js';
import { holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { refusals, shareOf, type ToldOrRefused } from './support/shares.js';

/** As asked, and as the model words it where it would have quoted. */
const STRATEGIES = {
  RAG: { strategy: 'RAG', reader: false },
  AUTO: { strategy: 'AUTO' },
  'AUTO, the model’s words': { strategy: 'AUTO', wording: 'MODEL' },
} as const;
const SETS = listOption('sets');
type Asked = keyof typeof STRATEGIES;
const NAMES = Object.keys(STRATEGIES) as Asked[];

/** Where a right answer stands word for word. */
interface Told extends ToldOrRefused {
  text: boolean;
  best: boolean;
  three: boolean;
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

async function measure(
  { service, workspaceId, ingest, variant }: Answering,
  { name, collections, asked }: AskedCorpus,
) {
  for (const each of collections) await ingest(each.name, each.documents);
  const { signal } = new AbortController();
  const told = Object.fromEntries(NAMES.map((name): [string, Told[]] => [name, []]));
  for (const { question, answers, of, near, document } of asked)
    for (const strategy of NAMES) {
      const began = performance.now();
      const answer = await service.ask({ workspaceId }, { question, collections: of, ...STRATEGIES[strategy] }, signal);
      const ms = performance.now() - began;
      const holds = (said: string): boolean => holdsGold({ gold: answers, answer: said });
      const quotes = answer.evidence.map(({ quote }) => quote);
      const refused = answer.abstention !== null;
      told[strategy]!.push({
        near,
        document,
        refused,
        text: !refused && holds(answer.text),
        ms,
        best: holds(quotes[0] ?? ''),
        three: quotes.some(holds),
      });
    }
  return NAMES.map((strategy) => ({ model: variant.model, ...rowOf(name, strategy, told[strategy]!) }));
}

function rowOf(set: string, strategy: string, told: readonly Told[]) {
  const answerable = told.filter(({ near }) => !near);
  return {
    set,
    strategy,
    ...refusals(told),
    'right in the text': shareOf(answerable, ({ text }) => text),
    'in the best quote': shareOf(answerable, ({ best }) => best),
    'in one of three': shareOf(answerable, ({ three }) => three),
  };
}

const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  const own = allOwnWords().sort((a, b) => Number(b.name === UNSEEN) - Number(a.name === UNSEEN));
  for (const corpus of [questionLists(), ...own].filter(({ name }) => SETS?.includes(name) ?? true)) {
    const rows = await measure(answering, corpus);
    // A bigger model takes hours for all sets.
    printResult('own-words', { machine: describeMachine(), rows }, ['model', 'set', 'strategy']);
  }
} finally {
  await answering.stop();
}
