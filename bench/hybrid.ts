/**
 * RAG, fine-tuning or both, through the public API of a running gateway alone.
 *
 * Time: `answerAll` with the reader beside one answer by each of its strategies; medians, and their ratios. Every question is asked both
 * ways, because how long it takes depends on it more than on the way, and all others in between, so that no prompt is still in memory.
 *
 * Labels: BANKING77 by its labelled rows (RAG), an adapter, both (weights by `fitHybrid`), and a logistic regression on the embedder's
 * vectors, on the same test rows: accuracy with its interval, differences paired.
 *
 *   npm start                                       (another shell)
 *   npm run bench -- tasks --only intents           (trains the adapter; a quarter of an hour)
 *   npm run bench -- hybrid [--at http://127.0.0.1:4000] [--rows 3080] [--questions 24] [--adapter intents@1]
 *
 * `--rows 0` leaves the labels out. Runs have idempotency keys of their own: stopped and started again, it goes on where it stopped.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { followRun } from '../src/cli/follow-run.js';
import { GraftClient } from '../src/client/graft-client.js';
import {
  AnswerAllDocument,
  AskDocument,
  CollectionDocument,
  CompareStrategiesDocument,
  CreateCollectionDocument,
  DatasetDocument,
  EvaluateDocument,
  EvaluationProgressDocument,
  EvaluationsDocument,
  FitHybridDocument,
  HybridFitProgressDocument,
  IndexDatasetDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  LabelIndexingProgressDocument,
  StrategyComparisonDocument,
  StrategyComparisonProgressDocument,
} from '../src/operations/index.js';
import { numberOption, textOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';
import { hundredths, signed } from './support/percent.js';

const ROWS = numberOption('rows', 3_080);
const QUESTIONS = numberOption('questions', 24);
const ADAPTER = textOption('adapter', 'intents@1');
const COLLECTION = 'bench-hybrid';
const READER = 'reader';
const client = new GraftClient(textOption('at', 'http://127.0.0.1:4000'));

async function readHandbook(): Promise<void> {
  const { collection } = await client.request(CollectionDocument, { name: COLLECTION });
  if (!collection) await client.request(CreateCollectionDocument, { input: { name: COLLECTION } });
  const folder = join('examples', 'handbook');
  const documents = readdirSync(folder)
    .filter((name) => /\.(md|txt)$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
    input: { collection: COLLECTION, documents, idempotencyKey: 'bench-hybrid' },
  });
  const events = client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id });
  await followRun(ingestDocuments.run.id, events, (data) => data.ingestionProgress);
}

/** Milliseconds of each way of asking. */
async function times() {
  const all = JSON.parse(readFileSync(join('examples', 'questions.json'), 'utf8')) as { question: string }[];
  const taken = new Map<string, number[]>();
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work();
    taken.set(what, [...(taken.get(what) ?? []), performance.now() - began]);
  };
  const input = { collections: [COLLECTION], adapter: READER };
  const one = async (question: string, strategy: 'BASE' | 'RAG' | 'ADAPTER' | 'HYBRID'): Promise<void> => {
    const adapts = strategy === 'ADAPTER' || strategy === 'HYBRID';
    const asked = { question, strategy, ...(adapts ? input : { collections: input.collections }) };
    await timed(strategy, () => client.request(AskDocument, { input: asked }));
  };
  for (const first of [0, 1])
    for (const [i, { question }] of all.slice(0, QUESTIONS).entries())
      if (i % 2 === first)
        await timed('answerAll', () => client.request(AnswerAllDocument, { input: { question, ...input } }));
      else for (const strategy of ['BASE', 'RAG', 'ADAPTER', 'HYBRID'] as const) await one(question, strategy);
  const of = (what: string) => median(taken.get(what) ?? [NaN]);
  const slowest = Math.max(...['BASE', 'RAG', 'ADAPTER', 'HYBRID'].map(of));
  return {
    milliseconds: Object.fromEntries([...taken.keys()].map((what) => [what, Math.round(of(what))])),
    'answerAll / HYBRID': Number((of('answerAll') / of('HYBRID')).toFixed(2)),
    'answerAll / slowest': Number((of('answerAll') / slowest).toFixed(2)),
  };
}

