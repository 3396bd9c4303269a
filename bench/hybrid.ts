/**
 * RAG, fine-tuning or both, in figures, through the public API of a running gateway alone.
 *
 * Tasks: the examples' messages, BANKING77 (`intents`) and the other public tasks of `npm run bench -- tasks`. On the same test rows the base
 * model, retrieval (for labels the nearest labelled rows, for questions the passages), the adapter and both (`compareStrategies`, paired); for
 * labels a regression on the embedder's vectors and the nearest rows, too (`evaluate`), and AUTO once the router was fitted.
 *
 * Mixed: messages that want a label and questions about the handbook, in turn, by each fixed strategy and by AUTO. Right is the row's label,
 * or a text that holds the answer word for word.
 *
 *   npm start                                       (another shell)
 *   npm run bench -- hybrid [--at http://127.0.0.1:4000] [--only messages,intents] [--rows 3080] [--auto 200] [--epochs 0.1] [--mixed 100]
 *
 * `--rows` are test rows of each task, `--auto` those that AUTO is asked, `--epochs` cuts the trainings (left out: the presets), `--mixed`
 * messages and questions together; 0 leaves them out. `--rows 60 --auto 40 --epochs 0.1 --mixed 40 --only messages` takes some 8 minutes on two
 * cores. Runs have idempotency keys of their own: stopped and started again, it goes on where it stopped.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { followRun } from '../src/cli/follow-run.js';
import { GraftClient } from '../src/client/graft-client.js';
import { binomialInterval, holdsAnswer } from '../src/prove/index.js';
import {
  AdapterDocument,
  AskDocument,
  AttestAdapterDocument,
  AttestationProgressDocument,
  CollectionDocument,
  CompareStrategiesDocument,
  CreateCollectionDocument,
  EvaluateDocument,
  EvaluationProgressDocument,
  EvaluationsDocument,
  FitHybridDocument,
  FitRouterDocument,
  HybridFitProgressDocument,
  IndexDatasetDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  LabelIndexingProgressDocument,
  PromoteAdapterDocument,
  RouterFitProgressDocument,
  StrategyComparisonDocument,
  StrategyComparisonProgressDocument,
  type AskInput,
} from '../src/client/operations/index.js';
import { listOption, numberOption, textOption } from './support/options.js';
import { hundredths } from './support/percent.js';
import { missingFiles, makeVersion, publicTasks, train, type PublicTask } from './support/public-tasks.js';
import { describeMachine, median, printResult } from './support/report.js';

const ONLY = listOption('only');
const ROWS = numberOption('rows', 3_080);
const AUTO_ROWS = numberOption('auto', 200);
const EPOCHS = numberOption('epochs', 0);
const MIXED = numberOption('mixed', 100);
const HANDBOOK = 'bench-handbook';
const client = new GraftClient(textOption('at', 'http://127.0.0.1:4000'));

const MESSAGES: PublicTask = {
  adapter: 'messages',
  kind: 'CLASSIFICATION',
  recipe: {},
  files: [{ name: resolve('examples', 'messages.csv') }],
  question: 'My parcel was supposed to arrive on Tuesday, where is it?',
};

const NAMES = {
  BASE: 'base model',
  RAG: 'retrieval',
  ADAPTER: 'adapter',
  HYBRID: 'both',
} as const;

interface Line extends Record<string, string | number> {
  workload: string;
  'answered by': string;
  rows: number;
  metric: string;
  value: string;
  interval: string;
  'above the adapter, paired': string;
  'ms, median': number | string;
  'training, minutes': string;
}

const line = (workload: string, answeredBy: string, more: Partial<Line> & Pick<Line, 'rows' | 'value'>): Line => ({
  workload,
  'answered by': answeredBy,
  metric: 'accuracy',
  interval: '',
  'above the adapter, paired': '',
  'ms, median': '',
  'training, minutes': '',
  ...more,
});

const signedInterval = (value: number, low: number, high: number): string =>
  `${hundredths(value)} (${hundredths(low)} to ${hundredths(high)})`;

const TIMES = `query ($id: ID!) { node(id: $id) { ... on TrainingRun { startedAt finishedAt } } }`;
interface Times {
  node: { startedAt: string | null; finishedAt: string | null } | null;
}

/** How long a training took, on this machine and with what else ran on it. */
async function minutesOf(id: string): Promise<string> {
  const { node } = await client.request<Times, { id: string }>(TIMES, { id });
  if (!node?.startedAt || !node.finishedAt) return '';
  return ((Date.parse(node.finishedAt) - Date.parse(node.startedAt)) / 60_000).toFixed(1);
}

