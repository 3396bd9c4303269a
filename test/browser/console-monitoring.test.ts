import { GraftClient } from '../../src/client/graft-client.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../src/kernel/ids.js';
import { AlertsDocument, MonitoringDocument, SetAlertRuleDocument } from '../../src/client/operations/index.js';
import { plantAnswer } from '../integration/monitoring/monitoring-kit.js';
import { type ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import type { GraftProgram } from '../support/graft-program.js';

const PATIENCE = { timeout: 90_000 };
const MINUTE_MS = 60_000;
const CHARTS = 12;

describe('the console’s page of monitoring', () => {
  let stand: ConsoleStand;
  let database: TestDatabase;
  let graft: GraftProgram;
  let client: GraftClient;
  let browser: ConsoleBrowser;

  /** Six hours of answers, then failures. */
  async function plant(): Promise<void> {
    const adapter = { versionId: DEFAULT_WORKSPACE_ID, name: 'routing', version: 3 };
    for (let i = 0; i < 240; i++)
      await plantAnswer(database, DEFAULT_WORKSPACE_ID, {
        at: new Date(Date.now() - (360 - 1.4 * i) * MINUTE_MS),
        ms: 200 + 40 * (i % 17) + 3 * i,
        ...(i % 3 === 0
          ? {
              strategy: 'ADAPTER',
              adapter,
              label: { label: i % 2 ? 'billing' : 'returns', probability: 0.6 + (i % 4) / 10 },
            }
          : {
              strategy: i % 7 === 0 ? 'BASE' : 'RAG',
              collection: 'handbook',
              answerability: 0.7,
              score: 0.5 + (i % 5) / 10,
            }),
        abstained: i % 9 === 0,
      });
    for (let i = 0; i < 40; i++)
      await plantAnswer(database, DEFAULT_WORKSPACE_ID, {
        at: new Date(Date.now() - (20 - i / 2) * MINUTE_MS),
        status: 'FAILED',
        errorCode: 'WORKER_CRASHED',
      });
  }

  beforeAll(async () => {
    stand = await consoleStand();
    ({ database, graft, browser } = stand);
    client = new GraftClient(graft.url);
    await client.request(SetAlertRuleDocument, {
      input: { name: 'failures', metric: 'ERROR_RATE', side: 'ABOVE', threshold: 0.1 },
    });
    await plant();
    await eventually(
      'the alert',
      async () => (await client.request(AlertsDocument, {})).alerts.edges.length > 0,
      90_000,
    );
  }, 240_000);
  afterAll(async () => {
    client.close();
    await stand.stop();
  });

  it('rolls up by itself what a gateway records', async () => {
    // The alert is raised by the first of the failures.
    const metrics = async (): Promise<string> => (await fetch(`${graft.url}/metrics`)).text();
    await eventually('all are rolled up', async () => (await metrics()).includes('graft_answers_to_roll_up 0'), 90_000);
    const { monitoring } = await client.request(MonitoringDocument, {
      input: { metric: 'VOLUME', by: ['STRATEGY'], resolution: 'HOUR' },
    });
    const counts = Object.fromEntries(monitoring.map(({ by, count }) => [by[0]!.value, count]));
    expect(counts).toMatchObject({ ADAPTER: 80, '': 40 });
    const text = await metrics();
    expect(text).toMatch(
      /graft_answers_total\{strategy="ADAPTER",model="tiny@Q8_0",adapter="routing@3",outcome="complete"\} \d+/,
    );
    expect(text).toContain('graft_alerts{kind="RULE",status="OPEN"} 1');
  });

  itInBrowser(
    'shows series and alerts, and keeps all that it shows in its address',
    async () => {
      const page = await browser.open('/monitoring?span=6h&by=STRATEGY');
      await page
        .getByTestId('alert')
        .getByText(/failures: the share of failures has been above 0\.1/)
        .waitFor(PATIENCE);
      await page.getByRole('img', { name: /^Latency: .*RAG/ }).waitFor(PATIENCE);
      await page.getByText('Day', { exact: true }).click();
      await page.waitForURL(/span=24h/);
      expect(new URL(page.url()).searchParams.get('by')).toBe('STRATEGY');
      await page.getByLabel('Only adapter').fill('routing@3');
      await page.getByLabel('Only adapter').press('Enter');
      await page.waitForURL(/adapter=routing%403/);
      await page.reload();
      await page.getByRole('button', { name: 'Show all answers' }).waitFor(PATIENCE);
      expect(await page.getByLabel('Only adapter').inputValue()).toBe('routing@3');
      await page.getByRole('img', { name: /^Abstentions: ADAPTER over time/ }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Show all answers' }).click();
      await page.waitForURL((url) => !url.searchParams.has('adapter'));
      expect(await page.getByLabel('Only adapter').inputValue()).toBe('');
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'shows an alert that is raised meanwhile, and lets people acknowledge and resolve it',
    async () => {
      // However many that were resolved are newer, those that wait come first.
      const open = await database.prisma.alert.findFirstOrThrow({ where: { status: 'OPEN' } });
      const resolved = { status: 'RESOLVED', resolvedBy: 'graft', resolvedAt: new Date(), source: 'rule:gone' };
      await database.prisma.alert.createMany({
        data: Array.from({ length: 31 }, () => ({ ...open, ...resolved, id: newId() })),
      });
      const page = await browser.open('/monitoring');
      await page.getByTestId('alert').first().getByText('Open', { exact: true }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Show older alerts that were resolved' }).click(PATIENCE);
      await client.request(SetAlertRuleDocument, {
        input: { name: 'slow answers', metric: 'LATENCY', side: 'ABOVE', threshold: 0.1, beyond: 1 },
      });
      for (let i = 0; i < 40; i++) await plantAnswer(database, DEFAULT_WORKSPACE_ID, {});
      const slow = page.getByTestId('alert').filter({ hasText: 'slow answers' });
      await slow.waitFor(PATIENCE);
      await slow.getByRole('button', { name: 'Acknowledge' }).click();
      await slow.getByText('Acknowledged', { exact: true }).waitFor(PATIENCE);
      await slow.getByText('acknowledged by local').waitFor(PATIENCE);
      await slow.getByRole('button', { name: 'Resolve' }).click();
      await slow.getByText('Resolved', { exact: true }).waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'sets an alert rule in a form, and deletes it once a dialog has asked',
    async () => {
      const page = await browser.open('/monitoring');
      await page.getByRole('button', { name: 'New alert rule' }).click(PATIENCE);
      await page.getByLabel('Name').fill('unsure');
      await page.getByRole('combobox', { name: 'Alert where' }).click();
      await page.getByRole('option', { name: 'confidence' }).click();
      await page.getByRole('combobox', { name: 'are' }).click();
      await page.getByRole('option', { name: 'below' }).click();
      await page.getByRole('textbox', { name: 'Percent' }).fill('60');
      await page.getByRole('button', { name: 'Set the rule' }).click();
      const rule = page.getByTestId('alert-rule').filter({ hasText: 'unsure' });
      await rule.getByText('confidence below 60 %').waitFor(PATIENCE);
      await rule.getByRole('button', { name: 'Delete the rule unsure' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      await rule.waitFor({ state: 'detached', ...PATIENCE });
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'draws answers to review, and says from their reviews how many are right',
    async () => {
      const page = await browser.open('/monitoring?span=7d');
      const quality = page.getByTestId('quality');
      await quality
        .getByText('Not known yet: 0 answers drawn at random and reviewed, 10 more wanted.')
        .waitFor(PATIENCE);
      await quality.getByRole('button', { name: 'Draw 50 to review' }).click();
      await quality.getByRole('link', { name: 'Review 50 drawn answers' }).waitFor(PATIENCE);
      await database.pool.query(`
        WITH item AS (SELECT * FROM review_item ORDER BY id LIMIT 12),
        said AS (
          INSERT INTO feedback (id, workspace_id, answer_id, kind, source_kind, source_name, digest, agrees)
          SELECT gen_random_uuid(), workspace_id, answer_id, 'FEEDBACK', 'HUMAN', 'anna', subject, true FROM item
          RETURNING id, answer_id),
        seen AS (
          INSERT INTO review (item_id, workspace_id, reviewer, done_at, feedback_ids)
          SELECT item.id, workspace_id, 'anna', now(), ARRAY[said.id] FROM item JOIN said USING (answer_id))
        UPDATE review_item SET done = 1 WHERE id IN (SELECT id FROM item)`);
      await page.reload();
      await quality.getByText(/^Right: \d+ % \(\d+ to \d+\), from 12 reviewed and 2\d\d answers\.$/).waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'says what was refused, not that there is nothing',
    async () => {
      const page = await browser.open('/monitoring');
      const errors = [{ message: 'Your role may not see it.', extensions: { code: 'FORBIDDEN' } }];
      await page.route('**/graphql', (route) =>
        route.request().postData()?.includes('query Drift ') ? route.fulfill({ json: { errors } }) : route.continue(),
      );
      await page.reload();
      await page.getByText('Your role may not see it.').waitFor(PATIENCE);
      expect(await page.getByText('Once there are answers').count()).toBe(0);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'holds no more of what it has shown the longer it is open',
    async () => {
      const page = await browser.open('/monitoring?span=6h&by=STRATEGY');
      await page.clock.install();
      let answered = 0;
      page.on('response', (response) => {
        if (response.request().postData()?.includes('query Monitoring(')) answered += 1;
      });
      await page.reload();
      const devtools = await page.context().newCDPSession(page);
      const held = async (): Promise<number> => {
        await devtools.send('HeapProfiler.collectGarbage');
        return (await devtools.send('Runtime.getHeapUsage')).usedSize;
      };
      const looks = async (times: number) => {
        for (let i = 0; i < times; i += 1) {
          await eventually('every chart', () => answered >= CHARTS, 90_000);
          answered = 0;
          await page.clock.runFor(15_000);
        }
      };
      await looks(10);
      const before = await held();
      await looks(40);
      // Where the cache kept each look it was more than a megabyte a look.
      expect((await held()) - before).toBeLessThan(3e6);
      await page.context().close();
    },
    600_000,
  );

  for (const view of VIEWS)
    itInBrowser(
      `has nothing that axe-core calls serious, and fits its window: ${view.name}`,
      async () => {
        const page = await browser.open('/monitoring?span=6h', view);
        await page.getByTestId('series-CONFIDENCE').waitFor(PATIENCE);
        await page.getByTestId('drift').first().waitFor(PATIENCE);
        await keepScreenshot(page, `monitoring-${view.name}`);
        expect(await seriousFaults(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await page.context().close();
      },
      120_000,
    );

  itInBrowser('complains about nothing and asks nobody else', () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.foreign).toEqual([]);
    return Promise.resolve();
  });
});
