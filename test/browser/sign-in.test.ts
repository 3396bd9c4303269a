import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { accessKit, type AccessKit } from '../integration/access/access-kit.js';
import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { itWhen } from '../support/skip.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');

describe('signing in to the console', () => {
  let kit: AccessKit;
  let gateway: ProbeGateway;
  beforeAll(async () => {
    kit = await accessKit();
    const consoleFolder = join(packageRoot(), 'dist', 'console');
    gateway = await startProbeGateway({ callers: kit.access.authenticator, consoleFolder });
  });
  afterAll(async () => {
    await gateway.close(0);
    await kit.dispose();
  });

  itInBrowser('asks for a key, says why it is refused, and keeps the right one in this tab alone', async () => {
    const browser = await ConsoleBrowser.launch(executablePath!, gateway.url);
    try {
      const page = await browser.open('/');
      const form = page.getByRole('form', { name: 'Sign in' });
      await form.getByLabel('Key', { exact: true }).fill('graft_wrong');
      await form.getByRole('button', { name: 'Sign in' }).click();
      await form.getByText('The Authorization header holds no key of Graft.').waitFor();

      const { token } = await kit.key('ASK');
      await form.getByLabel('Key', { exact: true }).fill(token);
      await form.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
      await form.waitFor({ state: 'detached' });
      expect(page.url()).not.toContain(token);
      expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).not.toContain(token);

      await page.getByRole('button', { name: 'Sign out' }).click();
      await form.waitFor();
      expect(browser.complaints.filter((text) => !/status of (400|401)/.test(text))).toEqual([]);
      expect(browser.foreign).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
