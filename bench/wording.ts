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
import { GraftClient } from '../src/client/graft-client.js';
import type { NewDocument } from '../src/knowledge/index.js';
import { allOwnWords, halvedTexts } from './support/asked-corpora.js';
import { numberOption, textOption } from './support/options.js';
import { percent } from './support/percent.js';
import { startProgram } from './support/program.js';
import { describeMachine, printResult } from './support/report.js';

const FILE = textOption('model', '');
const ROWS = numberOption('rows', 60);
const DEFAULT = 'smollm2-135m-instruct';

interface Corpus {
  name: string;
  documents: NewDocument[];
  asked: { question: string; answer: string }[];
}

interface Found {
  rows: number;
  refused: number;
  sentence: number;
  passages: number;
  quote: number;
  difference: { value: number; low: number; high: number };
  better: string;
  material: string;
  summary: string;
}

/** Questions that the documents answer; one may be near to nothing here, since it is told which wording is right and not when to refuse. */
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

const run = `run { id status }`;

/** @throws when it doesn't succeed */
async function finished<T>(client: GraftClient, subscription: string, runId: string, read: string): Promise<T> {
  const text = `subscription ($runId: ID!) { ${subscription}(runId: $runId) { status message } }`;
  let last: unknown;
  for await (const event of client.subscribe<Record<string, { status: string }>>(text, { runId })) last = event;
  const { node } = await client.request<{ node: T & { status: string } }>(
    `query ($id: ID!) { node(id: $id) { ... on Run { status } ${read} } }`,
    { id: runId },
  );
  if (node.status !== 'SUCCEEDED') throw new Error(`${subscription}: ${JSON.stringify(last)}`);
  return node;
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

async function compare(client: GraftClient, folder: string, { name, documents, asked }: Corpus): Promise<Found> {
  const key = name.replace(/\W+/g, '-');
  await client.request(`mutation { createCollection(input: { name: "${key}" }) { collection { id } } }`);
  for (let from = 0; from < documents.length; from += 50) {
    const { ingestDocuments } = await client.request<{ ingestDocuments: { run: { id: string } } }>(
      `mutation ($input: IngestDocumentsInput!) { ingestDocuments(input: $input) { ${run} } }`,
      { input: { collection: key, documents: documents.slice(from, from + 50), idempotencyKey: `${key}-${from}` } },
    );
    await finished(client, 'ingestionProgress', ingestDocuments.run.id, '');
  }
  const file = join(folder, `${key}.csv`);
  await writeFile(
    file,
    ['question,answer', ...asked.map(({ question, answer }) => `${quoted(question)},${quoted(answer)}`)].join('\n'),
  );
  await client.request(
    `mutation { createDataset(input: { name: "${key}", task: QUESTION_ANSWERING }) { dataset { id } } }`,
  );
  const { addDatasetVersion } = await client.request<{ addDatasetVersion: { run: { id: string } } }>(
    `mutation ($input: AddDatasetVersionInput!) { addDatasetVersion(input: $input) { ${run} } }`,
    {
      input: {
        dataset: key,
        files: [{ file: await client.upload(file) }],
        // A version without rows for training is not usable.
        splitRule: { validation: 0, test: 0.9 },
        idempotencyKey: key,
      },
    },
  );
  await finished(client, 'importProgress', addDatasetVersion.run.id, '');
  const { dataset } = await client.request<{ dataset: { latestVersion: { id: string } } }>(
    `{ dataset(name: "${key}") { latestVersion { id } } }`,
  );
  const { compareWordings } = await client.request<{ compareWordings: { run: { id: string } } }>(
    `mutation ($input: CompareWordingsInput!) { compareWordings(input: $input) { ${run} } }`,
    {
      input: {
        ...(FILE !== '' && { model: nameOf(FILE) }),
        datasetVersion: dataset.latestVersion.id,
        collections: [key],
        rows: ROWS,
        idempotencyKey: key,
      },
    },
  );
  const { report } = await finished<{ report: Found }>(
    client,
    'wordingComparisonProgress',
    compareWordings.run.id,
    `... on WordingComparisonRun { report { rows refused sentence passages quote better material summary difference { value low high } } }`,
  );
  console.log(`${name}: ${report.summary}`);
  return report;
}

const nameOf = (file: string): string => basename(file).replace(/\.gguf$/, '');

async function register(client: GraftClient): Promise<void> {
  const { registerModel } = await client.request<{ registerModel: { run: { id: string } } }>(
    `mutation ($input: RegisterModelInput!) { registerModel(input: $input) { ${run} } }`,
    { input: { fileId: await client.upload(FILE), name: nameOf(FILE), idempotencyKey: 'model' } },
  );
  await finished(client, 'downloadProgress', registerModel.run.id, '');
}

const folder = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const program = await startProgram(join(folder, 'home'), DEFAULT);
try {
  const client = new GraftClient(program.url);
  if (FILE !== '') await register(client);
  for (const corpus of await corpora()) {
    const found = await compare(client, folder, corpus);
    const { value, low, high } = found.difference;
    const row = {
      model: FILE === '' ? DEFAULT : nameOf(FILE),
      corpus: corpus.name,
      questions: found.rows,
      refused: percent(found.refused / found.rows),
      'right, best quote': percent(found.quote),
      'right, words from the sentence': percent(found.sentence),
      'right, words from passages': percent(found.passages),
      'words minus quote (interval)': `${signed(value)} (${signed(low)} to ${signed(high)})`,
      'answers have from then on': found.better === 'MODEL' ? `the model’s words (${found.material})` : 'the quote',
    };
    // Hours may lie between two corpora.
    printResult('wording', { machine: describeMachine(), rows: [row] }, ['model', 'corpus']);
  }
} finally {
  await program.stop();
  await rm(folder, { recursive: true, force: true });
}

function signed(share: number): string {
  return `${share < 0 ? '-' : '+'}${Math.abs(100 * share).toFixed(0)} points`;
}
