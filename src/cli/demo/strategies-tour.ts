import { Presets, SingleBar } from 'cli-progress';
import {
  AdapterDocument,
  AnswerAllDocument,
  AskDocument,
  CompareStrategiesDocument,
  FitHybridDocument,
  FitRouterDocument,
  HybridFitProgressDocument,
  IndexDatasetDocument,
  LabelIndexingProgressDocument,
  RouterDocument,
  RouterFitProgressDocument,
  StrategyComparisonDocument,
  StrategyComparisonProgressDocument,
  type AnswerAllQueryVariables,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { bold, dim, green, heading, line, wrap } from './print.js';
import type { Trained } from './proof-tour.js';

const MESSAGE = 'I was charged for two plans although I only have one greenhouse.';
const DATASET = 'messages';
const READER = 'reader';
const QUESTION = 'At what wind speed are the roof vents forced shut?';
/** Rows that each strategy answers: the base model takes half a second for one. */
const ROWS = 20;

/** RAG, fine-tuning or both? Asked of the labelled messages and of the handbook. */
export async function strategiesTour(client: GraftClient, trained: Trained | null): Promise<void> {
  heading('RAG, fine-tuning or both? The same question through every strategy', 1);
  if (trained) await messages(client, trained);
  // It ships with the default model alone, and answers once it was shown to act.
  const { adapter: reader } = await client.request(AdapterDocument, { name: READER });
  const answers = reader?.versions.some(({ aliases }) => aliases.includes('PRODUCTION')) ?? false;
  await answerAll(client, QUESTION, { collections: ['handbook'], adapter: answers ? READER : null });
}

async function messages(client: GraftClient, { adapter, version, datasetVersion }: Trained): Promise<void> {
  const { indexDataset } = await client.request(IndexDatasetDocument, {
    input: { datasetVersion, idempotencyKey: `demo-${Date.now()}` },
  });
  for await (const { labelIndexingProgress: event } of client.subscribe(LabelIndexingProgressDocument, {
    runId: indexDataset.run.id,
  }))
    if (event.error) throw new Error(event.error.message);
  const { fitHybrid } = await client.request(FitHybridDocument, {
    input: { adapter, version, idempotencyKey: `demo-${Date.now()}` },
  });
  for await (const { hybridFitProgress: event } of client.subscribe(HybridFitProgressDocument, {
    runId: fitHybrid.run.id,
  }))
    if (event.error) throw new Error(event.error.message);
  const reference = `${adapter}@${version}`;
  await answerAll(client, MESSAGE, { dataset: DATASET, adapter: reference });
  await compare(client, reference, datasetVersion);
}

async function answerAll(
  client: GraftClient,
  question: string,
  options: Omit<AnswerAllQueryVariables['input'], 'question'>,
): Promise<void> {
  const { answerAll: answers } = await client.request(AnswerAllDocument, { input: { question, ...options } });
  line(`\n${bold(`? ${question}`)}`);
  for (const { route, text, adapter, neighbours, citations, cost } of answers) {
    const with_ = adapter ? ` with ${adapter.name}@${adapter.versionNumber}` : '';
    line(`  ${bold(route.strategy)}${dim(`${with_}, ${Math.round(cost.computeMs)} ms of work`)}`);
    line(wrap(text, '    '));
    const [nearest] = neighbours;
    if (nearest)
      line(dim(`    ${neighbours.length} labelled messages, the nearest ${nearest.similarity.toFixed(2)} alike`));
    const [cited] = citations;
    if (cited) line(dim(wrap(`“${cited.quote}”`, '    ')));
  }
}

/** Which of them to use for the messages, measured on rows that none of them has seen. */
async function compare(client: GraftClient, adapter: string, datasetVersion: string): Promise<void> {
  const { compareStrategies } = await client.request(CompareStrategiesDocument, {
    input: { adapter, datasetVersion, rows: ROWS, idempotencyKey: `demo-${Date.now()}` },
  });
  const runId = compareStrategies.run.id;
  await watch(
    (async function* () {
      for await (const { strategyComparisonProgress } of client.subscribe(StrategyComparisonProgressDocument, {
        runId,
      }))
        yield strategyComparisonProgress;
    })(),
  );
  const { node } = await client.request(StrategyComparisonDocument, { id: runId });
  const report = node && 'report' in node ? node.report : null;
  if (!report) return;
  line(`\n${report.metric} on ${report.rows} test messages:`);
  for (const { strategy, value, low, high, medianMs } of report.strategies)
    line(
      `  ${strategy.padEnd(8)} ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) ${dim(`${Math.round(medianMs)} ms an answer`)}`,
    );
  line(wrap(report.sentence, '  '));
}

/** What a router makes of a question of the handbook and of one that has nothing to do with it. */
export async function routerTour(client: GraftClient): Promise<void> {
  heading('Per question: the router', 1);
  const { fitRouter } = await client.request(FitRouterDocument, {
    input: { idempotencyKey: `demo-${Date.now()}` },
  });
  const runId = fitRouter.run.id;
  line('It learns where questions belong, from the adapter’s rows and questions that it makes of the handbook:');
  await watch(
    (async function* () {
      for await (const { routerFitProgress } of client.subscribe(RouterFitProgressDocument, { runId }))
        yield routerFitProgress;
    })(),
  );
  const { router: fitted } = await client.request(RouterDocument, {});
  if (!fitted) return;
  const { questions, accuracy, commonest, calibrationError } = fitted.figures;
  line(
    `${green('✓')} version ${fitted.version} puts ${(100 * accuracy).toFixed(0)} % of ${questions} other questions where they belong ` +
      `(always the commonest place: ${(100 * commonest).toFixed(0)} %), calibration error ${calibrationError.toFixed(3)}`,
  );
  for (const question of [QUESTION, 'Write a short poem about autumn.']) {
    const { ask } = await client.request(AskDocument, { input: { question } });
    line(`\n${bold(`? ${question}`)}`);
    for (const { sentence } of ask.route.reasons) line(dim(wrap(sentence, '  ')));
  }
}

interface Progress {
  progress: number;
  message: string;
  error?: { message: string } | null;
}

async function watch(events: AsyncIterable<Progress>): Promise<void> {
  const bar = new SingleBar(
    { format: '{bar} {percentage}% {message}', hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  );
  bar.start(100, 0, { message: '' });
  try {
    for await (const { progress, message, error } of events) {
      if (error) throw new Error(error.message);
      bar.update(Math.round(progress * 100), { message });
    }
  } finally {
    bar.stop();
  }
}
