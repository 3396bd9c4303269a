/** The console of a gateway that asks everybody who they are. */
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateApiKeyDocument,
  CreateCollectionDocument,
  RevokeApiKeyDocument,
} from '../../src/client/operations/index.js';
import type { ConsoleBrowser } from '../support/console-browser.js';
import { consoleStand, itInBrowser, signInBy, type ConsoleStand } from '../support/console-stand.js';
import { firstKey } from '../support/first-key.js';
import type { GraftProgram } from '../support/graft-program.js';
import { OidcProvider } from '../support/oidc-provider.js';

const PATIENCE = { timeout: 60_000 };

describe('signing in to the console', () => {
  let provider: OidcProvider;
  let stand: ConsoleStand;
  let graft: GraftProgram;
  let browser: ConsoleBrowser;
  let key: string;

  beforeAll(async () => {
    provider = await OidcProvider.start();
    provider.tokensAt = provider.issuer.replace('127.0.0.1', 'localhost');
    const env = { GRAFT_REQUIRE_KEY: 'on', ...signInBy(provider, 'staff=EDIT') };
    stand = await consoleStand(env, async (made) => {
      key = await firstKey(made);
    });
    ({ graft, browser } = stand);
  }, 240_000);
  afterAll(async () => {
    await stand.stop();
    await provider.stop();
  });

  const signInShown = (page: Awaited<ReturnType<ConsoleBrowser['open']>>) =>
    page.getByRole('heading', { name: 'Sign in to Graft' });

  itInBrowser(
    'by a key: a wrong one is refused, a right one opens the page that was asked for and stays in the tab alone',
    async () => {
      const page = await browser.open('/knowledge');
      await signInShown(page).waitFor(PATIENCE);
      await page.getByLabel('Key').fill(`${key.slice(0, -4)}AAAA`);
      await page.getByRole('button', { name: 'Use the key' }).click();
      await page.getByText('does not take this key').waitFor(PATIENCE);
      await page.getByLabel('Key').fill(key);
      await page.getByRole('button', { name: 'Use the key' }).click();
      await page.getByRole('heading', { level: 1, name: 'Knowledge' }).waitFor(PATIENCE);
      expect(page.url()).toBe(`${graft.url}/knowledge`);
      expect(await page.context().cookies()).toEqual([]);
      const kept = await page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
      expect(kept).not.toContain(key.slice(20));
      const other = await page.context().newPage();
      await other.goto(`${graft.url}/knowledge`);
      await signInShown(other).waitFor(PATIENCE);
      await page.context().close();
    },
    180_000,
  );

  /** A key that may be ended, and the page that it opened in a tab of its own. */
  const signedIn = async (path: string, heading: string, role: 'ASK' | 'ADMIN') => {
    const client = new GraftClient(graft.url, key);
    const { createApiKey } = await client.request(CreateApiKeyDocument, { input: { name: 'guest', role } });
    const page = await browser.open(path);
    await signInShown(page).waitFor(PATIENCE);
    await page.getByLabel('Key').fill(createApiKey.token);
    await page.getByRole('button', { name: 'Use the key' }).click();
    await page.getByRole('heading', { level: 1, name: heading }).waitFor(PATIENCE);
    const revoke = () => client.request(RevokeApiKeyDocument, { input: { id: createApiKey.key.id } });
    return { client, page, token: createApiKey.token, revoke };
  };
  const tokenIn = (page: Awaited<ReturnType<ConsoleBrowser['open']>>) =>
    page.evaluate(() => sessionStorage.getItem('graft:token'));

  itInBrowser(
    'shows the next person in the tab nothing that was answered to the one before',
    async () => {
      const name = 'of-the-one-before';
      await new GraftClient(graft.url, key).request(CreateCollectionDocument, { input: { name } });
      const { page, revoke } = await signedIn('/knowledge', 'Knowledge', 'ADMIN');
      await page.getByText(name).first().waitFor(PATIENCE);
      await revoke();
      await page.getByRole('link', { name: 'Models', exact: true }).click();
      await signInShown(page).waitFor(PATIENCE);
      // Whatever is shown from here on the page had kept.
      await page.route('**/graphql', () => undefined);
      await page.getByLabel('Key').fill(key);
      await page.getByRole('button', { name: 'Use the key' }).click();
      await page.getByRole('link', { name: 'Knowledge', exact: true }).click(PATIENCE);
      await page.getByRole('heading', { level: 1, name: 'Knowledge' }).waitFor(PATIENCE);
      expect(await page.getByText(name).count()).toBe(0);
      await page.context().close();
    },
    180_000,
  );

  itInBrowser(
    'is ended by whoever signed in, and by no link',
    async () => {
      const { page, token } = await signedIn('/knowledge', 'Knowledge', 'ASK');
      await page.goto(`${graft.url}/sign-in?code=anything&state=guessed`);
      await page.getByRole('link', { name: 'Knowledge', exact: true }).waitFor(PATIENCE);
      expect([await tokenIn(page), new URL(page.url()).search]).toEqual([token, '']);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await signInShown(page).waitFor(PATIENCE);
      expect(await tokenIn(page)).toBeNull();
      await page.context().close();
    },
    180_000,
  );

  itInBrowser(
    'goes on with the new key where somebody replaces their own at once, and shows each token until it is kept',
    async () => {
      const { page, token } = await signedIn('/access', 'Access', 'ADMIN');
      await page.getByLabel('What it is for').fill('another');
      await page.getByRole('button', { name: 'Make the key' }).click();
      await page.getByTestId('token').waitFor(PATIENCE);
      const own = page.getByTestId('key').filter({ hasText: 'yours' });
      await own.getByRole('combobox').click();
      await page.getByRole('option', { name: 'at once' }).click();
      await own.getByRole('button', { name: 'Replace' }).click();
      await page.getByText('This tab is signed in by it').waitFor(PATIENCE);
      const next = await page.getByTestId('token').first().innerText();
      expect([next === token, await tokenIn(page), await page.getByTestId('token').count()]).toEqual([false, next, 2]);
      await own.filter({ hasText: next.slice(0, 16) }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'I have kept it' }).first().click();
      expect(await page.getByTestId('token').count()).toBe(1);
      await page.context().close();
    },
    180_000,
  );

  itInBrowser(
    'saves no refusal as a file: it is shown, and who may no more is asked again who they are',
    async () => {
      const { page, revoke } = await signedIn('/audit', 'Audit', 'ADMIN');
      const saved: string[] = [];
      page.on('download', (download) => saved.push(download.suggestedFilename()));
      const button = page.getByRole('link', { name: 'Export these days' });
      const errors = [{ message: 'The disk can’t be read.', extensions: { code: 'STORAGE_FAILED' } }];
      await page.route('**/audit.ndjson*', (route) => route.fulfill({ status: 503, json: { errors } }));
      await button.click();
      await page.getByText('The disk can’t be read.').waitFor(PATIENCE);
      await page.unroute('**/audit.ndjson*');
      await Promise.all([page.waitForEvent('download', PATIENCE), button.click()]);
      expect([saved, await page.getByText('The disk can’t be read.').count()]).toEqual([['audit.ndjson'], 0]);
      await revoke();
      await button.click();
      await signInShown(page).waitFor(PATIENCE);
      expect(saved).toHaveLength(1);
      await page.context().close();
    },
    180_000,
  );

  itInBrowser(
    'by the provider, which gives tokens elsewhere, with PKCE: the person comes back to where they were; an answer that nobody began is refused',
    async () => {
      const page = await browser.open('/knowledge');
      await page.getByRole('button', { name: /^Sign in with 127\.0\.0\.1/ }).click(PATIENCE);
      await page.getByRole('heading', { level: 1, name: 'Knowledge' }).waitFor(PATIENCE);
      expect(page.url()).toBe(`${graft.url}/knowledge`);
      await page.context().close();

      const stranger = await browser.open('/sign-in?code=stolen&state=guessed');
      await stranger.getByText('not the end of a sign-in that was begun in this tab').waitFor(PATIENCE);
      expect(stranger.url()).not.toContain('stolen');
      await stranger.context().close();
    },
    180_000,
  );
});
