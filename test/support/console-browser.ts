import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { packageRoot } from '../../src/platform/package-root.js';

interface AxeResults {
  violations: { id: string; impact: string | null; nodes: { target: unknown }[] }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screenshots = join(packageRoot(), 'test', '.tmp', 'screenshots');

/** Sizes and schemes that every page has to look right in. */
export const VIEWS = [
  { name: 'light', viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  { name: 'narrow', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
] as const satisfies readonly (BrowserContextOptions & { name: string })[];

/** A browser on the console of a running gateway; it collects whatever a page complains about or fetches from elsewhere. */
export class ConsoleBrowser {
  /** Errors in the browser's console, breaches of the page's policy among them, and exceptions. */
  readonly complaints: string[] = [];
  /** Addresses of other origins. */
  readonly foreign: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly url: string,
  ) {}

  static async launch(executablePath: string, url: string): Promise<ConsoleBrowser> {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    return new ConsoleBrowser(browser, url);
  }

  /** A page in a browser context of its own; close it with `page.context().close()`. */
  async open(path: string, view: BrowserContextOptions = VIEWS[0]): Promise<Page> {
    const context = await this.browser.newContext({ ...view, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.url) && !url.startsWith('data:') && !url.startsWith('blob:')) this.foreign.push(url);
    });
    await page.goto(`${this.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}

/** What axe-core finds serious or worse, as `rule: where`. */
export async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(', ')}`);
}

/** Pixels by which the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Keeps a picture to be looked at: `test/.tmp/screenshots/console-<name>.png`. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `console-${name}.png`), fullPage: true });
}
