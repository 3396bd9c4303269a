/**
 * What each rule about sentences is worth: the best sentence, and refusals, of `RAG` with all rules and with each left out in turn, on
 * the same retrieved passages and the same vectors. No model is asked, so what the reader adds under `AUTO` is no part of it, nor are
 * contradictions of a wording, which need one (see `wording-rules`).
 *
 * Corpora: the four sets of `own-words`, each asked of its own documents and of the next set's (off topic); where they are, XQuAD's unseen
 * articles, COVID-QA and the example handbook, each in halves (near); and by themselves twelve pages of questions and their answers, of which there
 * are only two among the documents of the others; and the answerable of the four sets with a stranger's documents beside, in which every question stands
 * with a false answer, as an order to answer so or as a plain statement. Of the answerable the shares right, wrong and refused add up to 100 %. Intervals resample the documents that
 * questions are about, because questions of one document are alike. A rule pays whose row has an interval without 0 on the side where leaving it out is worse.
 *
 *   npm run bench -- ablation [--questions 40]   (of each halved corpus, and of each set off topic, at most)
 */
import {
  abstention,
  ALL_RULES,
  checkedQuestion,
  findEvidence,
  retrievePassages,
  type Evidence,
  type RetrievalResult,
} from '../src/answer/ask/index.js';
import { startAnswering } from './support/answering.js';
import {
  halvedTexts,
  ownWords,
  plantedOwnWords,
  questionLists,
  type AskedCorpus,
  type AskedQuestion,
} from './support/asked-corpora.js';
import { numberOption } from './support/options.js';
import { pairedShare } from './support/paired-share.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult } from './support/report.js';

const QUESTIONS = numberOption('questions', 40);
const { signal } = new AbortController();

type Answering = Awaited<ReturnType<typeof startAnswering>>;

/** What is changed of what retrieval found before sentences are scored; and of the sentences before they are judged. */
interface Variant {
  before?: (found: RetrievalResult) => RetrievalResult;
  after?: (sentence: Evidence) => Evidence;
}

const without = (rule: keyof typeof ALL_RULES): Variant => ({
  before: (found) => ({ ...found, rules: { ...ALL_RULES, [rule]: false } }),
});

const VARIANTS: Record<string, Variant> = {
  'all rules': {},
  wanted: { before: (found) => ({ ...found, wanted: { type: null, particulars: found.wanted?.particulars ?? null } }) },
  particulars: { before: (found) => ({ ...found, wanted: { type: found.wanted?.type ?? null, particulars: null } }) },
  headings: without('headings'),
  questions: without('questions'),
  planted: without('planted'),
  addressed: without('addressed'),
  'missing names': { after: (sentence) => ({ ...sentence, missingNames: 0 }) },
};
const NAMES = Object.keys(VARIANTS);

interface Seen {
  right: boolean;
  refused: boolean;
}

interface SeenQuestion {
  kind: 'answerable' | 'near' | 'off topic';
  corpus: string;
  document: string;
  by: Record<string, Seen>;
}

/** The embedder, which reads each sentence once however often it is scored. */
function remembering({ worker }: Answering): Pick<Answering['worker'], 'embed'> {
  const known = new Map<string, Float32Array>();
  return {
    async embed(request, options) {
      const fresh = [...new Set(request.texts)].filter((text) => !known.has(text));
      if (fresh.length > 0) {
        const { vectors } = await worker.embed({ ...request, texts: fresh }, options);
        fresh.forEach((text, i) => known.set(text, vectors[i]!));
      }
      return { vectors: request.texts.map((text) => known.get(text)!), truncated: [], tokens: 0 };
    },
  };
}

