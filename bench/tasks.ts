/**
 * What an adapter learns of each kind of task on public data, beside the base model: each goes from its file to an answer through the
 * public API of a running gateway alone: upload, import, `startTraining`, `attestAdapter`, `evaluate`, `promoteAdapter`, `ask`,
 * `rollbackAdapter`.
 *
 *   npm start                                       (another shell)
 *   npm run bench -- tasks [--at http://127.0.0.1:4000] [--only sentiment,entities] [--rows 5000]
 *
 * Trainings are cut to a share of the rows for training that two cores learn in about 15 minutes, and each share is printed. Every run
 * has an idempotency key of its own: stopped and started again, the benchmark goes on where it stopped.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { followRun } from '../src/cli/follow-run.js';
import { GraftClient } from '../src/client/graft-client.js';
import {
  AdapterDocument,
  AddDatasetVersionDocument,
  AskWithAdapterDocument,
  AttestAdapterDocument,
  AttestationProgressDocument,
  CreateCollectionDocument,
  CreateDatasetDocument,
  CreateRaftDatasetDocument,
  DatasetDocument,
  EvaluateDocument,
  EvaluationProgressDocument,
  EvaluationsDocument,
  ImportProgressDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  PromoteAdapterDocument,
  RaftDatasetProgressDocument,
  RollbackAdapterDocument,
  StartTrainingDocument,
  TrainingProgressDocument,
  type AddDatasetVersionInput,
  type AdapterAlias,
  type EvaluationsQuery,
  type RecipeInput,
  type TaskKind,
} from '../src/operations/index.js';
import { listOption, numberOption, textOption } from './support/options.js';
import { readingTask, type ReadingTask } from './support/reading-task.js';
import { describeMachine, printResult } from './support/report.js';
import { hundredths, signed } from './support/percent.js';

const DATASETS = process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets';

interface Task {
  adapter: string;
  kind: TaskKind;
  /** What is added to the dataset; files are named as they lie in the folder of data sets. */
  files: { name: string; pair?: string; split?: 'TRAIN' | 'VALIDATION' | 'TEST'; mapping?: object }[];
  splitRule?: { validation: number; test: number };
  /** What the questions are about: rows for training are then passages that were found, and the adapter goes on from the reader. */
  documents?: ReadingTask['documents'];
  /** What differs from the preset: the share of the rows that is learned. */
  recipe: RecipeInput;
  question: string;
}

const SENTIMENT = {
  labelValues: [
    { value: '0', name: 'negative' },
    { value: '1', name: 'positive' },
  ],
};
const ENGLISH_SPANISH = {
  constants: [
    { field: 'SOURCE_LANGUAGE', value: 'en' },
    { field: 'TARGET_LANGUAGE', value: 'es' },
  ],
};

const only = listOption('only');
const reading = !only || only.includes('reading') ? readingTask() : null;

const TASKS: Task[] = [
  {
    adapter: 'intents',
    kind: 'CLASSIFICATION',
    recipe: {},
    splitRule: { validation: 0.03, test: 0 },
    files: [{ name: 'banking77-train.csv' }, { name: 'banking77-test.csv', split: 'TEST' }],
    question: 'My card has not arrived yet, when will it come?',
  },
  {
    adapter: 'sentiment',
    kind: 'CLASSIFICATION',
    recipe: {},
    files: [
      { name: 'sst2-train.tsv', split: 'TRAIN', mapping: SENTIMENT },
      { name: 'sst2-dev.tsv', split: 'VALIDATION', mapping: SENTIMENT },
      { name: 'sst2-test.tsv', split: 'TEST', mapping: SENTIMENT },
    ],
    question: 'a film so slow that even the ushers left before the end',
  },
  {
    adapter: 'entities',
    kind: 'EXTRACTION',
    recipe: { epochs: 0.15 },
    files: [{ name: 'conllpp.csv' }],
    question: 'Ada Lovelace wrote to the Royal Society in London about the French Revolution .',
  },
  {
    adapter: 'spanish',
    kind: 'TRANSLATION',
    recipe: { epochs: 2 },
    splitRule: { validation: 0.05, test: 0.25 },
    files: [{ name: 'xquad.en.json', pair: 'xquad.es.json', mapping: ENGLISH_SPANISH }],
    question: 'The museum opens at nine in the morning and is free on the first Sunday of each month.',
  },
  {
    adapter: 'reading',
    kind: 'QUESTION_ANSWERING',
    files: reading?.files ?? [{ name: 'xquad.en.json' }],
    documents: reading?.documents ?? [],
    recipe: { epochs: 0.4, batchExamples: 8, maxTokens: 1_024, learningRate: 3e-4 },
    question: 'In what country is Normandy located?',
  },
];

