/**
 * `npm run demo`: the gateway on a home of its own, and a tour of its main job through the public API. `-- --all` adds a day of messages with the
 * loop, a rollout, the router and features; `-- --exit` stops the gateway at the end.
 */
import { join, relative } from 'node:path';
import { loadConfig } from '../../platform/config.js';
import { failToStart, startGraft, stopOnSignal } from '../../server/main.js';
import { packageRoot } from '../../platform/package-root.js';
import { createLogger } from '../../platform/telemetry/index.js';
import { say, sayAddresses } from '../../platform/terminal.js';
import { GraftClient } from '../../client/graft-client.js';
import { dataTour } from './data-tour.js';
import { dayTour } from './day-tour.js';
import { featuresTour } from './features-tour.js';
import { proofTour } from './proof-tour.js';
import { rolloutTour } from './rollout-tour.js';
import { routerTour, strategiesTour } from './strategies-tour.js';
import { tour } from './tour.js';
import { trainingTour } from './training-tour.js';

async function demo(): Promise<void> {
  const config = loadConfig({
    LOG_LEVEL: 'warn',
    ...process.env,
    GRAFT_HOME: process.env.GRAFT_HOME || join('.graft', 'demo'),
  });
  const isFullTour = process.argv.includes('--all');
  say(
    `A tour of about ${isFullTour ? 'twenty' : 'seven'} minutes. Starting PostgreSQL, Chroma, the worker and the gateway…`,
  );
  const graft = await startGraft(config, createLogger({ level: config.LOG_LEVEL }));
  stopOnSignal(graft);
  const client = new GraftClient(graft.url);
  try {
    const examples = join(packageRoot(), 'examples');
    await tour(client, examples);
    await dataTour(client, examples);
    const trained = await trainingTour(client);
    if (trained) await proofTour(client, trained);
    await strategiesTour(client, trained);
    if (isFullTour) {
      if (trained) await rolloutTour(client, await dayTour(client, examples, trained));
      await routerTour(client);
      await featuresTour(client, examples);
    }
  } catch (error) {
    await graft.stop();
    throw error;
  } finally {
    client.close();
  }
  say('');
  say(`The tour took ${Math.round(performance.now() / 60_000)} minutes.`);
  if (!isFullTour) say('npm run demo -- --all goes on: a day of messages, a rollout, the router, customer data.');
  say(
    `What the tour made is in ${config.GRAFT_HOME}: GRAFT_HOME=${relative('', config.GRAFT_HOME)} npm start goes on with it.`,
  );
  if (process.argv.includes('--exit') || !process.stdin.isTTY) {
    await graft.stop();
    process.exit(0);
  }
  say('The gateway keeps running; Ctrl-C stops it.');
  sayAddresses(graft.url);
}

demo().catch(failToStart);