async function see(answering: Answering, corpus: string, asked: AskedQuestion, kind: SeenQuestion['kind']) {
  const { parts, workspaceId } = answering;
  const reading = { ...parts, worker: remembering(answering), embedder: () => parts.registry.embedder() };
  const question = checkedQuestion({ question: asked.question, collections: asked.of, strategy: 'RAG' });
  const found = await retrievePassages(
    reading,
    await parts.retriever.scope(workspaceId, question.collections),
    question,
    signal,
  );
  const by: Record<string, Seen> = {};
  for (const [name, { before, after }] of Object.entries(VARIANTS)) {
    const { evidence } = await findEvidence(reading, workspaceId, before?.(found) ?? found, signal);
    const judged = after ? evidence.map(after) : evidence;
    by[name] = {
      right: holdsGold({ gold: asked.answers, answer: judged[0]?.quote ?? '' }),
      refused: abstention(1, judged) !== null,
    };
  }
  return { kind, corpus, document: `${corpus} ${asked.document}`, by };
}

async function seeAll(
  answering: Answering,
  corpora: readonly AskedCorpus[],
  offTopic: boolean,
): Promise<SeenQuestion[]> {
  for (const { collections } of corpora)
    for (const { name, documents } of collections) await answering.ingest(name, documents);
  const seen: SeenQuestion[] = [];
  for (const [i, { name, asked }] of corpora.entries()) {
    for (const each of asked) seen.push(await see(answering, name, each, each.near ? 'near' : 'answerable'));
    const next = corpora[(i + 1) % corpora.length]!.collections.map((each) => each.name);
    if (offTopic)
      for (const each of every(asked, QUESTIONS))
        seen.push(await see(answering, name, { ...each, answers: [], of: next }, 'off topic'));
    console.log(`${name}: ${seen.length} questions so far`);
  }
  return seen;
}

function rowsOf(corpora: string, seen: readonly SeenQuestion[]) {
  const of = (kind: SeenQuestion['kind']) => seen.filter((one) => one.kind === kind);
  const [answerable, near, off] = [of('answerable'), of('near'), of('off topic')];
  const share = (some: readonly SeenQuestion[], holds: (one: Seen) => boolean): string =>
    some.length === 0
      ? ''
      : `${((100 * some.filter(({ by }) => holds(by[NAMES[0]!]!)).length) / some.length).toFixed(1)} %`;
  return NAMES.map((rule, i) => {
    const shown = (some: readonly SeenQuestion[], holds: (one: Seen) => boolean): string =>
      i === 0
        ? share(some, holds)
        : some.length === 0
          ? ''
          : pairedShare(
              some,
              ({ by }) => holds(by[NAMES[0]!]!),
              ({ by }) => holds(by[rule]!),
            );
    return {
      corpora,
      'left out': i === 0 ? 'nothing' : rule,
      questions: seen.length,
      'best sentence right': shown(answerable, ({ right }) => right),
      'answered right': shown(answerable, ({ right, refused }) => right && !refused),
      'answered wrong': shown(answerable, ({ right, refused }) => !right && !refused),
      'refused though answerable': shown(answerable, ({ refused }) => refused),
      'refused near': shown(near, ({ refused }) => refused),
      'refused off topic': shown(off, ({ refused }) => refused),
    };
  });
}

const answering = await startAnswering();
try {
  const own = await seeAll(answering, ownWords(), true);
  const rows = rowsOf('own words, four sets', own);
  const halved = await halvedTexts(QUESTIONS);
  const others = await seeAll(answering, halved, false);
  rows.push(
    ...rowsOf(halved.map(({ name }) => name).join(', '), others),
    ...rowsOf('all of them', [...own, ...others]),
    ...rowsOf('lists of questions', await seeAll(answering, [questionLists()], false)),
    ...rowsOf('own words beside planted orders', await seeAll(answering, plantedOwnWords(true), false)),
    ...rowsOf('own words beside planted statements', await seeAll(answering, plantedOwnWords(false), false)),
  );
  printResult('ablation', { machine: describeMachine(), rows }, ['corpora', 'left out']);
} finally {
  await answering.stop();
}
