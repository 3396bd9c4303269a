import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { packageRoot } from '../../src/platform/package-root.js';
import { chromiumPath } from '../support/chromium.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { itWhen } from '../support/skip.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');
const screenshots = join(packageRoot(), 'test', '.tmp', 'screenshots');

describe('the Playground', () => {
  let gateway: ProbeGateway;
  let browser: Browser | undefined;
  let page: Page;
  const complaints: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    gateway = await startProbeGateway({ playgroundFolder: join(packageRoot(), 'dist', 'playground') });
    if (executablePath === null) return;
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(gateway.url) && !url.startsWith('data:')) foreign.push(url);
    });
    mkdirSync(screenshots, { recursive: true });
    await page.goto(`${gateway.url}/playground`);
    // The editor is there once it shows the first tab.
    await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: '{' }).waitFor();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await gateway.close(100);
  });

  /** Runs a document in a fresh tab, as a user who pastes it. */
  async function run(name: string, document: string): Promise<void> {
    const tabs = page.locator('.graphiql-tab-button');
    const before = await tabs.count();
    await page.locator('.graphiql-tab-add').click();
    await tabs.nth(before).waitFor();
    await page.locator('.graphiql-query-editor .view-lines').filter({ hasNotText: /[a-z]/ }).click();
    await page.keyboard.insertText(document);
    await page.locator('.graphiql-tab-active').filter({ hasText: name }).waitFor();
    // GraphiQL reads the operation's name a moment after the last key.
    await page.waitForTimeout(1_000);
    await page.keyboard.press('ControlOrMeta+Enter');
  }

  const response = (text: string) =>
    page
      .locator('.result-window')
      .filter({ hasText: new RegExp(text.replaceAll(' ', '\\s*')) })
      .waitFor({ timeout: 20_000 });

  const sidebar = () => page.getByRole('region', { name: 'Operations' });

  itInBrowser('lists the operations that ship by flow, and opens one tab only', async () => {
    expect(await sidebar().getByRole('heading').allTextContents()).toEqual(
      expect.arrayContaining(['Ask', 'Knowledge', 'Models', 'Data', 'Runs', 'System']),
    );
    expect(await page.locator('.graphiql-tab-button').count()).toBe(1);
    await page.screenshot({ path: join(screenshots, 'playground.png') });
  });

  itInBrowser('finds an operation by its words, and opens it with its variables at one click', async () => {
    await page.getByLabel('Search operations').fill('knowledge ingest');
    await sidebar()
      .getByRole('button', { name: /^IngestDocuments\b/ })
      .click();
    await page.locator('.graphiql-tab-active').filter({ hasText: 'IngestDocuments' }).waitFor();
    await page.locator('.graphiql-query-editor .view-lines').filter({ hasText: 'ingestDocuments' }).waitFor();
    await page.locator('.graphiql-editor-tool .view-lines').filter({ hasText: 'idempotencyKey' }).waitFor();
  });

  itInBrowser('goes back to the open tab of an operation instead of opening it twice', async () => {
    const before = await page.locator('.graphiql-tab-button').count();
    await page.getByLabel('Search operations').fill('');
    await sidebar()
      .getByRole('button', { name: /^Ask\b/ })
      .first()
      .click();
    await page.locator('.graphiql-tab-active').filter({ hasText: 'Ask' }).waitFor();
    expect(await page.locator('.graphiql-tab-button').count()).toBe(before);
  });

  itInBrowser('runs a query', async () => {
    await run('Echo', 'query Echo { echo(text: "from the browser") }');
    await response('"echo": "from the browser"');
    await page.screenshot({ path: join(screenshots, 'query.png') });
  });

  itInBrowser('fills the id of an earlier result into the variables of the next operation', async () => {
    // So short that the editor shows it in one line.
    const id = Buffer.from('Evaluation:1').toString('base64');
    await run('Seen', `query Seen { id: echo(text: "${id}") name: echo(text: "found earlier") }`);
    await response(`"id": "${id}"`);
    await page.getByLabel('Search operations').fill('EvaluationRows');
    await sidebar()
      .getByRole('button', { name: /^EvaluationRows\b/ })
      .click();
    const variables = page.locator('.graphiql-editor-tool .view-lines');
    await variables.filter({ hasText: 'the id of an evaluation' }).waitFor();
    await sidebar()
      .getByRole('button', { name: /^Evaluation\s*found earlier/ })
      .click();
    await variables.filter({ hasText: id }).waitFor();
    expect(await variables.filter({ hasText: 'the id of an evaluation' }).count()).toBe(0);
    await page.getByLabel('Search operations').fill('');
  });

  itInBrowser('follows a subscription to its end', async () => {
    await run('Count', 'subscription Count { counter(to: 5, everyMs: 50) }');
    await response('"counter": 5');
    await page.screenshot({ path: join(screenshots, 'subscription.png') });
  });

  itInBrowser('needs nothing from elsewhere, and breaks no rule of its content security policy', async () => {
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('is served under a policy that allows no inline script and no other origin', async () => {
    const reply = await fetch(`${gateway.url}/playground/`);
    const policy = reply.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(await reply.text()).not.toMatch(/<script(?![^>]*src=)/);
  });
});
