import {
  AdaptersDocument,
  AskWithAdapterDocument,
  DatasetDocument,
  StartTrainingDocument,
  TrainingProgressDocument,
} from '../../client/operations/index.js';
import type { GraftClient } from '../../client/graft-client.js';
import { bold, dim, green, heading, line } from './print.js';
import type { Trained } from './proof-tour.js';
import { percent } from '../../kernel/text.js';

const ADAPTER = 'routing';
const DATASET = 'messages';

const MESSAGES = [
  'Hi, I was billed twice for the same month, could I have one of the payments back?',
  'The app says the token is bad since this morning, what do I do?',
];

/**
 * The labelled messages become an adapter, trained while one watches; then it routes messages it has never seen.
 * @returns what was trained; null when the rows are not usable
 */
export async function trainingTour(client: GraftClient): Promise<Trained | null> {
  heading('The messages train an adapter on this machine, and it routes new ones', 2);
  const { dataset } = await client.request(DatasetDocument, { name: DATASET });
  const version = dataset?.latestVersion;
  if (!version?.usable) {
    line('The rows are not usable yet, so nothing is trained.');
    return null;
  }
  const started = Date.now();
  const { startTraining } = await client.request(StartTrainingDocument, {
    input: {
      adapter: ADAPTER,
      description: 'Which team a message goes to.',
      datasetVersion: version.id,
      // Of so few rows many small steps learn most, and forget fastest: general text weighs more than in the preset.
      recipe: { epochs: 0.7, batchExamples: 4, validateEvery: 0.7, retention: { weight: 3, tokens: 32 } },
      idempotencyKey: `demo-${version.digest}`,
    },
  });
  const curve: number[] = [];
  let status = '';
  for await (const { trainingProgress: event } of client.subscribe(TrainingProgressDocument, {
    runId: startTraining.run.id,
  })) {
    if (event.error) throw new Error(event.error.message);
    status = event.status;
    if (event.__typename === 'TrainingAudited')
      line(dim(`  ${event.trained} of ${event.examples} answers teach something`));
    if (event.__typename === 'TrainingValidated' && event.accuracy !== null)
      line(dim(`\r  step ${event.step}: ${(100 * event.accuracy).toFixed(0)} % of the validation rows right`));
    if (event.__typename !== 'TrainingStepped') continue;
    curve.push(event.loss);
    draw(
      `  ${sparkline(curve)} step ${event.step}/${event.steps}, loss ${event.smoothedLoss.toFixed(2)}, ${Math.ceil(event.etaSeconds)} s left`,
    );
  }
  if (status !== 'SUCCEEDED') throw new Error(`the training ended ${status}`);
  line(`\n${green('✓')} trained in ${Math.round((Date.now() - started) / 1_000)} s`);
  const trained = await first(client);
  await route(client, trained);
  return { adapter: ADAPTER, version: trained, datasetVersion: version.id };
}

/** A second tour of the same home finds those that the first one made besides. */
async function first(client: GraftClient): Promise<number> {
  const { adapters } = await client.request(AdaptersDocument, {});
  const version = adapters.edges.find(({ node }) => node.name === ADAPTER)?.node.versions.at(-1);
  if (!version) throw new Error('the trained version is not there');
  return version.version;
}

async function route(client: GraftClient, version: number): Promise<void> {
  for (const question of MESSAGES) {
    const { ask } = await client.request(AskWithAdapterDocument, { question, adapter: `${ADAPTER}@${version}` });
    if (!('label' in ask.output)) continue;
    const { label, probability, alternatives } = ask.output;
    const runnersUp = alternatives
      .slice(0, 2)
      .map((alternative) => `${alternative.label} ${percentIfKnown(alternative.probability)}`);
    line(`\n${bold('?')} ${question}`);
    line(`  ${green(label)} ${percentIfKnown(probability)}${dim(`, then ${runnersUp.join(', ')}`)}`);
  }
}

const percentIfKnown = (share: number | null): string => (share === null ? '' : percent(share));

const BARS = '▁▂▃▄▅▆▇█';
const CURVE_WIDTH = 40;

/** The last values as bars, the highest of all as a full one. */
function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values);
  return values
    .slice(-CURVE_WIDTH)
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / highest) * BARS.length))])
    .join('');
}

/** Over the line before on a terminal; elsewhere nothing, because each step would be a line of its own. */
function draw(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
}
