/**
 * What the rules are worth that hold a model's words against their source (`src/answer/ask/word/verify.ts`): answers from documents in the model's words,
 * which are replaced by the best sentence where it contradicts them, with all rules and with each left out. The model writes once; what is
 * replaced is found from what it wrote and read, and rows where that isn't what the product did are counted.
 *
 * Corpora: the answerable questions of the four sets of `own-words`, and of XQuAD's unseen articles, COVID-QA and the example handbook, where they are.
 * Intervals resample the documents that questions are about. A rule pays if leaving it out lets more wrong words through, beyond the interval.
 *
 *   npm run bench -- wording-rules [--questions 60]   (of each corpus, at most)
 */
import { checkWording, ALL_WORDING_RULES, type Answer, type WordingRules } from '../src/answer/ask/index.js';
import { startAnswering } from './support/answering.js';
import { halvedTexts, ownWords, type AskedCorpus, type AskedQuestion } from './support/asked-corpora.js';
import { pairedShare } from './support/paired-share.js';
import { numberOption } from './support/options.js';
import { percent } from './support/percent.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';

const QUESTIONS = numberOption('questions', 60);
const { signal } = new AbortController();

const VARIANTS: Readonly<Record<string, WordingRules>> = {
  'all rules': ALL_WORDING_RULES,
  contradictions: { ...ALL_WORDING_RULES, contradicting: false },
};
const NAMES = Object.keys(VARIANTS);

interface Worded {
  document: string;
  /** Whether the product kept the model's words. */
  kept: boolean;
  by: Record<string, { kept: boolean; right: boolean }>;
}

type Answering = Awaited<ReturnType<typeof startAnswering>>;

/** @returns null where nothing was worded, or it was replaced for another reason than what it says */
async function word(answering: Answering, corpus: string, asked: AskedQuestion): Promise<Worded | null> {
  const { service, workspaceId } = answering;
  const input = {
    question: asked.question,
    collections: asked.of,
    strategy: 'RAG',
    reader: false,
    wording: 'MODEL',
  } as const;
  let written = '';
  let answer: Answer | null = null;
  const texts = new Map<string, string>();
  for await (const event of service.stream({ workspaceId }, input, signal)) {
    if (event.type === 'passages') for (const { chunkId, text } of event.passages) texts.set(chunkId, text);
    if (event.type === 'delta') written += event.text;
    if (event.type === 'answer') answer = event.answer;
  }
  const best = answer?.evidence[0];
  if (!answer || !best || answer.abstention !== null || written.trim() === '' || answer.finishReason === 'REPEATED')
    return null;
  const read = answer.passages.flatMap(({ chunkId, used }) => (used ? [texts.get(chunkId) ?? ''] : []));
  const by: Worded['by'] = {};
  for (const [name, rules] of Object.entries(VARIANTS)) {
    const { supported: kept } = checkWording(written, [...read, best.quote], asked.question, rules);
    by[name] = { kept, right: holdsGold({ gold: asked.answers, answer: kept ? written : best.quote }) };
  }
  return { document: `${corpus} ${asked.document}`, kept: answer.wording === 'MODEL', by };
}

async function wordAll(answering: Answering, corpora: readonly AskedCorpus[]): Promise<Worded[]> {
  const all: Worded[] = [];
  for (const { name, collections, asked } of corpora) {
    for (const each of collections) await answering.ingest(each.name, each.documents);
    for (const each of every(
      asked.filter(({ near }) => !near),
      QUESTIONS,
    )) {
      const worded = await word(answering, name, each);
      if (worded !== null) all.push(worded);
    }
    console.log(`${name}: ${all.length} wordings so far`);
  }
  return all;
}

function rowsOf(model: string, corpora: string, worded: readonly Worded[]) {
  const shown = (name: string, holds: (one: Worded['by'][string]) => boolean): string =>
    name === NAMES[0]
      ? percent(worded.filter(({ by }) => holds(by[name]!)).length / worded.length)
      : pairedShare(
          worded,
          ({ by }) => holds(by[NAMES[0]!]!),
          ({ by }) => holds(by[name]!),
        );
  return NAMES.map((name, i) => ({
    model,
    corpora,
    'left out': i === 0 ? 'nothing' : name,
    worded: worded.length,
    'as the product did': percent(worded.filter(({ kept, by }) => kept === by[NAMES[0]!]!.kept).length / worded.length),
    'words kept': shown(name, ({ kept }) => kept),
    'right in the text': shown(name, ({ right }) => right),
    'wrong words kept': shown(name, ({ kept, right }) => kept && !right),
  }));
}

const answering = await startAnswering();
try {
  const { model } = answering.variant;
  const own = await wordAll(answering, ownWords());
  const others = await wordAll(answering, await halvedTexts(QUESTIONS));
  const rows = [
    ...rowsOf(model, 'own words, four sets', own),
    ...rowsOf(model, 'handbook, xquad, covid', others),
    ...rowsOf(model, 'all of them', [...own, ...others]),
  ];
  printResult('wording-rules', { machine: describeMachine(), rows }, ['model', 'corpora', 'left out']);
} finally {
  await answering.stop();
}
