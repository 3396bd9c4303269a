/**
 * Whether a model words answers from documents better than the best sentence says them, and from what: what `compareWordings` finds, over
 * GraphQL, on a gateway of its own. Three corpora: the sets of questions in a user's own words (`bench/own-words`), and 12 articles of XQuAD
 * and 20 of COVID-QA (`../shared/datasets`; left out, and said so, where they are absent).
 *
 *   npm run bench -- wording [--model FILE.gguf] [--rows 60]
 *
 * Without a file the default model is asked. A row is a model and a corpus.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { followAnyRun } from '../src/cli/call.js';
import { GraftClient } from '../src/client/graft-client.js';
import type { NewDocument } from '../src/sources/knowledge/index.js';
import {
  AddDatasetVersionDocument,
  CompareWordingsDocument,
  CreateCollectionDocument,
  CreateDatasetDocument,
  DatasetDocument,
  IngestDocumentsDocument,
  RegisterModelDocument,
} from '../src/client/operations/index.js';
import { allOwnWords, halvedTexts } from './support/asked-corpora.js';
import { numberOption, textOption } from './support/options.js';
import { percent, signed } from './support/percent.js';
import { startProgram } from './support/program.js';
import { describeMachine, printResult } from './support/report.js';

const FILE = textOption('model', '');
const ROWS = numberOption('rows', 60);
const DEFAULT = 'smollm2-135m-instruct';
const MODEL = FILE === '' ? DEFAULT : basename(FILE, '.gguf');
/** Documents sent with one request. */
const AT_ONCE = 50;

interface Corpus {
  name: string;
  documents: NewDocument[];
  asked: { question: string; answer: string }[];
}

/** With the questions that their documents answer. */
async function corpora(): Promise<Corpus[]> {
  const sets = allOwnWords();
  const own = {
    name: 'own words',
    collections: sets.flatMap(({ collections }) => collections),
    asked: sets.flatMap(({ asked }) => asked),
  };
  const halved = (await halvedTexts(1_000)).filter(({ name }) => name !== 'handbook');
  return [own, ...halved].map(({ name, collections, asked }) => ({
    name,
    documents: collections.flatMap(({ name: half, documents }) =>
      documents.map((each) => ({ ...each, name: `${half}-${each.name}` })),
    ),
    asked: asked.flatMap(({ question, answers: [answer], near }) => (near || !answer ? [] : [{ question, answer }])),
  }));
}

/** What `WordingComparisonRun.report` says; no ready operation has all of it. */
const REPORT = `query ($id: ID!) { node(id: $id) { ... on WordingComparisonRun {
  report { rows refused sentence passages quote better material summary difference { value low high } } } } }`;

interface Report extends Record<'rows' | 'refused' | 'sentence' | 'passages' | 'quote', number> {
  better: string;
  material: string;
  summary: string;
  difference: Record<'value' | 'low' | 'high', number>;
}

async function ingest(client: GraftClient, collection: string, documents: readonly NewDocument[]): Promise<void> {
  await client.request(CreateCollectionDocument, { input: { name: collection } });
  for (let from = 0; from < documents.length; from += AT_ONCE) {
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
      input: {
        collection,
        documents: documents.slice(from, from + AT_ONCE),
        idempotencyKey: `${collection}-${from}`,
      },
    });
    await followAnyRun(client, ingestDocuments.run.id);
  }
}

/** @returns the id of a dataset version of the questions */
async function importQuestions(client: GraftClient, dataset: string, asked: Corpus['asked']): Promise<string> {
  const file = join(folder, `${dataset}.jsonl`);
  await writeFile(file, asked.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await client.request(CreateDatasetDocument, { input: { name: dataset, task: 'QUESTION_ANSWERING' } });
  const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
    input: {
      dataset,
      files: [{ file: await client.upload(file), split: 'TEST' }],
      idempotencyKey: dataset,
    },
  });
  await followAnyRun(client, addDatasetVersion.run.id);
  return (await client.request(DatasetDocument, { name: dataset })).dataset!.latestVersion!.id;
}

async function compare(client: GraftClient, { name, documents, asked }: Corpus): Promise<Report> {
  const key = name.replace(/\W+/g, '-');
  await ingest(client, key, documents);
  const datasetVersion = await importQuestions(client, key, asked);
  const { compareWordings } = await client.request(CompareWordingsDocument, {
    input: { model: MODEL, datasetVersion, collections: [key], rows: ROWS, idempotencyKey: key },
  });
  await followAnyRun(client, compareWordings.run.id);
  const { node } = await client.request<{ node: { report: Report } }>(REPORT, { id: compareWordings.run.id });
  console.log(`${name}: ${node.report.summary}`);
  return node.report;
}

async function register(client: GraftClient): Promise<void> {
  const { registerModel } = await client.request(RegisterModelDocument, {
    input: { fileId: await client.upload(FILE), name: MODEL, idempotencyKey: MODEL },
  });
  await followAnyRun(client, registerModel.run.id);
}

const folder = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const program = await startProgram(join(folder, 'home'), DEFAULT);
try {
  const client = new GraftClient(program.url);
  if (FILE !== '') await register(client);
  for (const corpus of await corpora()) {
    const found = await compare(client, corpus);
    const { value, low, high } = found.difference;
    const row = {
      model: MODEL,
      corpus: corpus.name,
      questions: found.rows,
      refused: percent(found.refused / found.rows),
      'right, best quote': percent(found.quote),
      'right, words from the sentence': percent(found.sentence),
      'right, words from passages': percent(found.passages),
      'words minus quote, points (interval)': `${signed(value)} (${signed(low)} to ${signed(high)})`,
      'answers have from then on': found.better === 'MODEL' ? `the model’s words (${found.material})` : 'the quote',
    };
    // Hours may lie between two corpora.
    printResult('wording', { machine: describeMachine(), rows: [row] }, ['model', 'corpus']);
  }
} finally {
  await program.stop();
  await rm(folder, { recursive: true, force: true });
}
