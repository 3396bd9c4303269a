/**
 * How well the reader that comes with Graft answers from documents it has never seen, beside retrieval and the base model.
 *
 * XQuAD (English): the 12 articles that no reader learns from, 60 paragraphs in two collections by their number. A question is asked
 * of both (answerable), and of the one without its paragraph (near: the same article, no answer in it). COVID-QA: 52 scientific
 * articles, never trained on, whose right answers are long. The example handbook with its 24 questions. Retrieval, chunks and limits are
 * those of `ask`.
 *
 * Published, each with a 95 % bootstrap interval over documents: token F1 and exact match of the text (no answer counts 0), the
 * difference to RAG on the same questions, refusals near the answer, and perplexity of text that was not replayed with the reader
 * always on. `--questions N` (default 300) and `--covid N` (default 200) take every so manieth question; 0 leaves a part out.
 */
import {
  answerF1,
  estimate,
  exactMatch,
  pairedDifference,
  tokenF1,
  type AnsweredRow,
  type Estimate,
} from '../src/prove/index.js';
import { installReader } from '../src/learn/training/index.js';
import { startAnswering } from './support/answering.js';
import { auroc } from './support/auroc.js';
import { byDocument, overDocuments, type OfDocument } from './support/by-document.js';
import { wikitext } from './support/banking77.js';
import { handbookQuestions, ingestHandbook } from './support/handbook.js';
import { numberOption } from './support/options.js';
import { every, holdsGold } from './support/questions.js';
import { describeMachine, printResult, storedDetail } from './support/report.js';
import { HELD_OUT, readSquad, type SquadArticle } from './support/squad.js';
import { hundredths } from './support/percent.js';

type Answering = Awaited<ReturnType<typeof startAnswering>>;

const QUESTIONS = numberOption('questions', 300);
const COVID = numberOption('covid', 200);
const PRECISION = 0.9;
const TEXTS = 20;
const TEXT_CHARACTERS = 1_500;

const READER = { strategy: 'HYBRID', adapter: 'reader@1' } as const;
const { signal } = new AbortController();

interface Asked {
  /** What it is about; left out, the document whose sentence RAG finds best. */
  document?: string;
  question: string;
  gold: string[];
  collections: string[];
}

/** What each way of answering says to one question. */
interface Told extends Asked, OfDocument {
  document: string;
  reader: string;
  answerability: number;
  rag: string;
  quote: string;
  base: string;
}

async function read({ service, workspaceId }: Answering, { question, collections }: Asked) {
  const answer = await service.ask({ workspaceId }, { question, collections, ...READER }, signal);
  return { text: answer.abstention ? '' : answer.text, answerability: answer.answerability ?? 0 };
}

async function ragOf({ service, workspaceId }: Answering, { question, collections }: Asked) {
  const answer = await service.ask({ workspaceId }, { question, collections, strategy: 'RAG', reader: false }, signal);
  const [best] = answer.evidence;
  return { text: answer.abstention ? '' : answer.text, quote: best?.quote ?? '', document: best?.documentName };
}

async function tell(answering: Answering, asked: Asked, withBase: boolean): Promise<Told> {
  const { service, workspaceId } = answering;
  const { question } = asked;
  const reader = await read(answering, asked);
  const rag = await ragOf(answering, asked);
  const base = withBase ? await service.ask({ workspaceId }, { question, strategy: 'BASE' }, signal) : null;
  return {
    ...asked,
    document: asked.document ?? rag.document ?? question,
    reader: reader.text,
    answerability: reader.answerability,
    rag: rag.text,
    quote: rag.quote,
    base: base?.text ?? '',
  };
}

const shown = ({ value, low, high }: Estimate): string =>
  `${hundredths(value)} (${hundredths(low)} to ${hundredths(high)})`;
const rowsOf = (all: readonly Told[], said: (told: Told) => string): (AnsweredRow & OfDocument)[] =>
  all.map((told) => ({ document: told.document, gold: told.gold, answer: said(told) }));
const F1 = overDocuments(tokenF1);
const EXACT = overDocuments(exactMatch);

const share = <T>(items: readonly T[], test: (item: T) => boolean): number => items.filter(test).length / items.length;

