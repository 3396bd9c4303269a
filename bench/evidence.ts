/**
 * Whether the sentence that is quoted holds what is asked for: documents and questions that were written for the rules about editions, codes, bounds,
 * pronouns and follow-ups (`bench/evidence`), in two halves. The rules were chosen on `development`; nothing may be chosen on `unseen`.
 *
 * RAG’s first sentence is retrieval and words alone, whatever its probability; AUTO is what answers by itself. Follow-ups are asked behind the question that
 * they follow, and once more as somebody would ask them who had said nothing before.
 *
 * Published: how often a right answer stands word for word in the text, and how often a question is refused that is answered, or isn't.
 *
 *   npm run bench -- evidence [--sets unseen] [--kinds edition,code]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { putReaderInProduction, startAnswering } from './support/answering.js';
import { listOption } from './support/options.js';
import { holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';
import { shareOf, type ToldOrRefused } from './support/shares.js';

const FOLDER = 'bench/evidence';
const SETS = listOption('sets') ?? readdirSync(FOLDER).sort().reverse();
const KINDS = listOption('kinds');
const { signal } = new AbortController();

interface Asked {
  question: string;
  answers: string[];
  document: string;
  kind: string;
  earlier?: string[];
}

interface Told extends ToldOrRefused {
  right: boolean;
}

interface Conversation extends Omit<Asked, 'question' | 'kind'> {
  followUp: string;
  standalone: string;
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

function linesOf<T>(set: string, name: string): T[] {
  const lines = readFileSync(join(FOLDER, set, name), 'utf8')
    .split('\n')
    .filter(Boolean);
  return lines.map((line) => JSON.parse(line) as T);
}

/** The questions of a set by kind, and its follow-ups in both forms. */
function askedIn(set: string): Asked[] {
  const conversations = linesOf<Conversation>(set, 'conversations.jsonl');
  const asked = [
    ...linesOf<Asked>(set, 'questions.jsonl'),
    ...conversations.map(({ followUp, ...rest }) => ({ ...rest, question: followUp, kind: 'follow-up' })),
    ...conversations.map(({ standalone, answers, document }) => {
      return { question: standalone, answers, document, kind: 'follow-up in full' };
    }),
  ];
  return asked.filter(({ kind }) => KINDS?.includes(kind) ?? true);
}

async function tell({ service, workspaceId }: Answering, set: string, one: Asked, strategy: 'RAG' | 'AUTO') {
  const { question, answers, document, earlier } = one;
  const began = performance.now();
  const answer = await service.ask(
    { workspaceId },
    {
      question,
      collections: [set],
      strategy,
      reader: strategy === 'AUTO',
      ...(earlier && { earlier: earlier.map((before) => ({ question: before, answer: null })) }),
    },
    signal,
  );
  const ms = performance.now() - began;
  const refused = answer.abstention !== null;
  const said = strategy === 'RAG' ? (answer.evidence[0]?.quote ?? '') : refused ? '' : answer.text;
  const told: Told = {
    near: answers.length === 0,
    document,
    refused,
    ms,
    right: holdsGold({ gold: answers, answer: said }),
  };
  return told;
}

async function measure(answering: Answering, set: string) {
  const names = readdirSync(join(FOLDER, set)).filter((name) => !name.endsWith('.jsonl'));
  const documents = names.map((name) => ({ name, text: readFileSync(join(FOLDER, set, name), 'utf8') }));
  await answering.ingest(set, documents);
  const told: (Asked & { rag: Told; auto: Told })[] = [];
  for (const one of askedIn(set))
    told.push({ ...one, rag: await tell(answering, set, one, 'RAG'), auto: await tell(answering, set, one, 'AUTO') });
  const kinds = [...new Set(told.map(({ kind }) => kind))];
  const questions = told.filter(({ kind }) => !kind.startsWith('follow-up'));
  return [
    ...(questions.length > 0 ? [rowOf(set, 'all questions', questions)] : []),
    ...kinds.map((kind) =>
      rowOf(
        set,
        kind,
        told.filter((one) => one.kind === kind),
      ),
    ),
  ];
}

function rowOf(set: string, kind: string, told: readonly { rag: Told; auto: Told }[]) {
  const auto = told.map((one) => one.auto);
  const right = (some: readonly Told[]): string => {
    const answerable = some.filter(({ near }) => !near);
    return answerable.length === 0 ? '' : shareOf(answerable, (one) => one.right);
  };
  const share = (near: boolean): string => {
    const some = auto.filter((one) => one.near === near);
    return some.length === 0 ? '' : shareOf(some, ({ refused }) => refused);
  };
  return {
    set,
    kind,
    answerable: auto.filter(({ near }) => !near).length,
    'right in RAG’s first sentence': right(told.map(({ rag }) => rag)),
    'right in the text': right(auto),
    'refused though answerable': share(false),
    near: auto.filter(({ near }) => near).length,
    'refused near': share(true),
  };
}

const answering = await startAnswering();
try {
  await putReaderInProduction(answering);
  for (const set of SETS)
    printResult('evidence', { machine: describeMachine(), rows: await measure(answering, set) }, ['set', 'kind']);
} finally {
  await answering.stop();
}
