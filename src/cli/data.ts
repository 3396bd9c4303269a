import { basename, extname } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import {
  AddDatasetVersionDocument,
  CreateDatasetDocument,
  DatasetDocument,
  EvaluationsDocument,
  FineTuningDocument,
  ImportProgressDocument,
  PreviewImportDocument,
  StartFineTuningDocument,
  type DatasetQuery,
  type FineTuningQuery,
  type Split,
  type TaskKind,
} from '../client/operations/index.js';
import { printJson, say } from '../platform/terminal.js';
import { aNumber } from './a-number.js';
import { aShare, aSplit } from './a-split.js';
import { aTask } from './a-task.js';
import { followAnyRun, objectIn } from './call.js';
import { dataFilesAt, tellUpload } from './files.js';
import { followRun } from './follow-run.js';
import type { WithClient } from './keys.js';

interface ImportOptions {
  create?: TaskKind;
  openai?: boolean;
  split?: Split;
  test?: number;
  validation?: number;
}

/** @returns ids of the files, in their order */
async function uploadAll(client: GraftClient, files: Awaited<ReturnType<typeof dataFilesAt>>): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, file] of files.entries()) {
    tellUpload(file, index, files.length);
    ids.push(await client.upload(file.path));
  }
  return ids;
}

/** Whether chat rows teach labels or texts, which it says. */
async function chatTask(client: GraftClient, file: string): Promise<TaskKind> {
  const { previewImport } = await client.request(PreviewImportDocument, { input: { file } });
  const task = previewImport.task === 'CLASSIFICATION' ? 'CLASSIFICATION' : 'INSTRUCTION';
  say(
    task === 'CLASSIFICATION'
      ? 'The answers are few and short: they are taken as labels. --create instruction takes them as texts.'
      : 'The answers are taken as texts. Where they are labels, --create classification says so.',
  );
  return task;
}

/** Makes a version of a dataset of files, and says what it has. @returns the run, and the newest version then */
async function importRows(
  client: GraftClient,
  dataset: string,
  files: readonly string[],
  { create, openai, split, ...shares }: ImportOptions,
) {
  const localFiles = await dataFilesAt(files);
  const { dataset: existingDataset } = await client.request(DatasetDocument, { name: dataset });
  if (!existingDataset && create === undefined && !openai)
    throw new GraftClientError(
      'NOT_FOUND',
      `There is no dataset "${dataset}".`,
      'Pass --create with its task, such as classification, to make it.',
    );
  const uploads = (await uploadAll(client, localFiles)).map((file) => ({ file, ...(split && { split }) }));
  // Now that something is there for it.
  if (!existingDataset) {
    const task = create ?? (await chatTask(client, uploads[0]!.file));
    await client.request(CreateDatasetDocument, { input: { name: dataset, task } });
  }
  const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
    input: {
      dataset,
      files: uploads,
      idempotencyKey: crypto.randomUUID(),
      ...(Object.keys(shares).length > 0 && { splitRule: shares }),
    },
  });
  const runId = addDatasetVersion.run.id;
  await followRun(runId, client.subscribe(ImportProgressDocument, { runId }), (data) => data.importProgress);
  const { dataset: now } = await client.request(DatasetDocument, { name: dataset });
  return { runId, version: now?.latestVersion ?? null };
}

type Version = NonNullable<NonNullable<DatasetQuery['dataset']>['latestVersion']>;

/** How many rows a version has, what is wrong with them, and why it can't be used. */
const linesOf = ({ version, counts, report, unusableReason }: Version): string[] => [
  `version ${version}: ${counts.train} rows for training, ${counts.validation} for validation, ${counts.test} for the test`,
  ...report.problems.map(
    ({ severity, count, rule, meaning }) => `${severity.toLowerCase()}: ${rule} (${count}). ${meaning}`,
  ),
  ...(unusableReason ? [unusableReason] : []),
];

interface TrainOptions {
  task: TaskKind;
  name?: string;
  epochs?: number;
  recipe?: object;
  test?: number;
  validation?: number;
}

/** From files to a version that is attested and evaluated: one run, which goes on without the command. */
async function train(client: GraftClient, files: readonly string[], options: TrainOptions): Promise<TrainedVersion> {
  const { task, epochs, recipe, name = nameOf(files[0]!), ...shares } = options;
  const { startFineTuning } = await client.request(StartFineTuningDocument, {
    input: {
      name,
      files: await uploadAll(client, await dataFilesAt(files)),
      task,
      recipe: { ...recipe, ...(epochs !== undefined && { epochs }) },
      ...(Object.keys(shares).length > 0 && { splitRule: shares }),
      idempotencyKey: crypto.randomUUID(),
    },
  });
  await followAnyRun(client, startFineTuning.run.id);
  const { node } = await client.request(FineTuningDocument, { id: startFineTuning.run.id });
  if (node?.__typename !== 'FineTuningRun' || !node.adapterVersion)
    throw new GraftClientError('NOT_FOUND', 'What was trained was deleted meanwhile.', null);
  return node.adapterVersion;
}

/** A name that datasets and adapters may have, of a file's. */
const nameOf = (path: string): string =>
  basename(path, extname(path))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63);

