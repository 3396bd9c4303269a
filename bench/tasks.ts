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
import { followRun } from '../src/cli/follow-run.js';
import { GraftClient } from '../src/client/graft-client.js';
import {
  AdapterDocument,
  AskWithAdapterDocument,
  AttestAdapterDocument,
  AttestationProgressDocument,
  EvaluateDocument,
  EvaluationProgressDocument,
  EvaluationsDocument,
  PromoteAdapterDocument,
  RollbackAdapterDocument,
  type AdapterAlias,
  type EvaluationsQuery,
} from '../src/client/operations/index.js';
import { listOption, numberOption, textOption } from './support/options.js';
import { makeVersion, missingFiles, publicTasks, train, type PublicTask } from './support/public-tasks.js';
import { describeMachine, printResult } from './support/report.js';
import { hundredths, signed } from './support/percent.js';

const ROWS = numberOption('rows', 5_000);
const client = new GraftClient(textOption('at', 'http://127.0.0.1:4000'));

type Evaluated = EvaluationsQuery['evaluations']['edges'][number]['node'];

async function evaluate({ adapter }: PublicTask, version: number, datasetVersion: string): Promise<Evaluated> {
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

async function measure(task: PublicTask) {
  const { adapter } = task;
  const datasetVersion = await makeVersion(client, task);
  const { steps } = await train(client, task, datasetVersion);
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
    regression: name === 'accuracy' && evaluated.regression ? hundredths(evaluated.regression.accuracy.value) : '',
    'perplexity, times': evaluated.retention?.perplexity.ratio.value.toFixed(3) ?? '',
    training: `${task.recipe.epochs ?? 1} epochs, ${steps} steps`,
    gate,
  }));
}

const rows: Awaited<ReturnType<typeof measure>> = [];
for (const task of publicTasks(listOption('only'))) {
  const missing = missingFiles(task);
  if (missing.length > 0) console.log(`SKIPPED ${task.adapter}: ${missing.join(', ')} not in the folder of data sets`);
  else rows.push(...(await measure(task)));
  if (rows.length > 0) printResult('tasks', { machine: describeMachine(), rows }, ['task', 'metric']);
}
client.close();
