/**
 * The console in a real Chromium on the real product, while questions are answered one after another: how long a page takes until its
 * largest content is painted, how long from a click or a key to the next frame, and how much of the main thread the live charts of a
 * training with 10,000 steps take for each frame that they draw.
 *
 * Chromium rounds the duration of an interaction to 8 ms and reports none below 16 ms; those count as 16.
 *
 *   npm run bench -- console [--loads 9] [--rounds 5] [--points 10000] [--seconds 10]
 *
 * CHROMIUM_PATH names the browser.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { GraftClient } from '../src/client/graft-client.js';
import { AskDocument, CreateCollectionDocument, IngestDocumentsDocument } from '../src/client/operations/index.js';
import { chromiumPath } from '../test/support/chromium.js';
import { beginTraining } from '../test/support/console-seeds.js';
import { testDatabase, type TestDatabase } from '../test/support/database.js';
import { eventually } from '../test/support/eventually.js';
import { spawnGraft, temporaryHome } from '../test/support/graft-program.js';
import { startTestServers, stopTestServers } from '../test/support/test-servers.js';
import { describeMachine, median, printResult } from './support/report.js';

const QUESTION = 'At what pressure does the Orlo pump run?';
const PAGES = ['/ask', '/knowledge', '/data', '/runs', '/system'];
const VIEWPORT = { width: 1280, height: 860 };
/** What Chromium reports of an interaction at least, in milliseconds. */
const LEAST_MS = 16;
/** Live events come this often, each with a step: the page draws ten times a second. */
const STEP_MS = 20;

const { values } = parseArgs({
  options: {
    loads: { type: 'string', default: '9' },
    rounds: { type: 'string', default: '5' },
    points: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
  },
});
const [loads, rounds, points, seconds] = [values.loads, values.rounds, values.points, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
];

/** What a page has seen of itself; filled by `watch`. */
interface Seen {
  largestPaintMs: number;
  interactions: Record<number, number>;
  draws: number;
}

/** Runs in the page before anything of its own. */
function watch(): void {
  const seen: Seen = { largestPaintMs: 0, interactions: {}, draws: 0 };
  Object.assign(window, { seen });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.largestPaintMs = entry.startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries() as (PerformanceEntry & { interactionId?: number })[])
      if (interactionId) seen.interactions[interactionId] = Math.max(seen.interactions[interactionId] ?? 0, duration);
  }).observe({ type: 'event', buffered: true, durationThreshold: 16 } as PerformanceObserverInit);
  const { clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    seen.draws += 1;
    clearRect.apply(this, area);
  };
}

const seenBy = (page: Page): Promise<Seen> => page.evaluate(() => (window as unknown as { seen: Seen }).seen);

/** A page in a browser context of its own, so that nothing is cached. */
async function open(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  await context.addInitScript(watch);
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('status', { name: 'Loading' }).waitFor({ state: 'hidden' });
  return page;
}

async function largestPaints(browser: Browser, url: string): Promise<Record<string, number[]>> {
  const paints: Record<string, number[]> = Object.fromEntries(PAGES.map((path) => [path, []]));
  for (let i = 0; i < loads; i += 1)
    for (const path of PAGES) {
      const page = await open(browser, `${url}${path}`);
      await sleep(500);
      paints[path]!.push((await seenBy(page)).largestPaintMs);
      await page.context().close();
    }
  return paints;
}

/** What a person does: types, asks, looks at the tabs while the answer comes, changes scheme and page. */
async function interact(page: Page): Promise<number> {
  let done = 0;
  const step = async (work: Promise<unknown>, interactions = 1) => {
    await work;
    done += interactions;
    await sleep(150);
  };
  const click = (role: 'button' | 'tab' | 'link' | 'combobox' | 'option', name: string | RegExp) =>
    step(page.getByRole(role, { name, exact: true }).first().click());
  await step(page.getByLabel('Question').fill(''), 0);
  await step(page.getByLabel('Question').pressSequentially(QUESTION, { delay: 30 }), QUESTION.length);
  await click('button', 'Ask');
  await click('tab', 'Side by side');
  await click('tab', /History/);
  await click('tab', 'Answer');
  await click('combobox', 'Strategy');
  await click('option', 'Graft chooses');
  await click('button', /Switch to/);
  for (const name of ['Knowledge', 'Data', 'Runs', 'System', 'Ask']) await click('link', name);
  return done;
}