interface Trained {
  version: number;
  minutes: string;
}

/** Trains, attests and promotes, by force: what is measured is what each is worth. */
async function inProduction(task: PublicTask, datasetVersion: string): Promise<Trained> {
  const { adapter } = task;
  const recipe = EPOCHS > 0 ? { ...task.recipe, epochs: EPOCHS } : task.recipe;
  const { runId } = await train(client, { ...task, recipe }, datasetVersion);
  const { adapter: trained } = await client.request(AdapterDocument, { name: adapter });
  const { version, aliases } = trained!.versions[0]!;
  const { attestAdapter } = await client.request(AttestAdapterDocument, {
    input: { adapter, version, idempotencyKey: `bench-hybrid-${adapter}-${version}` },
  });
  const attesting = client.subscribe(AttestationProgressDocument, { runId: attestAdapter.run.id });
  await followRun(attestAdapter.run.id, attesting, (data) => data.attestationProgress);
  if (!aliases.includes('PRODUCTION'))
    for (const alias of ['CANDIDATE', 'PRODUCTION'] as const)
      await client.request(PromoteAdapterDocument, {
        input: { adapter, version, alias, force: true, reason: 'The benchmark of strategies.', by: 'bench' },
      });
  return { version, minutes: await minutesOf(runId) };
}

async function indexRows(adapter: string, version: number, datasetVersion: string): Promise<void> {
  const { indexDataset } = await client.request(IndexDatasetDocument, {
    input: { datasetVersion, idempotencyKey: `bench-hybrid-${datasetVersion}` },
  });
  const indexing = client.subscribe(LabelIndexingProgressDocument, { runId: indexDataset.run.id });
  await followRun(indexDataset.run.id, indexing, (data) => data.labelIndexingProgress);
  const { fitHybrid } = await client.request(FitHybridDocument, {
    input: { adapter, version, idempotencyKey: `bench-hybrid-${adapter}-${version}` },
  });
  const fitting = client.subscribe(HybridFitProgressDocument, { runId: fitHybrid.run.id });
  await followRun(fitHybrid.run.id, fitting, (data) => data.hybridFitProgress);
}

/** Every strategy that can answer, on the same rows. */
async function strategies(task: PublicTask, { version, minutes }: Trained, datasetVersion: string): Promise<Line[]> {
  const { adapter } = task;
  const named = `${adapter}@${version}`;
  const { compareStrategies } = await client.request(CompareStrategiesDocument, {
    input: {
      adapter: named,
      datasetVersion,
      rows: Math.min(ROWS, 4_000),
      idempotencyKey: `bench-hybrid-${named}-${ROWS}`,
      ...(task.documents && { collections: [adapter] }),
    },
  });
  const comparing = client.subscribe(StrategyComparisonProgressDocument, { runId: compareStrategies.run.id });
  await followRun(compareStrategies.run.id, comparing, (data) => data.strategyComparisonProgress);
  const { node } = await client.request(StrategyComparisonDocument, { id: compareStrategies.run.id });
  const report = node && 'report' in node ? node.report : null;
  if (!report) throw new Error('the comparison has no report');
  console.log(report.sentence);
  return report.strategies.map(({ strategy, value, low, high, medianMs }) => {
    const pair = report.pairs.find(
      ({ first, second }) =>
        strategy !== 'ADAPTER' && [first, second].includes(strategy) && [first, second].includes('ADAPTER'),
    );
    const above =
      pair && (pair.first === strategy ? [-pair.value, -pair.high, -pair.low] : [pair.value, pair.low, pair.high]);
    return line(adapter, task.documents || strategy !== 'RAG' ? NAMES[strategy] : 'retrieval: nearest rows', {
      rows: report.rows,
      metric: report.metric,
      value: hundredths(value),
      interval: `${hundredths(low)} to ${hundredths(high)}`,
      'above the adapter, paired': above
        ? `${signedInterval(above[0]!, above[1]!, above[2]!)}, p ${pair?.p.toFixed(3)}`
        : '',
      'ms, median': Math.round(medianMs),
      'training, minutes': strategy === 'ADAPTER' || strategy === 'HYBRID' ? minutes : '',
    });
  });
}

