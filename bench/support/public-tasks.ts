import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { followRun } from '../../src/cli/follow-run.js';
import type { GraftClient } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  CreateCollectionDocument,
  CreateDatasetDocument,
  CreateRaftDatasetDocument,
  DatasetDocument,
  ImportProgressDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  RaftDatasetProgressDocument,
  StartTrainingDocument,
  TrainingProgressDocument,
  type AddDatasetVersionInput,
  type RecipeInput,
  type TaskKind,
} from '../../src/client/operations/index.js';
import { readingTask, type ReadingTask } from './reading-task.js';

const DATASETS = process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets';

export interface PublicTask {
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

/** @param only adapters that are wanted; null: all */
export function publicTasks(only: readonly string[] | null): PublicTask[] {
  const reading = !only || only.includes('reading') ? readingTask() : null;
  const tasks: PublicTask[] = [
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
  return tasks.filter(({ adapter }) => !only || only.includes(adapter));
}

/** Files of a task that are not in the folder of data sets. */
export const missingFiles = ({ files }: PublicTask): string[] =>
  files.map(({ name }) => name).filter((name) => !existsSync(resolve(DATASETS, name)));

/** @returns the id of its latest usable version; null where there is none yet */
export async function latestVersion(client: GraftClient, dataset: string): Promise<string | null> {
  const { dataset: found } = await client.request(DatasetDocument, { name: dataset });
  if (!found?.latestVersion) return null;
  if (!found.latestVersion.usable) throw new Error(`the rows of ${dataset} are not usable`);
  return found.latestVersion.id;
}

async function imported(client: GraftClient, dataset: string, { kind, files, splitRule }: PublicTask): Promise<string> {
  const known = await latestVersion(client, dataset);
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
  return (await latestVersion(client, dataset))!;
}

/** Rows that show what retrieval finds for the questions, in the form that `ask` shows it in. */
async function readings(
  client: GraftClient,
  collection: string,
  questions: string,
  documents: ReadingTask['documents'],
): Promise<string> {
  const known = await latestVersion(client, collection);
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
  return (await latestVersion(client, collection))!;
}

/** @returns the id of the dataset version that the task's adapter learns from, which is made where there is none */
export const makeVersion = async (client: GraftClient, task: PublicTask): Promise<string> =>
  task.documents
    ? readings(client, task.adapter, await imported(client, `${task.adapter}-questions`, task), task.documents)
    : imported(client, task.adapter, task);

/** @returns how many steps it took, and the run */
export async function train(
  client: GraftClient,
  { adapter, recipe, documents }: Pick<PublicTask, 'adapter' | 'recipe' | 'documents'>,
  datasetVersion: string,
): Promise<{ steps: number; runId: string }> {
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
  return { steps, runId: startTraining.run.id };
}