const ROWS = numberOption('rows', 5_000);
const client = new GraftClient(textOption('at', 'http://127.0.0.1:4000'));

/** @returns the id of its latest usable version; null where there is none yet */
async function latestVersion(dataset: string): Promise<string | null> {
  const { dataset: found } = await client.request(DatasetDocument, { name: dataset });
  if (!found?.latestVersion) return null;
  if (!found.latestVersion.usable) throw new Error(`the rows of ${dataset} are not usable`);
  return found.latestVersion.id;
}

async function imported(dataset: string, { kind, files, splitRule }: Task): Promise<string> {
  const known = await latestVersion(dataset);
  if (known !== null) return known;
  await client.request(CreateDatasetDocument, { input: { name: dataset, task: kind } });
  const uploaded: AddDatasetVersionInput['files'] = [];
  for (const { name, pair, split, mapping } of files)
    uploaded.push({
      file: await client.upload(resolve(DATASETS, name)),
      ...(pair && { pair: await client.upload(resolve(DATASETS, pair)) }),
      ...(split && { split }),
      ...(mapping && { mapping }),
    });
  const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
    input: { dataset, files: uploaded, ...(splitRule && { splitRule }), idempotencyKey: `bench-${dataset}` },
  });
  await followRun(
    addDatasetVersion.run.id,
    client.subscribe(ImportProgressDocument, { runId: addDatasetVersion.run.id }),
    (data) => data.importProgress,
  );
  return (await latestVersion(dataset))!;
}

/** Rows that show what retrieval finds for the questions, in the form that `ask` shows it in. */
async function readings(collection: string, questions: string, documents: ReadingTask['documents']): Promise<string> {
  const known = await latestVersion(collection);
  if (known !== null) return known;
  await client.request(CreateCollectionDocument, { input: { name: collection } });
  const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
    input: { collection, documents: [...documents], idempotencyKey: `bench-${collection}` },
  });
  const ingestion = client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id });
  await followRun(ingestDocuments.run.id, ingestion, (data) => data.ingestionProgress);
  const { createRaftDataset } = await client.request(CreateRaftDatasetDocument, {
    input: { collection, dataset: collection, questions, keepSplits: true, idempotencyKey: `bench-raft-${collection}` },
  });
  const making = client.subscribe(RaftDatasetProgressDocument, { runId: createRaftDataset.run.id });
  await followRun(createRaftDataset.run.id, making, (data) => data.raftDatasetProgress);
  return (await latestVersion(collection))!;
}

const makeVersion = async (task: Task): Promise<string> =>
  task.documents
    ? readings(task.adapter, await imported(`${task.adapter}-questions`, task), task.documents)
    : imported(task.adapter, task);

/** @returns how many steps it took */
async function train({ adapter, recipe, documents }: Task, datasetVersion: string): Promise<number> {
  const { startTraining } = await client.request(StartTrainingDocument, {
    input: {
      adapter,
      description: `Benchmark: ${adapter}.`,
      datasetVersion,
      recipe,
      ...(documents && { parent: 'reader' }),
      idempotencyKey: `bench-${adapter}-${JSON.stringify(recipe)}`,
    },
  });
  let steps = 0;
  await followRun(
    startTraining.run.id,
    client.subscribe(TrainingProgressDocument, { runId: startTraining.run.id }),
    (data) => {
      const event = data.trainingProgress;
      if (event.__typename === 'TrainingStepped') steps = event.step;
      if (event.__typename === 'TrainingValidated')
        console.log(
          `${adapter}: step ${event.step}, validation loss ${event.validationLoss}, accuracy ${event.accuracy}`,
        );
      return event;
    },
  );
  return steps;
}