/** What needs no language model, beside the adapter on the same rows. */
async function withoutModel({ adapter }: PublicTask, version: number, datasetVersion: string): Promise<Line[]> {
  const { evaluate } = await client.request(EvaluateDocument, {
    input: {
      adapter: `${adapter}@${version}`,
      datasetVersion,
      rows: Math.min(ROWS, 5_000),
      retention: false,
      idempotencyKey: `bench-hybrid-${adapter}-${version}-${ROWS}`,
    },
  });
  const evaluating = client.subscribe(EvaluationProgressDocument, { runId: evaluate.run.id });
  await followRun(evaluate.run.id, evaluating, (data) => data.evaluationProgress);
  const { evaluations } = await client.request(EvaluationsDocument, { first: 50 });
  const found = evaluations.edges.find(
    ({ node }) => node.adapterVersion?.adapter.name === adapter && node.adapterVersion.version === version,
  )?.node;
  const { regression, nearestRows } = found ?? {};
  const of = (name: string, figures: typeof regression): Line[] => {
    if (!found || !figures) return [];
    const { value, low, high, p } = figures.difference;
    return [
      line(adapter, name, {
        rows: found.rowCount,
        value: hundredths(figures.accuracy.value),
        interval: `${hundredths(figures.accuracy.low)} to ${hundredths(figures.accuracy.high)}`,
        'above the adapter, paired': `${signedInterval(-value, -high, -low)}, p ${p.toFixed(3)}`,
      }),
    ];
  };
  return [...of('regression on the embedder', regression), ...of('nearest rows, beside the evaluation', nearestRows)];
}

const ROWS_OF = `query ($adapter: String!, $after: String) { adapter(name: $adapter) { versions { trainedOn {
  rows(first: 100, after: $after, split: TEST) { pageInfo { endCursor hasNextPage } edges { node { content {
    ... on ClassificationContent { text label } } } } } } } } }`;
interface RowsOf {
  adapter: {
    versions: {
      trainedOn: {
        rows: {
          pageInfo: { endCursor: string | null; hasNextPage: boolean };
          edges: { node: { content: { text: string; label: string } } }[];
        };
      };
    }[];
  };
}

interface Wanted {
  question: string;
  isRight: (text: string) => boolean;
}

/** The first test rows of what an adapter learned from. */
async function messagesOf(adapter: string, most: number): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (let after: string | null = null; wanted.length < most;) {
    const found: RowsOf = await client.request<RowsOf, { adapter: string; after: string | null }>(ROWS_OF, {
      adapter,
      after,
    });
    const { edges, pageInfo } = found.adapter.versions[0]!.trainedOn.rows;
    wanted.push(
      ...edges.map(({ node: { content } }) => ({
        question: content.text,
        isRight: (text: string) => text === content.label,
      })),
    );
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  return wanted.slice(0, most);
}

async function fitRouter(): Promise<void> {
  const { fitRouter: begun } = await client.request(FitRouterDocument, {
    input: { mode: 'APPLY', idempotencyKey: `bench-hybrid-${Date.now()}` },
  });
  const events = client.subscribe(RouterFitProgressDocument, { runId: begun.run.id });
  await followRun(begun.run.id, events, (data) => data.routerFitProgress);
}

