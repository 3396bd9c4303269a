/** A sign-in at a provider from its renewal to its end, in the console of a gateway that asks everybody who they are. */
import { type BrowserContext, type Page } from 'playwright-core';
import type { ConsoleBrowser } from '../support/console-browser.js';
import { consoleStand, itInBrowser, signInBy, type ConsoleStand } from '../support/console-stand.js';
import { eventually, until } from '../support/eventually.js';
import type { GraftProgram } from '../support/graft-program.js';
import { OidcProvider } from '../support/oidc-provider.js';

const PATIENCE = { timeout: 60_000 };
const QUESTION = 'What did I want to know before I was asked who I am?';

describe('a sign-in at the provider', () => {
  let provider: OidcProvider;
  let stand: ConsoleStand;
  let graft: GraftProgram;
  let browser: ConsoleBrowser;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    provider = await OidcProvider.start();
    // Without an administrator it would ask for a key of one first.
    stand = await consoleStand(signInBy(provider, 'staff=EDIT,operators=ADMIN'));
    ({ graft, browser } = stand);
  }, 240_000);
  afterAll(async () => {
    await stand.stop();
    await provider.stop();
  });
  beforeEach(() => {
    Object.assign(provider, { manner: 'well', subject: 'ada', lifeSeconds: 300, renews: true, renewing: 'well' });
    Object.assign(provider, {
      renewals: 0,
      reused: 0,
      endSession: undefined,
      revokes: true,
      revoked: 0,
      refusesPeople: false,
    });
    provider.signedOut.length = 0;
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  const signInShown = (page: Page) => page.getByRole('heading', { name: 'Sign in to Graft' });
  const byProvider = (page: Page) => page.getByRole('button', { name: /^Sign in with 127\.0\.0\.1/ });
  const question = (page: Page) => page.getByLabel('Question');
  const tokenIn = (page: Page): Promise<string | undefined> =>
    page.evaluate(() => (JSON.parse(sessionStorage.getItem('graft:signed-in') ?? '{}') as { access?: string }).access);

  const signedIn = async (path: string, heading: string, watch?: (page: Page) => void): Promise<Page> => {
    const page = await browser.open(path);
    contexts.push(page.context());
    watch?.(page);
    await byProvider(page).click(PATIENCE);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor(PATIENCE);
    return page;
  };
  /** A page on which a question was typed. */
  const asking = async (watch?: (page: Page) => void): Promise<Page> => {
    const page = await signedIn('/ask', 'Ask', watch);
    await question(page).fill(QUESTION);
    return page;
  };
  /** Signs in again in the window that a button opens. */
  const signInAgain = async (page: Page, button: ReturnType<typeof byProvider>): Promise<void> => {
    const [own] = await Promise.all([page.waitForEvent('popup', PATIENCE), button.click(PATIENCE)]);
    if (!own.isClosed()) await own.waitForEvent('close', PATIENCE);
  };

  itInBrowser(
    'is renewed in silence as long as somebody is there: streams go on, and no token is in an address or stays behind',
    async () => {
      provider.lifeSeconds = 8;
      const page = await browser.open('/monitoring');
      contexts.push(page.context());
      const [seen, addresses]: [Set<string>, string[]] = [new Set(), []];
      page.on('request', (request) => addresses.push(request.url()));
      page.on('websocket', (socket) =>
        socket.on('framesent', ({ payload }) => {
          const token = /Bearer ([\w.-]+)/.exec(String(payload))?.[1];
          if (token !== undefined) seen.add(token);
        }),
      );
      await byProvider(page).click(PATIENCE);
      await page.getByRole('heading', { level: 1, name: 'Monitoring' }).waitFor(PATIENCE);
      // The gateway ends the socket of each token with it.
      await eventually('sockets by three tokens', () => seen.size >= 3, 60_000);
      expect(await signInShown(page).count()).toBe(0);
      expect(provider.reused).toBe(0);
      for (const token of seen) expect(addresses.filter((url) => url.includes(token))).toEqual([]);
      expect(addresses.filter((url) => url.includes('refresh_token'))).toEqual([]);
      expect(await page.evaluate(() => JSON.stringify(Object.entries(localStorage)))).not.toContain('eyJ');
      expect(await page.context().cookies()).toEqual([]);
    },
    180_000,
  );

  itInBrowser(
    'that the provider does not renew ends with its token: the person is told before, and goes on where they were',
    async () => {
      provider.lifeSeconds = 12;
      const page = await asking();
      provider.renewing = 'refuses';
      await page.getByText('Your sign-in ends soon').waitFor(PATIENCE);
      await page.getByText('invalid_grant').waitFor(PATIENCE);
      await signInShown(page).waitFor(PATIENCE);
      expect([await question(page).isVisible(), provider.renewals, await tokenIn(page)]).toEqual([false, 1, undefined]);
      provider.lifeSeconds = 300;
      await signInAgain(page, byProvider(page));
      await question(page).waitFor(PATIENCE);
      expect(await question(page).inputValue()).toBe(QUESTION);
      expect([page.url(), await signInShown(page).count()]).toEqual([`${graft.url}/ask`, 0]);
      await page.getByRole('link', { name: 'Knowledge', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Knowledge' }).waitFor(PATIENCE);
    },
    180_000,
  );

  itInBrowser(
    'without a refresh token can be begun again before it ends, and nothing is lost',
    async () => {
      Object.assign(provider, { renews: false, lifeSeconds: 40 });
      const page = await asking();
      const before = await tokenIn(page);
      provider.lifeSeconds = 300;
      await signInAgain(page, page.getByRole('button', { name: 'Sign in again' }));
      await page.getByText('Your sign-in ends soon').waitFor({ state: 'hidden', ...PATIENCE });
      expect(await question(page).inputValue()).toBe(QUESTION);
      expect(await tokenIn(page)).not.toBe(before);
      expect(provider.renewals).toBe(0);
    },
    180_000,
  );

  itInBrowser(
    'is begun anew in the window where the provider refused it, and the page that waits gets it',
    async () => {
      Object.assign(provider, { renews: false, lifeSeconds: 40 });
      const page = await asking();
      const before = await tokenIn(page);
      Object.assign(provider, { refusesPeople: true, lifeSeconds: 300 });
      const again = page.getByRole('button', { name: 'Sign in again' });
      const [own] = await Promise.all([page.waitForEvent('popup', PATIENCE), again.click(PATIENCE)]);
      await own.getByText('access_denied').waitFor(PATIENCE);
      provider.refusesPeople = false;
      await Promise.all([own.waitForEvent('close', PATIENCE), byProvider(own).click(PATIENCE)]);
      await eventually('the page has the new token', async () => (await tokenIn(page)) !== before);
      expect(await question(page).inputValue()).toBe(QUESTION);
    },
    180_000,
  );

  itInBrowser(
    'leaves to whoever comes next nothing of the one before, dialogs included',
    async () => {
      Object.assign(provider, { renews: false, lifeSeconds: 10 });
      const page = await signedIn('/knowledge', 'Knowledge');
      await page.getByRole('button', { name: 'New collection' }).first().click(PATIENCE);
      const name = page.getByRole('dialog').getByLabel('Name');
      await name.fill('of-the-one-before');
      await signInShown(page).waitFor(PATIENCE);
      await name.waitFor({ state: 'hidden', ...PATIENCE });
      Object.assign(provider, { subject: 'bob', lifeSeconds: 300 });
      await signInAgain(page, byProvider(page));
      await page.getByRole('link', { name: 'Models', exact: true }).waitFor(PATIENCE);
      expect([await page.getByRole('dialog').count(), await signInShown(page).count()]).toEqual([0, 0]);
    },
    180_000,
  );

  itInBrowser(
    'ends at once where the provider renews it for somebody else',
    async () => {
      provider.lifeSeconds = 12;
      const sent: string[] = [];
      const page = await asking((opened) =>
        opened.on('request', (request) => sent.push(request.headers()['authorization'] ?? '')),
      );
      provider.renewing = 'for somebody else';
      await page.getByText('a token of somebody else').waitFor(PATIENCE);
      await signInShown(page).waitFor(PATIENCE);
      const subjects = sent.filter(Boolean).map((one) => {
        const payload = Buffer.from(one.split('.')[1]!, 'base64url').toString();
        return (JSON.parse(payload) as { sub: string }).sub;
      });
      expect([[...new Set(subjects)], await tokenIn(page)]).toEqual([['ada'], undefined]);
    },
    180_000,
  );

  itInBrowser(
    'outlives a provider that hangs by as long as its token; then it is asked who is there',
    async () => {
      provider.lifeSeconds = 60;
      const page = await asking();
      // As if it had been there for a while.
      await page.evaluate(() => {
        const kept = JSON.parse(sessionStorage.getItem('graft:signed-in')!) as { renewAt: number; endsAt: number };
        sessionStorage.setItem('graft:signed-in', JSON.stringify({ ...kept, renewAt: 0, endsAt: Date.now() + 25_000 }));
      });
      provider.renewing = 'hangs';
      await page.reload();
      await question(page).fill(QUESTION, PATIENCE);
      await until(() => provider.renewals > 0);
      await page.getByRole('link', { name: 'Models', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor(PATIENCE);
      await page.goBack();
      await question(page).fill(QUESTION);
      await signInShown(page).waitFor(PATIENCE);
      provider.renewing = 'well';
      await signInAgain(page, byProvider(page));
      await question(page).waitFor(PATIENCE);
      expect(await question(page).inputValue()).toBe(QUESTION);
    },
    180_000,
  );

  itInBrowser(
    'of tabs that were duplicated is renewed once for all of them, and each goes on',
    async () => {
      provider.lifeSeconds = 10;
      const page = await asking();
      const [other] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate(() => void window.open('/monitoring')),
      ]);
      await other.getByRole('heading', { level: 1, name: 'Monitoring' }).waitFor(PATIENCE);
      expect(await tokenIn(other)).toBe(await tokenIn(page));
      const first = await tokenIn(page);
      await eventually('three renewals', () => provider.renewals >= 3, 60_000);
      await eventually('the same tokens in both', async () => (await tokenIn(other)) === (await tokenIn(page)));
      expect([(await tokenIn(page)) === first, provider.reused]).toEqual([false, 0]);
      for (const tab of [page, other]) expect(await signInShown(tab).count()).toBe(0);
      expect(await question(page).inputValue()).toBe(QUESTION);

      // A tab that has heard nothing, as one that was just restored, asks the others before it sends what they have used.
      await other.evaluate(() => window.close());
      const kept = await page.evaluate(() => sessionStorage.getItem('graft:signed-in')!);
      const renewed = provider.renewals;
      await until(() => provider.renewals > renewed);
      const [late] = await Promise.all([page.waitForEvent('popup'), page.evaluate(() => void window.open('/livez'))]);
      await late.waitForLoadState();
      await late.evaluate((old) => sessionStorage.setItem('graft:signed-in', old), kept);
      await late.goto(`${graft.url}/monitoring`);
      await late.getByRole('heading', { level: 1, name: 'Monitoring' }).waitFor(PATIENCE);
      await eventually('newer tokens', async () => {
        const [one, both] = [await tokenIn(late), await tokenIn(page)];
        return one === both && one !== (JSON.parse(kept) as { access: string }).access;
      });
      expect(provider.reused).toBe(0);

      await page.getByRole('button', { name: 'Sign out' }).click();
      await signInShown(late).waitFor(PATIENCE);
      expect([await tokenIn(late), await tokenIn(page)]).toEqual([undefined, undefined]);
    },
    180_000,
  );

  itInBrowser(
    'ends at the provider, too, when its owner signs out, with all that the provider needs for it',
    async () => {
      provider.endSession = `${provider.issuer}/logout`;
      const page = await signedIn('/ask', 'Ask');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You are signed out, here and at your provider.').waitFor(PATIENCE);
      expect([page.url(), await tokenIn(page)]).toEqual([`${graft.url}/ask`, undefined]);
      expect(provider.signedOut).toEqual([
        {
          id_token_hint: expect.stringMatching(/^eyJ/),
          client_id: 'console',
          post_logout_redirect_uri: `${graft.url}/signed-out`,
          state: expect.stringMatching(/^[\w-]{43}$/),
        },
      ]);
      await eventually('its refresh token is taken back', () => provider.revoked === 1);
    },
    180_000,
  );

  for (const [what, endSession] of [
    ['has no address for it', undefined],
    ['names one that is no page', 'javascript:document.title="taken over"'],
    ['names one of another protocol', 'ftp://127.0.0.1/logout'],
  ] as const)
    itInBrowser(
      `ends here alone where the provider ${what}`,
      async () => {
        provider.endSession = endSession;
        provider.revokes = false;
        const page = await signedIn('/ask', 'Ask');
        await Promise.all([
          page.waitForEvent('load', PATIENCE),
          page.getByRole('button', { name: 'Sign out' }).click(),
        ]);
        await signInShown(page).waitFor(PATIENCE);
        expect([page.url(), await tokenIn(page), provider.signedOut]).toEqual([`${graft.url}/ask`, undefined, []]);
      },
      180_000,
    );

  itInBrowser(
    'ends here at once where the provider hangs, which is said; a link to where people come back ends nobody’s',
    async () => {
      const page = await signedIn('/ask', 'Ask');
      await page.goto(`${graft.url}/signed-out?state=guessed`);
      await question(page).waitFor(PATIENCE);
      expect([await tokenIn(page), new URL(page.url()).search]).toEqual([expect.any(String), '']);
      provider.manner = 'hangs';
      await page.getByRole('button', { name: 'Sign out' }).click();
      expect(await tokenIn(page)).toBeUndefined();
      await page.getByText('Your provider did not answer').waitFor(PATIENCE);
    },
    180_000,
  );
});
