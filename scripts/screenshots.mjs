// `npm run screenshots [-- --at http://127.0.0.1:4000]` takes a picture of each page of the console, as a running gateway shows it, and writes
// docs/console.md. A gateway that `npm run demo -- --all` left running has something on each of them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../', import.meta.url));
const at = process.argv[process.argv.indexOf('--at') + 1]?.startsWith('http')
  ? process.argv[process.argv.indexOf('--at') + 1]
  : 'http://127.0.0.1:4000';
const executablePath = [process.env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  existsSync,
);
if (!executablePath) throw new Error('There is no Chromium: set CHROMIUM_PATH, or `apt-get install chromium`.');

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
await page.goto(at);
const links = page.getByRole('navigation').getByRole('link');
await links.first().waitFor();
const pages = await links.evaluateAll((found) =>
  found.map((link) => ({ path: new URL(link.href).pathname, label: link.textContent.trim() })),
);

const QUESTION = 'At what wind speed are the roof vents forced shut?';

/** Asks where a page asks, and shows the first of what a page lists; one that does neither stays as it is. */
async function openFirst(path) {
  if (path === '/ask') {
    await page.getByLabel('Question').fill(QUESTION);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('Evidence', { exact: true }).waitFor({ timeout: 60_000 });
  }
  const listed = page.locator(`main a[href^="${path}/"]`).first();
  if ((await listed.count()) > 0) await listed.click();
  await settled();
}

/** Until nothing is loaded any more; streams keep some pages busy. */
async function settled() {
  await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined);
  await page.locator('.mantine-Loader-root').first().waitFor({ state: 'hidden', timeout: 30_000 });
}

mkdirSync(`${root}docs/console`, { recursive: true });
const lines = ['# The console, page by page', '', '<!-- Written by `npm run screenshots`. -->', ''];
for (const { path, label } of pages) {
  await page.goto(`${at}${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settled();
  const purpose = await page
    .locator('.page-header p')
    .first()
    .textContent()
    .catch(() => null);
  await openFirst(path);
  const file = `console${path}.jpg`;
  await page.screenshot({ path: `${root}docs/${file}`, type: 'jpeg', quality: 70 });
  lines.push(`## ${label}`, '', ...(purpose ? [purpose.trim(), ''] : []), `![${label}](${file})`, '');
  console.log(`${path} -> docs/${file}`);
}
await browser.close();
writeFileSync(`${root}docs/console.md`, `${lines.join('\n').trimEnd()}\n`);
