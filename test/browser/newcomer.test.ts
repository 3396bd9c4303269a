import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser, keepScreenshot } from '../support/console-browser.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';
import { pdf } from '../unit/knowledge/files.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');

const FACT = 'The lifeboat of Kestrel Sound holds 24 people.';
/** Longest wait for a model on a busy machine. */
const PATIENCE = { timeout: 120_000 };

describe('a newcomer', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram | undefined;
  let browser: ConsoleBrowser | undefined;

  beforeAll(async () => {
    home = await temporaryHome({ first: true });
  });
  afterAll(async () => {
    await browser?.close();
    graft?.child.kill('SIGTERM');
    await graft?.ended;
    await home.remove();
  });

  itInBrowser(
    'gets from an empty home to an answer marked in a PDF of their own, on the page that the start prints',
    async () => {
      const begun = performance.now();
      graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
      browser = await ConsoleBrowser.launch(executablePath!, graft.url);
      const page = await browser.open('/');
      const started = performance.now();
      await page.getByRole('heading', { name: 'Begin with a document of your own' }).waitFor();
      await keepScreenshot(page, 'newcomer-first');
      await page.getByLabel('Files').setInputFiles({
        name: 'ferry.pdf',
        mimeType: 'application/pdf',
        buffer: pdf([
          ['Ferries cross the sound twice a day.', FACT, 'Dogs travel free on the upper deck.'].map((text, i) => ({
            text,
            y: 700 - 40 * i,
          })),
        ]),
      });
      await page.getByText('ferry.pdf', { exact: true }).waitFor();
      const look = (tab: string) => page.getByRole('tab', { name: tab }).click();
      await look('History');
      await look('Answer');
      await page.getByText('ferry.pdf', { exact: true }).waitFor();
      await page.getByText('1 document can be asked about').waitFor(PATIENCE);
      await page.getByText('indexed', { exact: true }).waitFor();
      await page.getByLabel('Question').fill('How many people does the lifeboat hold?');
      await page.keyboard.press('Enter');
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.getByRole('button', { name: FACT }).first().click();
      await page.locator('mark').filter({ hasText: FACT }).waitFor();
      await keepScreenshot(page, 'newcomer-place');
      const seconds = (from: number) => ((performance.now() - from) / 1_000).toFixed(1);
      console.log(`From the start: ${seconds(begun)} s, of which in the browser ${seconds(started)} s.`);
      expect(browser.complaints).toEqual([]);
    },
    300_000,
  );
});
