import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftClient } from '../../src/client/graft-client.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import {
  AddDatasetVersionDocument,
  CreateDatasetDocument,
  ImportProgressDocument,
} from '../../src/client/operations/index.js';
import { type ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import { addComparison, addMeasuredAdapter, addRouter } from '../support/console-seeds.js';
import type { GraftProgram } from '../support/graft-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PATIENCE = { timeout: 90_000 };

const csv = (head: string, row: (i: number) => string) =>
  [head, ...Array.from({ length: 60 }, (_, i) => row(i))].join('\n');
const labelled = () =>
  csv('text,label', (i) => `Parcel ${1_000 + 37 * i} from ${i} Lane Street,${i % 2 ? 'late' : 'lost'}`);
const translated = () =>
  csv('source,target', (i) => `Boat ${31 * i} sails at ${i},El barco ${31 * i} zarpa a las ${i}`);

describe('the console, on which strategy to use,', () => {
  let stand: ConsoleStand;
  let graft: GraftProgram;
  let browser: ConsoleBrowser;
  let comparison: string;

  beforeAll(async () => {
    stand = await consoleStand();
    ({ graft, browser } = stand);
    comparison = `/compare/${encodeURIComponent(toGlobalId('StrategyComparisonRun', await addComparison(stand.database)))}`;
    for (let newer = 0; newer < 20; newer += 1) await addComparison(stand.database);
  }, 240_000);
  afterAll(() => stand.stop());

  itInBrowser(
    'says what a comparison found in one sentence, as bars with intervals that can be saved, and pair by pair',
    async () => {
      const page = await browser.open('/compare');
      await page.getByText('HYBRID has the best macro-F1').first().waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Show older comparisons' }).click(PATIENCE);
      await page.getByRole('link', { name: 'deleted rows' }).nth(20).click(PATIENCE);
      await page.getByTestId('comparison-sentence').getByText('Adapter and retrieval').waitFor(PATIENCE);
      await page.getByRole('img', { name: /Retrieval 0\.84, Adapter 0\.9, Adapter and retrieval 0\.93/ }).waitFor();
      const pairs = page.getByRole('table', { name: 'Each two strategies on the same rows' });
      expect(await pairs.getByRole('row').count()).toBe(7);
      await pairs.getByText('none shown').waitFor();
      await page.getByLabel('Save: Macro-F1 of each strategy').click();
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'CSV' }).click(),
      ]);
      expect(readFileSync(await saved.path(), 'utf8').split('\n')[1]).toMatch(/^Base model,0\.21,0\.1\d*,0\.25/);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'shows how well the router knows its places, and lets it decide and only observe again',
    async () => {
      const page = await browser.open('/router');
      await page.getByText('No router yet').waitFor(PATIENCE);
      await addRouter(stand.database);
      await page.reload();
      await page.getByRole('cell', { name: '0.980' }).waitFor(PATIENCE);
      const mode = page.getByRole('switch');
      expect(await mode.isChecked()).toBe(false);
      for (const said of ['Answers are made with what it chose.', 'It only observes']) {
        await mode.click();
        await page.getByText(said).waitFor(PATIENCE);
      }
      expect(await mode.isChecked()).toBe(false);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'shows where each question of a pasted list would go, and what a change moved of them',
    async () => {
      const page = await browser.open('/what-if');
      await page.getByLabel('Questions').fill('How long is a parcel on its way?\nWho won the cup?\tDOCUMENTS');
      await page.getByRole('button', { name: 'Show where they go' }).click(PATIENCE);
      const table = page.getByRole('table', { name: 'Where each question would go' });
      await table.getByText('Who won the cup?').waitFor(PATIENCE);
      // There is no document: what was expected to be read is first.
      expect(await table.getByRole('row').nth(1).innerText()).toMatch(/Who won the cup\?[^]*NOBODY[^]*DOCUMENTS/);
      await page.getByText('0.0 % (0.0 % to 97.5 %) of 1 question.').waitFor();
      expect([await seriousFaults(page), (await overflow(page)) > 0]).toEqual([[], false]);
      await page.getByRole('button', { name: 'Expect these destinations' }).click();
      await page.getByRole('button', { name: 'Show where they go' }).click();
      await page.getByText('100.0 % (15.8 % to 100.0 %) of 2 questions.').waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'shows what an adapter’s training took, deletes one version of it, and all of it only where its alias is given up, too',
    async () => {
      await addMeasuredAdapter(stand.database, 'unneeded', [
        { quality: 0.7, ratio: 1.02 },
        { quality: 0.9, ratio: 1.01, alias: 'production' },
      ]);
      const page = await browser.open('/adapters/unneeded');
      const versions = page.getByTestId('adapter-version');
      const dialog = page.getByRole('dialog');
      const cost =
        'its steps took 4 min 0 s at 410 tokens/s (estimated: 5 min 0 s), 1.2 GB of memory (estimated: 1.4 GB)';
      await versions.first().getByText(cost).waitFor(PATIENCE);
      await versions.nth(1).getByRole('button', { name: 'Delete' }).click(PATIENCE);
      await dialog.getByText('Answers stay and say that their adapter was deleted.').waitFor(PATIENCE);
      expect([await seriousFaults(page), (await overflow(page)) > 0]).toEqual([[], false]);
      await dialog.getByRole('button', { name: 'Delete version 1' }).click();
      await dialog.waitFor({ state: 'hidden', ...PATIENCE });
      await page.getByText('Version 1', { exact: true }).waitFor({ state: 'hidden', ...PATIENCE });
      expect(await versions.count()).toBe(1);
      await page.getByRole('button', { name: 'Delete adapter' }).click();
      const all = dialog.getByRole('button', { name: 'Delete unneeded' });
      expect(await all.isDisabled()).toBe(true);
      await dialog.getByRole('checkbox').click();
      await all.click();
      await page.getByText('There is no such adapter').waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'goes on from a version that learned the same task, and from none of another task',
    async () => {
      await addMeasuredAdapter(stand.database, 'routing', [{ quality: 0.7, ratio: 1.02 }]);
      const client = new GraftClient(graft.url);
      const { path, remove } = await temporaryFolder();
      for (const [name, task, text] of [
        ['messages', 'CLASSIFICATION', labelled()],
        ['sentences', 'TRANSLATION', translated()],
      ] as const) {
        await writeFile(join(path, `${name}.csv`), text);
        const file = await client.upload(join(path, `${name}.csv`));
        await client.request(CreateDatasetDocument, { input: { name, task } });
        const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
          input: { dataset: name, files: [{ file }], idempotencyKey: name },
        });
        for await (const event of client.subscribe(ImportProgressDocument, { runId: addDatasetVersion.run.id }))
          void event;
      }
      client.close();
      await remove();
      const page = await browser.open('/training');
      await page.getByRole('button', { name: 'Train an adapter' }).first().click(PATIENCE);
      const dialog = page.getByRole('dialog');
      const choose = async (field: string, option: RegExp) => {
        await dialog.getByRole('combobox', { name: field }).click(PATIENCE);
        await page.getByRole('option', { name: option }).click();
      };
      const from = dialog.getByRole('combobox', { name: 'Goes on from' });
      await dialog.getByLabel('Adapter').fill('routing');
      await choose('Rows to learn', /^sentences/);
      await dialog.getByTestId('training-estimate').waitFor(PATIENCE);
      expect(await from.count()).toBe(0);
      await choose('Rows to learn', /^messages/);
      await choose('Goes on from', /^routing@1$/);
      expect([await seriousFaults(page), (await overflow(page)) > 0]).toEqual([[], false]);
      const [sent] = await Promise.all([
        page.waitForRequest((request) => request.postData()?.includes('startTraining(') ?? false),
        dialog.getByRole('button', { name: 'Start training' }).click(),
      ]);
      expect(sent.postDataJSON()).toMatchObject({ variables: { input: { adapter: 'routing', parent: 'routing@1' } } });
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'begins no comparison on the rows of the dataset that was chosen before',
    async () => {
      const page = await browser.open('/compare');
      const button = page.getByRole('button', { name: 'Compare', exact: true });
      const dataset = page.getByRole('combobox', { name: 'Dataset' });
      await page.getByRole('combobox', { name: 'Version' }).and(page.locator('[value^="Version"]')).waitFor(PATIENCE);
      const other = (await dataset.inputValue()) === 'messages' ? 'sentences' : 'messages';
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      await page.route('**/graphql', async (route) => {
        const asked = route.request().postDataJSON() as { operationName: string; variables: { name?: string } };
        if (asked.operationName === 'ComparedVersions' && asked.variables.name === other) await released;
        await route.continue();
      });
      await dataset.click();
      await page.getByRole('option', { name: other }).click();
      expect(await button.isDisabled()).toBe(true);
      release();
      await page.getByRole('combobox', { name: 'Version' }).and(page.locator('[value^="Version"]')).waitFor(PATIENCE);
      expect([await dataset.inputValue(), await button.isDisabled()]).toEqual([other, false]);
      await page.context().close();
    },
    120_000,
  );

  for (const view of VIEWS)
    itInBrowser(
      `has no serious fault and fits its window there: ${view.name}`,
      async () => {
        for (const [name, path] of [
          ['comparison', comparison],
          ['router', '/router'],
        ] as const) {
          const page = await browser.open(path, view);
          await page.getByRole('table').first().waitFor(PATIENCE);
          await keepScreenshot(page, `${name}-full-${view.name}`);
          expect([path, await seriousFaults(page)]).toEqual([path, []]);
          expect([path, (await overflow(page)) > 0]).toEqual([path, false]);
          await page.context().close();
        }
      },
      120_000,
    );

  itInBrowser('needs nothing from elsewhere there, and breaks no rule of its policy', async () => {
    expect(browser.foreign).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });
});