type Evaluated = EvaluationsQuery['evaluations']['edges'][number]['node'];

async function evaluate({ adapter }: Task, version: number, datasetVersion: string): Promise<Evaluated> {
  const input = { adapter: `${adapter}@${version}`, datasetVersion, rows: ROWS };
  const { evaluate: begun } = await client.request(EvaluateDocument, {
    input: { ...input, idempotencyKey: `bench-${adapter}-${version}-${ROWS}` },
  });
  const events = client.subscribe(EvaluationProgressDocument, { runId: begun.run.id });
  await followRun(begun.run.id, events, (data) => data.evaluationProgress);
  const { evaluations } = await client.request(EvaluationsDocument, { first: 50 });
  const found = evaluations.edges.find(
    ({ node }) => node.adapterVersion?.adapter.name === adapter && node.adapterVersion.version === version,
  );
  if (!found) throw new Error(`the evaluation of ${adapter} is not there`);
  return found.node;
}

/** Through the gate and back. @returns what the gate said, or why it refused */
async function promote(adapter: string, version: number): Promise<string> {
  for (const alias of ['CANDIDATE', 'PRODUCTION'] satisfies AdapterAlias[])
    try {
      await client.request(PromoteAdapterDocument, {
        input: {
          adapter,
          version,
          alias,
          confirmNotBetter: true,
          reason: 'The benchmark measured it.',
          by: 'npm run bench -- tasks',
        },
      });
    } catch (error) {
      return (error as Error).message;
    }
  return 'let through';
}

async function measure(task: Task) {
  const { adapter } = task;
  const datasetVersion = await makeVersion(task);
  const steps = await train(task, datasetVersion);
  const made = await client.request(AdapterDocument, { name: adapter });
  const version = made.adapter!.versions[0]!.version;
  const { attestAdapter } = await client.request(AttestAdapterDocument, {
    input: { adapter, version, idempotencyKey: `bench-${adapter}-${version}` },
  });
  await followRun(
    attestAdapter.run.id,
    client.subscribe(AttestationProgressDocument, { runId: attestAdapter.run.id }),
    (data) => data.attestationProgress,
  );
  const evaluated = await evaluate(task, version, datasetVersion);
  const gate = await promote(adapter, version);
  const asked = gate === 'let through' ? adapter : `${adapter}@${version}`;
  const strategy = task.documents ? 'HYBRID' : 'ADAPTER';
  const { ask } = await client.request(AskWithAdapterDocument, { question: task.question, adapter: asked, strategy });
  if (gate === 'let through')
    await client
      .request(RollbackAdapterDocument, {
        input: { adapter, reason: 'The benchmark is over.', by: 'npm run bench -- tasks' },
      })
      .catch((error: unknown) => console.log(`${adapter}: no rollback, ${(error as Error).message}`));
  console.log(`${adapter}: ${task.question} -> ${ask.text}`);
  return evaluated.metrics.map(({ name, value, low, high, difference }) => ({
    task: adapter,
    metric: name,
    rows: evaluated.rowCount,
    adapter: hundredths(value),
    interval: `${hundredths(low)} to ${hundredths(high)}`,
    'against the base model': difference
      ? `${signed(difference.value)} (${signed(difference.low)} to ${signed(difference.high)})`
      : '',
    regression: name === 'ACCURACY' && evaluated.regression ? hundredths(evaluated.regression.accuracy.value) : '',
    'perplexity, times': evaluated.retention?.perplexity.ratio.value.toFixed(3) ?? '',
    training: `${task.recipe.epochs ?? 1} epochs, ${steps} steps`,
    gate,
  }));
}

const rows: Awaited<ReturnType<typeof measure>> = [];
for (const task of TASKS.filter(({ adapter }) => !only || only.includes(adapter))) {
  const missing = task.files.map(({ name }) => name).filter((name) => !existsSync(resolve(DATASETS, name)));
  if (missing.length > 0) console.log(`SKIPPED ${task.adapter}: ${missing.join(', ')} not in ${DATASETS}`);
  else rows.push(...(await measure(task)));
  if (rows.length > 0) printResult('tasks', { machine: describeMachine(), rows }, ['task', 'metric']);
}
client.close();
