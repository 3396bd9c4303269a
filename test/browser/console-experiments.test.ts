import { setTimeout } from 'node:timers/promises';
import { GraftClient } from '../../src/client/graft-client.js';
import { fromGlobalId } from '../../src/kit/graphql/index.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../src/kernel/ids.js';
import { seededRandom } from '../../src/kernel/random.js';
import { metricsFor } from '../../src/answer/ask/answer-metrics.js';
import { STRATEGIES } from '../../src/answer/ask/strategies.js';
import {
  CreateExperimentDocument,
  ExperimentDocument,
  ExperimentsDocument,
  StartExperimentDocument,
} from '../../src/client/operations/index.js';
import { asColumn } from '../../src/platform/database/index.js';
import { abstained } from '../integration/delivery/experiment-kit.js';
import { type ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import type { GraftProgram } from '../support/graft-program.js';
import { recordAnswers } from '../support/recorded-answers.js';

const PATIENCE = { timeout: 90_000 };

describe('the console’s page of experiments', () => {
  let stand: ConsoleStand;
  let database: TestDatabase;
  let graft: GraftProgram;
  let client: GraftClient;
  let browser: ConsoleBrowser;
  let id: string;

  /** Answers as `ask` would record them, with twice as many of one arm as of the other where units are lost. */
  async function answers(subject: string, count: number, lost = false): Promise<void> {
    const random = seededRandom(7);
    for (let n = 0; n < count; n++) {
      const arm = n % 2 ? 'read more' : 'production';
      if (lost && arm === 'production' && n % 8) continue;
      const refuses = random() < (arm === 'production' ? 0.4 : 0.15);
      const assignment = {
        kind: 'EXPERIMENT' as const,
        subjectId: subject,
        arm,
        stage: 0,
        bucket: random(),
        probability: 0.5,
        forced: false,
        unitHash: newId(),
      };
      const latencyMs = 300 + 200 * random() + (arm === 'production' ? 0 : 40);
      await recordAnswers(database, DEFAULT_WORKSPACE_ID, [{ latencyMs, assignment, ...(refuses ? abstained : {}) }]);
    }
  }

  async function experiment(name: string): Promise<string> {
    const { createExperiment } = await client.request(CreateExperimentDocument, {
      input: {
        name,
        reason: 'Too many questions get no answer',
        idempotencyKey: newId(),
        plannedSize: 2_000,
        effect: 0.1,
        arms: [{ name: 'production' }, { name: 'read more', strategy: 'RAG', denseWeight: 0.9 }],
        metrics: [{ metric: 'ABSTENTION', primary: true }, { metric: 'LATENCY' }, { metric: 'FAILURE' }],
      },
    });
    const made = createExperiment.experiment.id;
    await client.request(StartExperimentDocument, { input: { experiment: made, reason: 'The plan was looked at' } });
    return made;
  }
  const counted = (made: string, least: number) =>
    eventually(
      'answers are counted',
      async () => ((await client.request(ExperimentDocument, { id: made })).experiment?.answersCounted ?? 0) >= least,
      90_000,
    );

  beforeAll(async () => {
    stand = await consoleStand();
    ({ database, graft, browser } = stand);
    client = new GraftClient(graft.url);
    id = await experiment('More dense retrieval');
    for (let n = 1; n <= 6; n++) {
      await answers(fromGlobalId(id, 'Experiment', 'id'), 60);
      await counted(id, 60 * n);
    }
  }, 300_000);
  afterAll(async () => {
    client.close();
    await stand.stop();
  });

  itInBrowser(
    'shows what an experiment says with its figures, and keeps what is looked at in the address',
    async () => {
      // However many are newer, it is found.
      const { plan, state, ...first } = await database.prisma.experiment.findFirstOrThrow();
      const columns = { ...first, plan: asColumn(plan), state: asColumn(state), name: 'Again', status: 'STOPPED' };
      await database.prisma.experiment.createMany({
        data: Array.from({ length: 50 }, () => ({ ...columns, id: newId(), idempotencyKey: newId() })),
      });
      const page = await browser.open('/experiments');
      await page.getByRole('button', { name: 'Show older experiments' }).click(PATIENCE);
      await page.getByRole('link', { name: 'More dense retrieval' }).waitFor(PATIENCE);
      await page.getByText('read more is better').last().waitFor(PATIENCE);
      await page.getByText('Ended', { exact: true }).first().click();
      await page.waitForURL(/status=ENDED/);
      await page.getByText('No experiment here').waitFor(PATIENCE);
      await page.goto(`${graft.url}/experiments/${encodeURIComponent(id)}`);
      await page
        .getByTestId('experiment-verdict')
        .getByText(/^read more is better than production, read at any time: ABSTENTION/)
        .waitFor(PATIENCE);
      await page
        .getByRole('img', { name: /^Questions without an answer: read more less production: difference/ })
        .waitFor(PATIENCE);
      await page.getByRole('combobox', { name: 'Metric' }).click();
      await page.getByRole('option', { name: 'Time to the answer' }).click();
      await page.waitForURL(/metric=LATENCY/);
      await page.reload();
      await page.getByRole('img', { name: /^Time to the answer/ }).waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'lets people plan a test, says what it could see, and lets them end one with a reason',
    async () => {
      const page = await browser.open('/experiments?primary=ABSTENTION&effect=10');
      await page.getByText('Plan a test').waitFor(PATIENCE);
      await page.goto(`${graft.url}/experiments/${encodeURIComponent(id)}`);
      // Slower than the page looks by itself: what it asked last is heard all the same.
      await page.route('**/graphql', async (route) => {
        if (route.request().postData()?.includes('query ExperimentOpened'))
          await setTimeout(4_000, undefined, { ref: false });
        await route.continue();
      });
      await page.getByRole('button', { name: 'End it' }).click();
      await page.getByLabel('Why').fill('It says enough');
      await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
      await page.getByText('“It says enough”').waitFor(PATIENCE);
      await page.getByText('Ended', { exact: true }).first().waitFor(PATIENCE);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'plans a test of what an arm changes: a strategy, its retrieval and its writing, whoever’s questions they are',
    async () => {
      const page = await browser.open('/experiments?primary=ABSTENTION&effect=10');
      await page.getByRole('combobox', { name: 'Strategy' }).click();
      await page.getByRole('option', { name: STRATEGIES.RAG.title, exact: true }).click();
      await page.getByLabel('Weight of dense retrieval').fill('0.3');
      await page.getByLabel('Temperature').fill('0.5');
      await page.waitForURL(/strategy=RAG.*dense=0\.3.*temperature=0\.5/);
      await page.getByRole('combobox', { name: 'What decides' }).click();
      await page.getByRole('option', { name: metricsFor('experiment').LATENCY.title, exact: true }).click();
      await page.getByLabel('Share of answers above (ms)').fill('2000');
      await page.getByLabel('Difference that would matter (points)').fill('7');
      await page.waitForURL(/beyond=2000.*effect=7/);
      await page.getByTestId('experiment-sample').getByText('LATENCY beyond 2000').waitFor(PATIENCE);
      await page.reload();
      await page.getByLabel('Why').fill('Words may be enough');
      await keepScreenshot(page, 'experiment-plan');
      await page.getByRole('button', { name: 'Plan it' }).click();
      await page.waitForURL(/\/experiments\//);
      await page.getByRole('heading', { name: /dense 0\.3, temperature 0\.5 beside production/ }).waitFor(PATIENCE);
      const { experiments } = await client.request(ExperimentsDocument, {});
      const [made] = experiments.edges.map(({ node }) => node).filter(({ name }) => name.includes('dense 0.3'));
      const { experiment: planned } = await client.request(ExperimentDocument, { id: made!.id });
      expect(planned!.arms[1]).toMatchObject({ strategy: 'RAG', denseWeight: 0.3, generation: { temperature: 0.5 } });
      expect(planned!.metrics[0]).toMatchObject({ metric: 'LATENCY', beyond: 2_000, isRate: true, primary: true });
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'warns where units fall into arms otherwise than drawn',
    async () => {
      const broken = await experiment('Answers get lost');
      await answers(fromGlobalId(broken, 'Experiment', 'id'), 500, true);
      await counted(broken, 250);
      const page = await browser.open(`/experiments/${encodeURIComponent(broken)}`);
      await page.getByText('Not to be trusted: sample ratio').waitFor(PATIENCE);
      await keepScreenshot(page, 'experiment-broken');
      await page.context().close();
    },
    120_000,
  );

  for (const view of VIEWS)
    itInBrowser(
      `has nothing that axe-core calls serious, and fits its window: ${view.name}`,
      async () => {
        for (const [name, path] of [
          ['experiments', '/experiments'],
          ['experiment', `/experiments/${encodeURIComponent(id)}`],
        ] as const) {
          const page = await browser.open(path, view);
          await page.getByText('read more is better').first().waitFor(PATIENCE);
          expect(await seriousFaults(page)).toEqual([]);
          expect(await overflow(page)).toBeLessThanOrEqual(0);
          await keepScreenshot(page, `${name}-${view.name}`);
          await page.context().close();
        }
        expect(browser.complaints).toEqual([]);
        expect(browser.foreign).toEqual([]);
      },
      120_000,
    );
});