type FineTuning = Extract<FineTuningQuery['node'], { __typename: 'FineTuningRun' }>;
export type TrainedVersion = NonNullable<FineTuning['adapterVersion']>;

/** An adapter that ends before has hardly learned, as few rows were seen to take 60 to 100 (docs/train-an-adapter.md). */
const FEW_STEPS = 60;

/** What few rows are learned with there: smaller steps, more of them, and more weight on what the model knew. */
const recipeForFew = (rows: number) => ({
  epochs: Math.min(100, Math.ceil((80 * 4) / rows)),
  batchExamples: 4,
  validateEvery: 1,
  retention: { weight: 6, tokens: 32 },
});

/** What a first look at a version should say: whether it learned long enough, and what the gate would refuse it for. */
export function findingsOf({ adapter, metrics: { steps }, trainedOn, gate }: TrainedVersion): string[] {
  // Of a conversation each answer is learned: its rows don't tell how many passes it wants.
  const rows = adapter.task === 'INSTRUCTION' ? null : trainedOn?.counts.train;
  return [
    ...(rows && steps !== null && steps < FEW_STEPS
      ? [
          `It learned in ${steps} ${steps === 1 ? 'step' : 'steps'}, which is few. Train again with:`,
          `  --recipe '${JSON.stringify(recipeForFew(rows))}'`,
        ]
      : []),
    gate.passed ? 'The gate finds nothing against it.' : 'The gate would not let it into production:',
    ...gate.checks.filter(({ passed }) => !passed).map(({ message }) => `  ${message}`),
  ];
}

async function tellTrained(client: GraftClient, name: string, trained: TrainedVersion): Promise<void> {
  const { version } = trained;
  const adapter = `${name}@${version}`;
  const { evaluations } = await client.request(EvaluationsDocument, { first: 20 });
  const evaluation = evaluations.edges.find(
    ({ node: { adapterVersion: evaluatedVersion } }) =>
      evaluatedVersion?.adapter?.name === name && evaluatedVersion?.version === version,
  );
  const [measure] = evaluation?.node.metrics ?? [];
  if (measure) {
    const { name: metric, value, low, high } = measure;
    say(`${adapter}: ${metric} ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) on the test rows`);
  }
  for (const line of findingsOf(trained)) say(line);
  say(`Ask it:     npx graft call AskWithAdapter adapter=${adapter} question="…"`);
  say(`Promote it: npx graft call PromoteAdapter adapter=${name} version=${version} alias=CANDIDATE reason="…"`);
}

/** @throws InvalidArgumentError */
function aJsonObject(text: string): object {
  try {
    return objectIn(text, null);
  } catch {
    throw new InvalidArgumentError(`It must be a JSON object, such as '{"epochs": 3}'.`);
  }
}

const share = (flags: string): Option =>
  new Option(
    flags,
    'draw this share of the rows for it, 0 to 1; by default as for the newest version, else 0.1',
  ).argParser(aShare);

export function addDataCommands(program: Command, withClient: WithClient): void {
  program
    .command('import <dataset> [files...]')
    .description('make a new version of a dataset from files')
    .option('--openai', 'files of chat rows only, as OpenAI’s tuning takes them: the first one names the dataset')
    .option(
      '--create <task>',
      'make the dataset, of a task such as classification, if there is none of this name',
      aTask,
    )
    .addOption(
      new Option('--split <split>', 'put all rows into train, validation or test; by default they are drawn')
        .argParser(aSplit)
        .conflicts(['test', 'validation']),
    )
    .addOption(share('--test <share>'))
    .addOption(share('--validation <share>'))
    .action((first: string, others: string[], options: ImportOptions, command: Command) => {
      if (!options.openai && others.length === 0) command.error("error: missing required argument 'files'");
      const [dataset, files] = options.openai ? [nameOf(first), [first, ...others]] : [first, others];
      return withClient(async (client, { json }) => {
        const { runId, version } = await importRows(client, dataset, files, options);
        if (json) return printJson({ runId });
        say(`imported into ${dataset}`);
        for (const line of version ? linesOf(version) : []) say(line);
        if (options.openai && version && !version.unusableReason)
          say(`Train it:   npx graft call StartTraining adapter=${dataset} datasetVersion=${version.id} --follow`);
      });
    });

  program
    .command('train <files...>')
    .description('from labelled rows to an adapter version that is trained, attested and evaluated')
    .requiredOption('--task <task>', 'what the rows are for, such as classification', aTask)
    .option('--name <name>', 'of dataset and adapter; by default the first file’s')
    .option('--epochs <number>', 'passes over the rows; by default as the task’s preset says', aNumber)
    .option('--recipe <json>', 'other fields of RecipeInput, such as {"epochs":5,"batchExamples":4}', aJsonObject)
    .addOption(share('--test <share>'))
    .addOption(share('--validation <share>'))
    .action((files: string[], options: TrainOptions) =>
      withClient(async (client, { json }) => {
        const trained = await train(client, files, options);
        const { name } = trained.adapter;
        if (json) printJson({ adapter: `${name}@${trained.version}` });
        else await tellTrained(client, name, trained);
      }),
    );
}