/** Asks one after the other, as a client sees it. */
async function asked(
  workload: string,
  answeredBy: string,
  wanted: readonly Wanted[],
  how: Partial<AskInput>,
): Promise<Line> {
  const times: number[] = [];
  let right = 0;
  for (const { question, isRight } of wanted) {
    const began = performance.now();
    const { ask } = await client.request(AskDocument, { input: { question, ...how } });
    times.push(performance.now() - began);
    if (isRight(ask.text)) right++;
  }
  const { value, low, high } = binomialInterval(right, wanted.length);
  return line(workload, answeredBy, {
    rows: wanted.length,
    value: hundredths(value),
    interval: `${hundredths(low)} to ${hundredths(high)}`,
    'ms, median': Math.round(median(times)),
  });
}

async function readHandbook(): Promise<void> {
  const { collection } = await client.request(CollectionDocument, { name: HANDBOOK });
  if (collection) return;
  await client.request(CreateCollectionDocument, { input: { name: HANDBOOK } });
  const folder = join('examples', 'handbook');
  const documents = readdirSync(folder)
    .filter((name) => /\.(md|txt)$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
    input: { collection: HANDBOOK, documents, idempotencyKey: 'bench-hybrid' },
  });
  const events = client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id });
  await followRun(ingestDocuments.run.id, events, (data) => data.ingestionProgress);
}

/** Questions about the handbook's texts whose answer is a span. */
function handbookQuestions(): Wanted[] {
  const all = JSON.parse(readFileSync(join('examples', 'questions.json'), 'utf8')) as {
    question: string;
    answer: string;
    document: string;
  }[];
  return all
    .filter(({ document, answer }) => /\.(md|txt)$/.test(document) && answer)
    .map(({ question, answer }) => ({ question, isRight: (text) => holdsAnswer({ gold: [answer], answer: text }) }));
}

/** Messages and questions in turn, by each fixed strategy and by AUTO. */
async function mixed(): Promise<Line[]> {
  const questions = handbookQuestions().slice(0, Math.ceil(MIXED / 2));
  const messages = await messagesOf(MESSAGES.adapter, questions.length);
  const wanted = messages.flatMap((message, i) => [message, questions[i]!]);
  const { adapter } = MESSAGES;
  const by = (name: string, how: Partial<AskInput>): Promise<Line> =>
    asked('mixed: messages and handbook', name, wanted, how);
  return [
    await by('base model', { strategy: 'BASE' }),
    await by('retrieval', { strategy: 'RAG', collections: [HANDBOOK] }),
    await by('nearest rows', { strategy: 'RAG', dataset: adapter }),
    await by('adapter', { strategy: 'ADAPTER', adapter }),
    await by('both: rows and adapter', { strategy: 'HYBRID', adapter, dataset: adapter }),
    await by('AUTO', { strategy: 'AUTO' }),
  ];
}

const lines: Line[] = [];
const tasks = [MESSAGES, ...publicTasks(ONLY)].filter(({ adapter }) => !ONLY || ONLY.includes(adapter));
const print = (): void =>
  printResult('hybrid', { machine: describeMachine(), rows: lines }, ['workload', 'answered by']);
for (const task of tasks) {
  const missing = missingFiles(task);
  if (missing.length > 0) {
    console.log(`SKIPPED ${task.adapter}: ${missing.join(', ')} not in the folder of data sets`);
    continue;
  }
  const datasetVersion = await makeVersion(client, task);
  const trained = await inProduction(task, datasetVersion);
  const { version } = trained;
  const labelled = task.kind === 'CLASSIFICATION';
  if (labelled) await indexRows(task.adapter, version, datasetVersion);
  lines.push(...(await strategies(task, trained, datasetVersion)));
  if (labelled) lines.push(...(await withoutModel(task, version, datasetVersion)));
  print();
}
if (AUTO_ROWS > 0 || MIXED > 0) {
  await readHandbook();
  await fitRouter();
  for (const { adapter, kind } of tasks)
    if (AUTO_ROWS > 0 && kind === 'CLASSIFICATION')
      lines.push(await asked(adapter, 'AUTO', await messagesOf(adapter, AUTO_ROWS), { strategy: 'AUTO' }));
  if (MIXED > 0 && tasks.includes(MESSAGES)) lines.push(...(await mixed()));
  print();
}
client.close();
