import { GraftClient } from '../../src/client/graft-client.js';
import { AuditLogDocument, MeDocument } from '../../src/client/operations/index.js';
import { type ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { consoleStand, itInBrowser, type ConsoleStand } from '../support/console-stand.js';
import type { GraftProgram } from '../support/graft-program.js';

const PATIENCE = { timeout: 90_000 };

describe('the console’s pages of access, budgets and audit', () => {
  let stand: ConsoleStand;
  let graft: GraftProgram;
  let browser: ConsoleBrowser;

  beforeAll(async () => {
    stand = await consoleStand();
    ({ graft, browser } = stand);
  }, 240_000);
  afterAll(() => stand.stop());

  itInBrowser(
    'say what to do where there is no key, make one that works and is shown once, replace it and revoke it',
    async () => {
      const page = await browser.open('/access?role=EDIT&groups=people&days=30');
      await page.getByTestId('without-keys').getByText('graft keys create --role ADMIN').waitFor(PATIENCE);
      await page.getByLabel('What it is for').fill('nightly import');
      await page.getByRole('button', { name: 'Make the key' }).click();
      const token = await page.getByTestId('token').innerText(PATIENCE);
      const mine = await new GraftClient(graft.url, token).request(MeDocument, {});
      expect(mine.me).toMatchObject({ role: 'EDIT', key: { name: 'nightly import' } });
      expect(page.url()).not.toContain(token.slice(20));
      await page.getByRole('button', { name: 'I have kept it' }).click();
      expect(await page.getByText(token).count()).toBe(0);

      const row = page.getByTestId('key').filter({ hasText: token.slice(0, 16) });
      await row.getByText('people').waitFor(PATIENCE);
      await row.getByRole('button', { name: /^Replace/ }).click();
      const next = await page.getByTestId('token').innerText(PATIENCE);
      expect(next).not.toBe(token);
      // Both work while they overlap.
      for (const each of [token, next])
        expect((await new GraftClient(graft.url, each).request(MeDocument, {})).me.key!.name).toBe('nightly import');

      const replaced = page.getByTestId('key').filter({ hasText: next.slice(0, 16) });
      await replaced.getByRole('button', { name: 'Revoke' }).click();
      await replaced.getByRole('button', { name: 'Revoke for good' }).click();
      await replaced.waitFor({ state: 'detached', ...PATIENCE });
      await page.getByText('Expired and revoked').click();
      await page.waitForURL(/show=ended/);
      await page
        .getByTestId('key')
        .filter({ hasText: next.slice(0, 16) })
        .getByText('Revoked', { exact: true })
        .waitFor(PATIENCE);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'show what is spent of a budget, and set one of a key and of the workspace',
    async () => {
      const page = await browser.open('/budgets?window=MONTH');
      await page.getByRole('textbox', { name: 'Requests' }).fill('1000');
      await page.getByRole('textbox', { name: 'Training, minutes' }).fill('600');
      await page.getByRole('button', { name: 'Set the budget' }).click();
      const workspace = page.getByTestId('budgets-of').filter({ hasText: 'Workspace' });
      await workspace.getByText('0 of 1,000').waitFor(PATIENCE);
      await workspace.getByText('0 of 600').waitFor(PATIENCE);
      await page.reload();
      await page.getByTestId('budgets-of').getByText('A month').waitFor(PATIENCE);
      expect(await page.getByRole('textbox', { name: 'Requests' }).inputValue()).toBe('1,000');

      await page.goto(`${graft.url}/access`);
      await page.getByTestId('key').first().getByRole('link', { name: 'Budget' }).click();
      await page.waitForURL(/\/budgets\?of=/);
      await page.getByRole('textbox', { name: 'Tokens' }).fill('500');
      await page.getByRole('button', { name: 'Set the budget' }).click();
      await page
        .getByTestId('budgets-of')
        .filter({ hasText: 'nightly import' })
        .getByText('0 of 500')
        .waitFor(PATIENCE);

      // No form of another's stands under the name of a key that has none.
      await page.goto(`${graft.url}/access?show=ended`);
      await page.getByTestId('key').first().getByRole('link', { name: 'Budget' }).click();
      await page.getByText('was revoked: it spends nothing').waitFor(PATIENCE);
      expect(await page.getByRole('button', { name: /the budget$/ }).count()).toBe(0);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'show who changed what, before and after, narrowed by what stands in the address, and give it as a file',
    async () => {
      const page = await browser.open('/audit');
      const entries = page.getByTestId('audit-entry');
      await entries.filter({ hasText: 'setBudget' }).first().waitFor(PATIENCE);
      await entries.filter({ hasText: 'revokeApiKey' }).first().waitFor(PATIENCE);
      await page.getByLabel('What', { exact: true }).fill('setBudget');
      await page.getByLabel('What', { exact: true }).press('Enter');
      await page.waitForURL(/what=setBudget/);
      await entries
        .filter({ hasText: 'revokeApiKey' })
        .first()
        .waitFor({ state: 'detached', ...PATIENCE });
      await entries.first().getByText('Before and after').click();
      await entries.first().getByText('"window": "DAY"').first().waitFor(PATIENCE);
      await page.reload();
      await entries.first().waitFor(PATIENCE);
      expect(await entries.count()).toBe(2);
      const href = await page.getByRole('link', { name: 'Export these days' }).getAttribute('href');
      const lines = (await (await fetch(`${graft.url}${href}`)).text()).trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { what: string }).what)).toEqual(
        expect.arrayContaining(['createApiKey', 'rotateApiKey', 'revokeApiKey', 'setBudget']),
      );

      // A field that is left as it was leaves the page of the list, too.
      const { auditLog } = await new GraftClient(graft.url).request(AuditLogDocument, { first: 1 });
      await page.goto(`${graft.url}/audit?after=${encodeURIComponent(auditLog.pageInfo.endCursor!)}`);
      await entries.first().waitFor(PATIENCE);
      for (const name of ['Who', 'What', 'Outcome']) await page.getByLabel(name, { exact: true }).focus();
      await page.getByRole('button', { name: 'Newest entries' }).focus();
      expect(new URL(page.url()).searchParams.has('after')).toBe(true);
      await page.context().close();
    },
    120_000,
  );

  for (const view of VIEWS)
    for (const [path, ready] of [
      ['/access?show=all', 'key'],
      ['/budgets', 'budgets-of'],
      ['/audit', 'audit-entry'],
    ] as const)
      itInBrowser(
        `${path} has nothing that axe-core calls serious, and fits its window: ${view.name}`,
        async () => {
          const page = await browser.open(path, view);
          await page.getByTestId(ready).first().waitFor(PATIENCE);
          await keepScreenshot(page, `${path.slice(1).split('?')[0]}-${view.name}`);
          expect(await seriousFaults(page)).toEqual([]);
          expect(await overflow(page)).toBeLessThanOrEqual(0);
          await page.context().close();
        },
        120_000,
      );

  itInBrowser('complain about nothing and ask nobody else', () => {
    expect(browser.complaints).toEqual([]);
    expect(browser.foreign).toEqual([]);
    return Promise.resolve();
  });
});