/** Rows of the table: each way of answering, beside the reader on the same questions. */
function compare(set: string, all: readonly Told[], ways: Record<string, (told: Told) => string>) {
  const reader = byDocument(rowsOf(all, (told) => told.reader));
  return Object.entries({ 'HYBRID with the reader': (told: Told) => told.reader, ...ways }).map(([way, said]) => {
    const rows = rowsOf(all, said);
    const documents = byDocument(rows);
    const difference = pairedDifference(F1, documents, reader);
    return {
      set: `${set}, ${all.length} questions`,
      'answered with': way,
      'token F1': shown(estimate(F1, documents)),
      'exact match': shown(estimate(EXACT, documents)),
      'holds a right answer': hundredths(share(rows, holdsGold)),
      'reader’s F1 above it': way.startsWith('HYBRID') ? '' : `${shown(difference)}, p ${difference.p.toFixed(3)}`,
    };
  });
}

async function xquad(answering: Answering, articles: readonly SquadArticle[]) {
  const cell = (paragraph: number): string => `held-out-${paragraph % 2}`;
  const held = articles.filter(({ title }) => HELD_OUT.has(title));
  for (const parity of [0, 1]) {
    const documents = held.flatMap(({ title, paragraphs }) =>
      paragraphs.flatMap(({ text }, index) =>
        index % 2 === parity ? { name: `${title}-${index}.txt`, text, mediaType: 'text/plain' } : [],
      ),
    );
    await answering.ingest(cell(parity), documents);
  }
  const all = held.flatMap(({ title, paragraphs }) =>
    paragraphs.flatMap(({ questions }, index) =>
      questions.map(({ text, answers }) => ({
        document: title,
        question: text,
        gold: answers,
        collections: [cell(0), cell(1)],
        other: cell(index + 1),
        near: paragraphs.filter((_, other) => (other + index) % 2 === 1),
      })),
    ),
  );
  const chosen = every(all, QUESTIONS);
  const told: Told[] = [];
  const unanswerable: number[] = [];
  const refused = { reader: 0, rag: 0 };
  for (const { other, near, ...asked } of chosen) {
    told.push(await tell(answering, asked, true));
    // By chance another paragraph of the article may hold the same words.
    if (near.some(({ text }) => asked.gold.some((gold) => text.includes(gold)))) continue;
    const { text, answerability } = await read(answering, { ...asked, collections: [other] });
    unanswerable.push(answerability);
    refused.reader += Number(text === '');
    refused.rag += Number((await ragOf(answering, { ...asked, collections: [other] })).text === '');
    if (told.length % 20 === 0) console.log(`${told.length} of ${chosen.length}`);
  }
  const answerable = told.map(({ answerability }) => answerability);
  return {
    rows: compare('XQuAD, 12 unseen articles', told, {
      'RAG, its text': ({ rag }) => rag,
      'RAG, its best quote': ({ quote }) => quote,
      'BASE, from what it knows': ({ base }) => base,
    }),
    refusals: {
      unanswerable: unanswerable.length,
      refused: hundredths(refused.reader / unanswerable.length),
      'refused though answerable': hundredths(share(told, ({ reader }) => reader === '')),
      'refused by RAG': hundredths(refused.rag / unanswerable.length),
      'refused by RAG though answerable': hundredths(share(told, ({ rag }) => rag === '')),
      [`recall at precision ${PRECISION}`]: hundredths(recallAt(PRECISION, answerable, unanswerable)),
      auroc: auroc(answerable, unanswerable).toFixed(3),
    },
    told,
  };
}

/** The largest share of the unanswerable that some threshold refuses while so many of its refusals are due. */
function recallAt(precision: number, answerable: readonly number[], unanswerable: readonly number[]): number {
  const atMost = (all: readonly number[], threshold: number): number => all.filter((each) => each <= threshold).length;
  return Math.max(
    0,
    ...unanswerable.map((threshold) => {
      const due = atMost(unanswerable, threshold);
      return due / (due + atMost(answerable, threshold)) >= precision ? due / unanswerable.length : 0;
    }),
  );
}

async function covid(answering: Answering, articles: readonly SquadArticle[]) {
  const documents = articles.flatMap(({ title, paragraphs }) =>
    paragraphs.map(({ text }) => ({ name: `${title}.txt`, text, mediaType: 'text/plain' })),
  );
  await answering.ingest('covid', documents);
  const all = articles.flatMap(({ title, paragraphs }) =>
    paragraphs.flatMap(({ questions }) => questions.map((one) => ({ ...one, document: title }))),
  );
  const told: Told[] = [];
  for (const { text, answers, document } of every(all, COVID)) {
    told.push(await tell(answering, { document, question: text, gold: answers, collections: ['covid'] }, false));
    if (told.length % 20 === 0) console.log(`${told.length} of ${COVID}`);
  }
  const part = (said: (told: Told) => string): string =>
    hundredths(
      told.filter((one) => one.gold.some((gold) => said(one) !== '' && gold.includes(said(one)))).length / told.length,
    );
  return {
    rows: compare('COVID-QA', told, { 'RAG, its text': ({ rag }) => rag, 'RAG, its best quote': ({ quote }) => quote }),
    partOfGold: { reader: part(({ reader }) => reader), rag: part(({ rag }) => rag) },
    refused: hundredths(share(told, ({ reader }) => reader === '')),
    told,
  };
}

