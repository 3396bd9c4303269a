/**
 * Whether nothing is answered where passages are near the question and hold no answer, and what that costs where they do: on texts of which
 * half lies in each of two collections (`support/asked-corpora.ts`). RAG is retrieval alone (`reader: false`), AUTO what answers by itself, where the
 * reader that comes with Graft judges the sentences first.
 *
 *   npm run bench -- near [--questions 60]           (of each corpus at most)
 */
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { halvedTexts, type AskedCorpus } from './support/asked-corpora.js';
import { numberOption } from './support/options.js';
import { holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { refusals, shareOf, type ToldOrRefused } from './support/shares.js';

const QUESTIONS = numberOption('questions', 60);
const STRATEGIES = ['RAG', 'AUTO'] as const;
const { signal } = new AbortController();

interface Told extends ToldOrRefused {
  strategy: (typeof STRATEGIES)[number];
  /** Whether a right answer stands in what was said, word for word. */
  right: boolean;
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

async function measure(
  { service, workspaceId, ingest, variant }: Answering,
  { name, collections, asked }: AskedCorpus,
) {
  for (const each of collections) await ingest(each.name, each.documents);
  const told: Told[] = [];
  for (const { question, answers, of, near, document } of asked) {
    for (const strategy of STRATEGIES) {
      const began = performance.now();
      const input = { question, collections: of, strategy, reader: strategy === 'AUTO' };
      const { abstention, text } = await service.ask({ workspaceId }, input, signal);
      const ms = performance.now() - began;
      const right = abstention === null && holdsGold({ gold: answers, answer: text });
      told.push({ strategy, near, document, refused: abstention !== null, right, ms });
    }
    if (told.length % 40 === 0) console.log(`${name}: ${told.length} answers`);
  }
  return STRATEGIES.map((strategy) => ({
    model: variant.model,
    ...rowOf(
      name,
      strategy,
      told.filter((each) => each.strategy === strategy),
    ),
  }));
}

function rowOf(corpus: string, strategy: string, told: readonly Told[]) {
  const answerable = told.filter(({ near }) => !near);
  return { corpus, strategy, ...refusals(told), 'right answer said': shareOf(answerable, ({ right }) => right) };
}

const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  for (const corpus of await halvedTexts(QUESTIONS)) {
    const rows = await measure(answering, corpus);
    printResult('near', { machine: describeMachine(), rows }, ['model', 'corpus', 'strategy']);
  }
} finally {
  await answering.stop();
}
