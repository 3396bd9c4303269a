import type { Page } from 'playwright-core';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');

const FACT = 'The Orlo pump runs at 37 bar.';
const QUESTION = 'At what pressure does the Orlo pump run?';
const PATHS = [
  '/knowledge',
  '/knowledge/pumps',
  '/sources',
  '/data',
  '/training',
  '/adapters',
  '/compare',
  '/router',
  '/models',
  '/runs',
  '/system',
];
/** Longest wait for something that the model has to do on a busy machine. */
const PATIENCE = { timeout: 90_000 };

describe('the console', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let client: GraftClient;
  let browser: ConsoleBrowser;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    client = new GraftClient(graft.url);
    await client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
      input: {
        collection: 'pumps',
        idempotencyKey: 'pumps',
        documents: [{ name: 'orlo.txt', text: `${'Pumps are described here. '.repeat(40)}\n\n${FACT}` }],
      },
    });
    for await (const event of client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id }))
      void event;
    if (executablePath !== null) browser = await ConsoleBrowser.launch(executablePath, graft.url);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    client.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const ask = async (page: Page, question = QUESTION) => {
    await page.getByLabel('Question').fill(question);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
  };

  itInBrowser(
    'answers with evidence, and shows it marked in the document’s own text one click away',
    async () => {
      const page = await browser.open('/');
      await ask(page);
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.getByRole('button', { name: FACT }).click();
      expect(await page.locator('mark').textContent()).toBe(FACT);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'lets who reads an answer judge it, correct it and find it again, and goes on as a conversation',
    async () => {
      const page = await browser.open('/ask');
      expect(await page.getByLabel('Question').evaluate((field) => field === document.activeElement)).toBe(true);
      await ask(page);
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Right', exact: true }).click();
      await page.getByRole('button', { name: 'Right', exact: true, pressed: true }).waitFor();
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy the answer' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied).toBe(await page.getByTestId('answer-text').textContent());
      await page.getByRole('button', { name: 'Correct it' }).click();
      await page.getByLabel('What is right').fill('37 bar');
      await page.getByRole('button', { name: 'Save the correction' }).click();
      await page.getByText('Your correction is kept').waitFor();
      const { answers } = await client.request<{ answers: { edges: { node: { id: string; feedback: object[] } }[] } }>(
        '{ answers(first: 1) { edges { node { id feedback { score } } } } }',
      );
      const { id, feedback } = answers.edges[0]!.node;
      expect(feedback.length).toBeGreaterThan(0);
      await ask(page, 'What is described of pumps?');
      await page.getByRole('heading', { name: 'Asked before' }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'New conversation' }).click();
      await page.getByRole('heading', { name: 'Asked before' }).waitFor({ state: 'detached' });
      await page.goto(`${graft.url}/ask?answer=${encodeURIComponent(id)}`);
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.goto(`${graft.url}/ask`);
      await page.getByRole('button', { name: QUESTION }).click(PATIENCE);
      expect(await page.getByLabel('Question').inputValue()).toBe(QUESTION);
      await page.context().close();
    },
    180_000,
  );

  itInBrowser('can be entered behind its navigation by the first thing that the keyboard comes to', async () => {
    const page = await browser.open('/runs');
    const first = page.locator('a, button, input, textarea').first();
    expect(await first.textContent()).toBe('Skip to the page');
    await first.press('Enter');
    expect(new URL(page.url()).hash).toBe(`#${await page.locator('main').getAttribute('id')}`);
    await page.context().close();
  });

  itInBrowser('says that a question is too long, and cuts nothing of it', async () => {
    const page = await browser.open('/ask');
    await page.getByLabel('Question').fill('x'.repeat(9_000));
    await page.getByText('9,000 characters; at most 8,000 are read.').waitFor();
    expect(await page.getByRole('button', { name: 'Ask', exact: true }).isDisabled()).toBe(true);
    await page.context().close();
  });

  for (const view of VIEWS)
    itInBrowser(
      `has nothing that axe-core calls serious, and fits its window: ${view.name}`,
      async () => {
        const page = await browser.open('/ask', view);
        await ask(page);
        await page.getByTestId('answer-text').waitFor(PATIENCE);
        await keepScreenshot(page, `ask-${view.name}`);
        expect(await seriousFaults(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await page.context().close();
      },
      120_000,
    );

  for (const view of VIEWS)
    itInBrowser(
      `has no page that axe-core calls seriously faulty or that is wider than its window: ${view.name}`,
      async () => {
        for (const path of PATHS) {
          const page = await browser.open(path, view);
          await page.getByRole('status', { name: 'Loading' }).waitFor({ state: 'hidden' });
          await keepScreenshot(page, `${path.slice(1).replace('/', '-')}-${view.name}`);
          expect([path, await seriousFaults(page)]).toEqual([path, []]);
          expect([path, (await overflow(page)) > 0]).toEqual([path, false]);
          await page.context().close();
        }
      },
      400_000,
    );

  itInBrowser(
    'takes files with a hostile name, says what became of each, and shows the name as text',
    async () => {
      const page = await browser.open('/knowledge/pumps');
      const name = '<img src=x onerror=alert(1)> 🪴.md';
      await page.getByLabel('Files').setInputFiles([
        { name, mimeType: 'text/markdown', buffer: Buffer.from('# Valve\n\nThe Tarn valve opens at 9 bar.') },
        { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 and no more') },
      ]);
      await page.getByText('indexed', { exact: true }).waitFor(PATIENCE);
      await page.getByText('failed', { exact: true }).waitFor(PATIENCE);
      await page.getByRole('button', { name, exact: true }).waitFor(PATIENCE);
      expect(await page.locator('main img').count()).toBe(0);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'follows files to their end while another tab of their collection is looked at',
    async () => {
      await client.request(CreateCollectionDocument, { input: { name: 'valves' } });
      const page = await browser.open('/knowledge/valves');
      let release = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      await page.route('**/graphql', async (route) => {
        if (route.request().postData()?.includes('mutation IngestDocuments(')) await released;
        await route.continue();
      });
      const look = (tab: string) => page.getByRole('tab', { name: tab }).click();
      await page.getByLabel('Files').setInputFiles([
        { name: 'brine.txt', mimeType: 'text/plain', buffer: Buffer.from('The Brine valve opens at 4 bar.') },
        { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 and nothing') },
      ]);
      await page.getByRole('button', { name: 'Reading and indexing…' }).waitFor(PATIENCE);
      await look('Search bench');
      await look('Documents');
      await page.getByRole('button', { name: 'Reading and indexing…' }).waitFor();
      await look('Search bench');
      release();
      await page.getByText('1 document · ').waitFor(PATIENCE);
      await look('Documents');
      await page.getByText('indexed', { exact: true }).waitFor();
      await page.getByText('failed', { exact: true }).waitFor();
      await page.context().close();
    },
    200_000,
  );

  itInBrowser('lists what became of long work, and keeps one row for each run', async () => {
    const page = await browser.open('/runs');
    await page.getByTestId('run').first().waitFor(PATIENCE);
    expect(await page.getByTestId('run').first().textContent()).toContain('Ingestion');
    await page.context().close();
  });

  itInBrowser('needs nothing from elsewhere, and breaks no rule of its content security policy', async () => {
    expect(browser.foreign).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });

  itInBrowser(
    'says that the gateway is away, and answers the question that was asked meanwhile once it is back',
    async () => {
      const page = await browser.open('/ask');
      const { port } = new URL(graft.url);
      graft.child.kill('SIGTERM');
      await graft.ended;
      await ask(page);
      await page.getByText('The gateway does not answer').waitFor(PATIENCE);
      graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_PORT: port }).started;
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.getByText('The gateway does not answer').waitFor({ state: 'hidden' });
      await page.context().close();
    },
    240_000,
  );

  it('is served under a policy without inline scripts, with a nonce of its own each time', async () => {
    const load = async () => {
      const reply = await fetch(`${graft.url}/`, { headers: { accept: 'text/html' } });
      return { policy: reply.headers.get('content-security-policy')!, page: await reply.text() };
    };
    const [first, second] = [await load(), await load()];
    expect(first.policy).toContain("default-src 'none'");
    expect(first.policy).toMatch(/script-src 'self'(;|$)/);
    expect(first.policy).not.toBe(second.policy);
    expect(first.page).not.toMatch(/<script(?![^>]*src=)/);
  });

  it('answers any address of a page with the console, and the addresses of programs as before', async () => {
    const status = async (path: string, accept: string) =>
      (await fetch(`${graft.url}${path}`, { headers: { accept } })).status;
    expect(await status('/ask', 'text/html')).toBe(200);
    expect(await status('/no-such-thing', 'application/json')).toBe(404);
    expect(await status('/console/assets/none.js', '*/*')).toBe(404);
  });
});