/** The example handbook, from which nothing learned. */
async function handbook(answering: Answering) {
  await ingestHandbook(answering);
  const told: Told[] = [];
  for (const { question, answer } of await handbookQuestions())
    told.push(
      await tell(answering, { question, gold: answer === null ? [] : [answer], collections: ['handbook'] }, false),
    );
  const [answerable, unanswerable] = [true, false].map((has) => told.filter(({ gold }) => gold.length > 0 === has));
  return {
    rows: compare('Example handbook', answerable!, { 'RAG, its text': ({ rag }) => rag }),
    refused: {
      'of so many without an answer': unanswerable!.length,
      reader: unanswerable!.filter(({ reader }) => reader === '').length,
      rag: unanswerable!.filter(({ rag }) => rag === '').length,
    },
    told,
  };
}

/** Perplexity of general text that was not replayed: of the base model, and with the reader always on. */
async function retention({ worker, workspaceId, variant, parts }: Answering) {
  const { path, sha256, contextLength } = variant;
  const { file } = await parts.adapters.resolve(workspaceId, READER.adapter);
  const { heldOut } = wikitext();
  const perplexity = async (adapters: (typeof file)[]): Promise<number> => {
    let [sum, tokens] = [0, 0];
    for (let index = 0; index < TEXTS; index++) {
      const text = heldOut.slice(index * TEXT_CHARACTERS, (index + 1) * TEXT_CHARACTERS);
      const model = { path, sha256, contextLength, adapters };
      const { logProbabilities } = await worker.scoreText({ workspaceId, model, text, top: 1 });
      sum += logProbabilities.reduce((total, each) => total + each, 0);
      tokens += logProbabilities.length;
    }
    return Math.exp(-sum / tokens);
  };
  const [base, adapted] = [await perplexity([]), await perplexity([file])];
  return { base: base.toFixed(2), 'with the reader': adapted.toFixed(2), ratio: (adapted / base).toFixed(3) };
}

/** How a long gold answer and a short span compare is told by examples, too: printed, as the texts are others'. */
const examples = (told: readonly Told[]) =>
  told.slice(0, 12).map(({ question, gold, reader, rag }) => ({
    question,
    gold: gold[0],
    reader,
    rag,
    f1: answerF1({ gold, answer: reader }),
  }));

const files = { xquad: readSquad('xquad.en'), covid: readSquad('covidqa-part') };
if (files.xquad === null || files.covid === null) throw new Error('The data sets are not in ../shared/datasets.');
const answering = await startAnswering();
try {
  const { files: stored, workspaceId } = answering;
  const reader = await installReader(
    { registry: answering.registry, adapters: answering.adapters, files: stored },
    workspaceId,
  );
  if (reader === null) throw new Error('No reader comes with the model that answers.');
  const general = await retention(answering);
  console.log(general);
  const own = await handbook(answering);
  console.log(own.rows, own.refused);
  const near = QUESTIONS > 0 ? await xquad(answering, files.xquad) : null;
  console.log(near?.rows, near?.refusals);
  const far = COVID > 0 ? await covid(answering, files.covid) : null;
  for (const told of [own.told, examples(near?.told ?? []), examples(far?.told ?? [])]) console.log(told);
  const { model } = answering.variant;
  const beside = {
    handbook: own.refused,
    refusals: near?.refusals,
    covid: far && { partOfGold: far.partOfGold, refused: far.refused },
    perplexity: general,
    digest: reader.version.digest,
  };
  printResult(
    'reader',
    {
      machine: describeMachine(),
      rows: [...own.rows, ...(near?.rows ?? []), ...(far?.rows ?? [])].map((row) => ({ model, ...row })),
      models: { ...storedDetail<Record<string, typeof beside>>('reader', 'models'), [model]: beside },
    },
    ['model', 'set', 'answered with'],
  );
} finally {
  await answering.stop();
}