async function interactions(browser: Browser, url: string): Promise<number[]> {
  const durations: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const page = await open(browser, `${url}/ask`);
    const done = await interact(page);
    const reported = Object.values((await seenBy(page)).interactions);
    durations.push(...reported, ...new Array<number>(Math.max(0, done - reported.length)).fill(LEAST_MS));
    await page.context().close();
  }
  return durations.sort((a, b) => a - b);
}

interface Charts {
  charts: number;
  /** Frames in which the charts were drawn, and the main thread's work in the same time for each of them. */
  frames: number;
  msAFrame: number;
}

async function liveCharts(browser: Browser, url: string, database: TestDatabase): Promise<Charts> {
  const training = await beginTraining(database, points);
  const page = await open(browser, `${url}/training/${training.id}`);
  const canvases = page.locator('canvas');
  await page
    .getByText(`${points.toLocaleString('en-US')} of`)
    .first()
    .waitFor({ timeout: 120_000 });
  await sleep(3_000);
  const charts = await canvases.count();
  const devtools = await page.context().newCDPSession(page);
  // The thread's own processor time: what else the machine does meanwhile takes none of it.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1_000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const [work, { draws }] = [await busy(), await seenBy(page)];
  const until = performance.now() + 1_000 * seconds;
  while (performance.now() < until) {
    await training.step();
    await sleep(STEP_MS);
  }
  const frames = ((await seenBy(page)).draws - draws) / charts;
  const msAFrame = ((await busy()) - work) / frames;
  await page.context().close();
  return { charts, frames, msAFrame };
}

const executablePath = chromiumPath();
if (executablePath === null) throw new Error('no Chromium on this machine; set CHROMIUM_PATH or install one');
await startTestServers();
const home = await temporaryHome();
const database = await testDatabase();
const graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: database.url }).started;
const client = new GraftClient(graft.url);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
let asking = true;
try {
  await client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
  const text = `${'Pumps are described here. '.repeat(40)}\n\nThe Orlo pump runs at 37 bar.`;
  const input = { collection: 'pumps', idempotencyKey: 'pumps', documents: [{ name: 'orlo.txt', text }] };
  await client.request(IngestDocumentsDocument, { input });
  const ask = () => client.request(AskDocument, { input: { question: QUESTION } });
  await eventually('a first answer', async () => (await ask()).ask.text !== '', 120_000);
  let answers = 0;
  const others = (async () => {
    while (asking) {
      await ask();
      answers += 1;
    }
  })();
  await (await open(browser, `${graft.url}/ask`)).context().close();
  const paints = await largestPaints(browser, graft.url);
  const durations = await interactions(browser, graft.url);
  asking = false;
  await others;
  const { charts, frames, msAFrame } = await liveCharts(browser, graft.url, database);
  const rounded = (value: number) => Math.round(10 * value) / 10;
  const worst = durations.at(-1)!;
  printResult('console', {
    machine: describeMachine(),
    browser: browser.version(),
    rows: [
      ...PAGES.map((path) => ({
        measure: `largest contentful paint of ${path}, ms`,
        median: Math.round(median(paints[path]!)),
        worst: Math.round(Math.max(...paints[path]!)),
        target: 'under 1000',
      })),
      { measure: 'interaction, ms', median: median(durations), worst, target: 'under 100' },
      {
        measure: `frame of a live chart of ${points} points, ms`,
        median: rounded(msAFrame / charts),
        worst: '',
        target: 'under 8',
      },
    ],
    loads,
    interactions: durations.length,
    interactionP98Ms: durations[Math.floor(0.98 * (durations.length - 1))],
    answersMeanwhile: answers,
    live: { charts, frames: Math.round(frames), allChartsMsAFrame: rounded(msAFrame) },
  });
} finally {
  asking = false;
  await browser.close();
  client.close();
  graft.child.kill('SIGTERM');
  await graft.ended;
  await database.dispose();
  await home.remove();
  await stopTestServers();
}