interface Labelled extends Record<string, string | number> {
  'answered by': string;
}

/** The table of labels; empty where the adapter was not trained yet. */
async function labels(): Promise<Labelled[]> {
  const [dataset, number = '1'] = ADAPTER.split('@') as [string, string?];
  const known = await client.request(DatasetDocument, { name: dataset });
  const datasetVersion = known.dataset?.latestVersion?.id;
  if (datasetVersion === undefined) {
    console.log(
      `SKIPPED the labels: there is no dataset ${dataset}; npm run bench -- tasks --only ${dataset} makes it`,
    );
    return [];
  }
  const { indexDataset } = await client.request(IndexDatasetDocument, {
    input: { datasetVersion, idempotencyKey: `bench-hybrid-${datasetVersion}` },
  });
  const indexing = client.subscribe(LabelIndexingProgressDocument, { runId: indexDataset.run.id });
  await followRun(indexDataset.run.id, indexing, (data) => data.labelIndexingProgress);
  const { fitHybrid } = await client.request(FitHybridDocument, {
    input: { adapter: dataset, version: Number(number), idempotencyKey: `bench-hybrid-${ADAPTER}` },
  });
  const fitting = client.subscribe(HybridFitProgressDocument, { runId: fitHybrid.run.id });
  await followRun(fitHybrid.run.id, fitting, (data) => data.hybridFitProgress);

  const key = `bench-hybrid-${ADAPTER}-${ROWS}`;
  const { compareStrategies } = await client.request(CompareStrategiesDocument, {
    input: { adapter: ADAPTER, datasetVersion, rows: ROWS, idempotencyKey: key },
  });
  const comparing = client.subscribe(StrategyComparisonProgressDocument, { runId: compareStrategies.run.id });
  await followRun(compareStrategies.run.id, comparing, (data) => data.strategyComparisonProgress);
  const { node } = await client.request(StrategyComparisonDocument, { id: compareStrategies.run.id });
  const report = node && 'report' in node ? node.report : null;
  if (!report) throw new Error('the comparison has no report');

  const { evaluate } = await client.request(EvaluateDocument, {
    input: { adapter: ADAPTER, datasetVersion, rows: ROWS, retention: false, idempotencyKey: key },
  });
  const evaluating = client.subscribe(EvaluationProgressDocument, { runId: evaluate.run.id });
  await followRun(evaluate.run.id, evaluating, (data) => data.evaluationProgress);
  const { evaluations } = await client.request(EvaluationsDocument, { first: 50 });
  const evaluated = evaluations.edges.find(
    ({ node: each }) => each.adapterVersion?.adapter.name === dataset && each.rowCount === report.rows,
  );

  console.log(report.sentence);
  const rows = report.strategies.map(({ strategy, value, low, high, medianMs }): Labelled => {
    const pair = report.pairs.find(
      ({ first, second }) => [first, second].includes(strategy) && [first, second].includes('ADAPTER'),
    );
    const sign = pair?.first === strategy ? 1 : -1;
    const [from, to] = pair ? (sign > 0 ? [pair.low, pair.high] : [-pair.high, -pair.low]) : [0, 0];
    return {
      'answered by': strategy,
      rows: report.rows,
      accuracy: hundredths(value),
      interval: `${hundredths(low)} to ${hundredths(high)}`,
      'above the adapter alone, paired': pair
        ? `${signed(sign * pair.value)} (${signed(from)} to ${signed(to)}), p ${pair.p.toFixed(3)}`
        : '',
      'ms, median': Math.round(medianMs),
    };
  });
  const regression = evaluated?.node.regression;
  if (regression) {
    const { value, low, high, p } = regression.difference;
    rows.push({
      'answered by': 'logistic regression on the embedder',
      rows: report.rows,
      accuracy: hundredths(regression.accuracy.value),
      interval: '',
      'above the adapter alone, paired': `${signed(-value)} (${signed(-high)} to ${signed(-low)}), p ${p.toFixed(3)}`,
      'ms, median': 0,
    });
  }
  return rows;
}

await readHandbook();
const time = await times();
console.log(JSON.stringify(time));
printResult('hybrid', { machine: describeMachine(), rows: ROWS > 0 ? await labels() : [], time }, ['answered by']);
client.close();
