import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateCollectionDocument,
  CreateSourceDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser, keepScreenshot, overflow, seriousFaults, VIEWS } from '../support/console-browser.js';
import { addMeasuredAdapter, copyRuns } from '../support/console-seeds.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { childrenOf } from '../support/gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');

const FACT = 'The Orlo pump runs at 37 bar.';
const HOSTILE = '<img src=x onerror=alert(1)> 🪴 & "quoted"';
/** Longest wait for something that the model has to do on a busy machine. */
const PATIENCE = { timeout: 90_000 };
const RUNS = 10_000;

describe('the console, when something goes wrong,', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let folder: TemporaryFolder;
  let database: TestDatabase;
  let graft: GraftProgram;
  let client: GraftClient;
  let browser: ConsoleBrowser;

  const start = (port = '0') =>
    spawnGraft(home.path, {
      LOG_LEVEL: 'warn',
      DATABASE_URL: database.url,
      GRAFT_PORT: port,
      GRAFT_SOURCE_FOLDERS: `shared=${join(folder.path, 'shared')}`,
    }).started;

  beforeAll(async () => {
    [home, folder, database] = [await temporaryHome(), await temporaryFolder(), await testDatabase()];
    graft = await start();
    client = new GraftClient(graft.url);
    for (const name of ['pumps', 'empty']) await client.request(CreateCollectionDocument, { input: { name } });
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
      input: {
        collection: 'pumps',
        idempotencyKey: 'pumps',
        documents: [
          { name: 'orlo.txt', text: `${'Pumps are described here. '.repeat(40)}\n\n${FACT}` },
          { name: 'two-tabs.txt', text: 'Two people look at this.' },
        ],
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
    await database.dispose();
    await Promise.all([home.remove(), folder.remove()]);
  });

  const workerOf = ({ child }: GraftProgram) =>
    childrenOf(child.pid!).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gpu-worker/main.js'))!;
  const ask = async (page: Page, question: string) => {
    await page.getByLabel('Question').fill(question);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
  };

  itInBrowser(
    'says that there is no evidence, and why, instead of showing nothing',
    async () => {
      const page = await browser.open('/ask?collection=empty');
      await ask(page, 'At what pressure does the Orlo pump run?');
      await page.getByTestId('answer-text').waitFor(PATIENCE);
      await page.getByText('No sentence of the documents fits the question.').waitFor();
      await page.getByRole('combobox', { name: 'Strategy' }).click();
      await page.getByRole('option', { name: 'Base model' }).click();
      await ask(page, 'Say hello.');
      await page.getByText('This strategy reads no documents').waitFor(PATIENCE);
      await page.context().close();
    },
    200_000,
  );

  itInBrowser(
    'goes on with a stream where it stopped when the gateway is killed under it, and misses no file',
    async () => {
      const page = await browser.open('/knowledge/pumps');
      const asked: string[] = [];
      page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => asked.push(String(payload))));
      const many = Array.from({ length: 12 }, (_, i) => ({
        name: `page-${i}.txt`,
        mimeType: 'text/plain',
        buffer: Buffer.from(`Valve ${i} opens at ${i} bar. `.repeat(200)),
      }));
      await page.getByLabel('Files').setInputFiles(many);
      await page.getByText('indexed', { exact: true }).first().waitFor(PATIENCE);
      graft.child.kill('SIGKILL');
      await graft.ended;
      await page.getByText('The gateway does not answer').waitFor(PATIENCE);
      graft = await start(new URL(graft.url).port);
      await page.getByText('The gateway does not answer').waitFor({ state: 'hidden', ...PATIENCE });
      await eventually(
        'every file to be indexed',
        async () => (await page.getByText(/^(indexed|unchanged)$/).count()) === many.length,
        240_000,
      );
      const resumed = asked.filter((frame) => frame.includes('ingestionProgress')).at(-1);
      expect(resumed).toMatch(/"after":"[^"]+"/);
      await page.context().close();
    },
    400_000,
  );

  itInBrowser(
    'shows each file to its end, whatever form its name has, and though nothing is told of it',
    async () => {
      const page = await browser.open('/knowledge/pumps');
      // As it is of a document with a label that one has not got.
      await page.routeWebSocket(/\/graphql$/, (socket) => {
        socket.connectToServer().onMessage((text) => {
          const message = JSON.parse(String(text)) as {
            payload?: { data?: { ingestionProgress?: { result: { name: string } | null } } };
          };
          const event = message.payload?.data?.ingestionProgress;
          if (event?.result?.name === 'labelled.txt') event.result = null;
          socket.send(JSON.stringify(message));
        });
      });
      await page.reload();
      const drop = (...names: string[]) =>
        page
          .getByLabel('Files')
          .setInputFiles(names.map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(`Of ${name}.`) })));
      await drop('cafe\u0301.txt', 'labelled.txt');
      await page.getByText('indexed', { exact: true }).waitFor(PATIENCE);
      await page.getByText('Not shown to you.').waitFor(PATIENCE);
      expect(await page.getByText(/^(sending|reading)$/).count()).toBe(0);
      await drop('cafe\u0301.txt', 'caf\u00e9.txt');
      await page.getByRole('alert').filter({ hasText: 'Two of the files are called caf\u00e9.txt' }).waitFor();
      await page.context().close();
    },
    200_000,
  );

  itInBrowser(
    'lets go of an upload of 200 MB when its tab is closed, and keeps nothing of it',
    async () => {
      const path = join(folder.path, 'large.pdf');
      const file = openSync(path, 'w');
      ftruncateSync(file, 200_000_000);
      closeSync(file);
      const page = await browser.open('/knowledge/pumps');
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 10_000_000,
      });
      const kept = () => filesBelow(home.path).filter(({ size }) => size > 1_000_000).length;
      const before = kept();
      await page.getByLabel('Files').setInputFiles(path);
      await page.getByText('sending', { exact: true }).waitFor();
      await eventually(
        'some of it to be sent',
        async () => Number(await page.getByLabel('Sent of large.pdf').getAttribute('aria-valuenow')) > 1,
      );
      await page.close({ runBeforeUnload: false });
      await eventually('nothing to be kept of it', () => kept() <= before);
      expect((await fetch(`${graft.url}/readyz`)).status).toBe(200);
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'shows labels full of HTML and emoji as the text that they are, from the file to the report',
    async () => {
      const rows = Array.from({ length: 60 }, (_, i) => {
        const label = i % 2 === 0 ? HOSTILE : 'plain';
        return `"Message ${i} <b>bold</b> 🪴 of ${1_000 + 37 * i}","${label.replaceAll('"', '""')}"`;
      });
      const page = await browser.open('/data');
      await page.getByRole('button', { name: 'New dataset' }).click();
      await page.getByLabel('Name').fill('hostile');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByLabel('Files').setInputFiles({
        name: `${HOSTILE}.csv`,
        mimeType: 'text/csv',
        buffer: Buffer.from(['text,label', ...rows].join('\n')),
      });
      const use = (column: string) => page.getByRole('combobox', { name: `What ${column} is used as` });
      const choose = async (column: string, field: string) => {
        await use(column).click(PATIENCE);
        await page.getByRole('option', { name: field, exact: true }).click();
      };
      // The second is chosen before the gateway has said what comes of the first.
      let slow = true;
      await page.route('**/graphql', async (route) => {
        const held = slow && route.request().postData()?.includes('ImportPreviewShown');
        if (held) slow = false;
        if (held) await setTimeout(3_000);
        await route.continue();
      });
      await use('text').waitFor(PATIENCE);
      // The names of the fields come by themselves.
      await eventually('what the columns are taken for', async () => (await use('text').inputValue()) !== '');
      const guessed = [await use('text').inputValue(), await use('label').inputValue()];
      await choose('text', 'Id');
      await choose('label', 'Group');
      await setTimeout(4_000);
      expect([await use('text').inputValue(), await use('label').inputValue()]).toEqual(['Id', 'Group']);
      await choose('text', guessed[0]!);
      await choose('label', guessed[1]!);
      await page.unroute('**/graphql');
      // Columns of what is under way stay as they are: a look at others freed the button for a second import.
      let release = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      await page.route('**/graphql', async (route) => {
        if (route.request().postData()?.includes('mutation AddDatasetVersion(')) await released;
        await route.continue();
      });
      await page.getByRole('button', { name: 'Import' }).click(PATIENCE);
      await page.getByRole('button', { name: 'Reading and checking every row…' }).last().waitFor();
      expect(await use('text').isDisabled()).toBe(true);
      release();
      await page.getByRole('tab', { name: 'Report' }).click(PATIENCE);
      await page.getByText(HOSTILE, { exact: true }).waitFor(PATIENCE);
      expect(await page.locator('main img, main b').count()).toBe(0);
      await addMeasuredAdapter(database, 'hostile', [
        { quality: 0.7, ratio: 1.02, mistaken: [HOSTILE, 'plain'] },
        { quality: 0.9, ratio: 1.08, alias: 'production' },
      ]);
      await page.goto(`${graft.url}/adapters/hostile`);
      // Each version asks for its own figures: the last link there is may be the newest version's.
      await page.getByRole('link', { name: '200 test rows' }).nth(1).click();
      await page.getByRole('rowheader', { name: HOSTILE }).waitFor();
      expect(await page.locator('main img, main b').count()).toBe(0);
      await page.context().close();
    },
    240_000,
  );

  itInBrowser(
    'shows what each version has learned against what it has forgotten, as a plot and as figures',
    async () => {
      const page = await browser.open('/adapters/hostile');
      await page.getByRole('img', { name: 'Learned against forgotten: version 2, production, version 1' }).waitFor();
      await keepScreenshot(page, 'adapter-learned');
      await page.getByLabel('Save: Learned against forgotten').click();
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'CSV' }).click(),
      ]);
      const lines = readFileSync(await saved.path(), 'utf8').split('\n');
      expect(lines).toHaveLength(3);
      expect(lines[1]).toMatch(/^"version 2, production",1\.08,1\.07,1\.09\d*,0\.9,0\.86,0\.94/);
      await page.getByLabel('Save: Learned against forgotten').click();
      const [drawn] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: 'PNG' }).click(),
      ]);
      expect(
        readFileSync(await drawn.path())
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
      await page.getByLabel('Show as a table: Learned against forgotten').click();
      await page.getByRole('cell', { name: '1.0800' }).waitFor();
      await page.context().close();
    },
  );

  itInBrowser(
    'brings a folder in, follows the sync of it from wherever one comes back, and says why a file is no document',
    async () => {
      const page = await browser.open('/sources');
      await page.getByText('npx graft sync').waitFor(PATIENCE);
      await mkdir(join(folder.path, 'shared'));
      await writeFile(join(folder.path, 'shared', 'brine.md'), 'The Brine valve opens at 4 bar.');
      await writeFile(join(folder.path, 'shared', 'broken.pdf'), '%PDF-1.7 and no more');
      await client.request(CreateCollectionDocument, { input: { name: 'followed' } });
      const source = { name: 'valves', collection: 'followed', kind: 'FOLDER', folder: 'shared' } as const;
      await client.request(CreateSourceDocument, { input: source });
      await page.reload();
      await page.getByRole('link', { name: 'valves' }).click();
      const worker = workerOf(graft);
      process.kill(worker, 'SIGSTOP');
      try {
        await page.getByRole('button', { name: 'Sync now' }).click();
        const waits = page.getByRole('button', { name: 'Reading the folder…' });
        await waits.waitFor();
        await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
        await keepScreenshot(page, 'sources-valves-reading');
        await page.getByRole('link', { name: 'All sources' }).click();
        await page.getByRole('cell', { name: 'Syncing' }).waitFor();
        await page.getByRole('link', { name: 'valves' }).click();
        await waits.waitFor();
        await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
      } finally {
        resume(worker);
      }
      await page.getByText('Succeeded', { exact: true }).last().waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Sync now' }).waitFor();
      const failed = page.getByRole('row').filter({ hasText: 'broken.pdf' });
      expect(await failed.textContent()).toMatch(/PDF/);
      for (const view of VIEWS)
        for (const path of ['/sources', '/sources/valves']) {
          const seen = await browser.open(path, view);
          await seen.getByText('Synced', { exact: true }).waitFor(PATIENCE);
          await keepScreenshot(seen, `synced${path.replaceAll('/', '-')}-${view.name}`);
          expect([path, await seriousFaults(seen)]).toEqual([path, []]);
          expect([path, (await overflow(seen)) > 0]).toEqual([path, false]);
          await seen.context().close();
        }
      await page.getByRole('link', { name: 'followed' }).click();
      await page.getByRole('button', { name: 'brine.md', exact: true }).waitFor(PATIENCE);
      await rename(join(folder.path, 'shared'), join(folder.path, 'away'));
      await page.goto(`${graft.url}/sources/valves`);
      await page.getByRole('button', { name: 'Sync now' }).click();
      const refused = page.getByRole('alert').filter({ hasText: 'Nothing was changed.' });
      await refused.waitFor(PATIENCE);
      await page.reload();
      await refused.waitFor(PATIENCE);
      await keepScreenshot(page, 'sources-valves-away');
      await page.context().close();
    },
    200_000,
  );

  itInBrowser('tells each of two tabs what the other did to the thing that both edit', async () => {
    const [one, other] = [await browser.open('/knowledge/pumps'), await browser.open('/knowledge/pumps')];
    const remove = async (tab: Page) => {
      await tab.getByRole('button', { name: 'Delete two-tabs.txt' }).click();
      await tab.getByRole('dialog').getByRole('button', { name: 'Delete it' }).click();
    };
    await remove(one);
    await one.getByRole('button', { name: 'two-tabs.txt', exact: true }).waitFor({ state: 'detached' });
    await other.getByRole('button', { name: 'two-tabs.txt', exact: true }).click();
    await other.getByText('The document is gone').waitFor();
    await other.getByRole('button', { name: 'Close' }).click();
    await remove(other);
    await other.getByRole('alert').waitFor();
    await other.getByRole('button', { name: 'two-tabs.txt', exact: true }).waitFor({ state: 'detached' });
    for (const tab of [one, other]) {
      await tab.goto(`${graft.url}/knowledge`);
      await tab.getByRole('button', { name: 'New collection' }).click();
      await tab.getByLabel('Name').fill('both');
    }
    await one.getByRole('button', { name: 'Create' }).click();
    await one.getByRole('heading', { name: 'both' }).waitFor();
    await other.getByRole('button', { name: 'Create' }).click();
    await other.getByRole('alert').filter({ hasText: 'both' }).waitFor();
    await Promise.all([one.context().close(), other.context().close()]);
  });

  itInBrowser(
    'says at every button what it waits for while the worker is slow',
    async () => {
      const page = await browser.open('/ask');
      const worker = workerOf(graft);
      await page.getByLabel('Question').fill('At what pressure does the Orlo pump run?');
      const bench = await browser.open('/knowledge/pumps');
      await bench.getByRole('tab', { name: 'Search bench' }).click();
      await bench.getByLabel('Query').fill('pressure of the pump');
      const files = await browser.open('/knowledge/pumps');
      process.kill(worker, 'SIGSTOP');
      try {
        await page.getByRole('button', { name: 'Ask', exact: true }).click();
        // With a router the question's vector is waited for before anything is chosen.
        await page.getByText(/^(Choosing a strategy|Looking through the documents)…$/).waitFor();
        await page.getByRole('button', { name: 'Stop' }).click();
        await page.getByText('stopped', { exact: true }).waitFor();
        await page.getByRole('button', { name: 'Compare strategies' }).click();
        await page.getByRole('button', { name: 'Each strategy answers…' }).waitFor();
        await bench.getByRole('button', { name: 'Search' }).click();
        await bench.getByRole('button', { name: 'Searching…' }).waitFor();
        await files
          .getByLabel('Files')
          .setInputFiles({ name: 'slow.txt', mimeType: 'text/plain', buffer: Buffer.from('Slow is smooth.') });
        await files.getByRole('button', { name: 'Reading and indexing…' }).waitFor();
      } finally {
        resume(worker);
      }
      await bench.getByRole('button', { name: 'Search', exact: true }).waitFor(PATIENCE);
      await files.getByRole('button', { name: 'Choose files' }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Compare strategies' }).waitFor(PATIENCE);
      for (const each of [page, bench, files]) await each.context().close();
    },
    240_000,
  );

  itInBrowser(
    `shows ${RUNS} runs by pages, and only those that are in sight are there`,
    async () => {
      await copyRuns(database, RUNS);
      const page = await browser.open('/runs');
      const shown = page.getByTestId('run');
      await shown.first().waitFor(PATIENCE);
      const list = page.getByRole('region', { name: 'Runs' });
      const height = () => list.evaluate((element) => element.scrollHeight);
      let last = 0;
      for (let i = 0; i < 6; i += 1) {
        const before = await height();
        expect(before).toBeGreaterThan(last);
        last = before;
        await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        await eventually('the next page', async () => (await height()) > before);
        expect(await shown.count()).toBeLessThan(60);
      }
      await page.context().close();
    },
    120_000,
  );

  itInBrowser(
    'reloads once when an upgrade has taken away the code of a page, and says so when that does not help',
    async () => {
      const page = await browser.open('/ask');
      let loads = 0;
      page.on('load', () => (loads += 1));
      const asked: string[] = [];
      const gone = async (name: string, times: number) =>
        page.route(`**/console/assets/${name}-*.js`, async (route) => {
          asked.push(name);
          return asked.filter((each) => each === name).length > times
            ? route.continue()
            : route.fulfill({ status: 404 });
        });
      // Slow to reload, so that the old page has all the time to stumble over the code that it has not got.
      await page.route('**/knowledge', async (route) => setTimeout(2_000).then(() => route.continue()));
      await gone('knowledge', 1);
      await page.getByRole('link', { name: 'Knowledge' }).click();
      await page.getByRole('heading', { level: 1, name: 'Knowledge' }).waitFor();
      expect([loads, new URL(page.url()).pathname]).toEqual([1, '/knowledge']);
      await gone('models', Infinity);
      await page.getByRole('link', { name: 'Models' }).click();
      await page.getByRole('button', { name: 'Reload the page' }).waitFor();
      expect([loads, asked]).toEqual([2, ['knowledge', 'knowledge', 'models', 'models']]);
      await page.context().close();
    },
  );

  itInBrowser('says that code is gone where the tab may not reload, instead of waiting for ever', async () => {
    const page = await browser.open('/ask');
    page.on('dialog', (dialog) => void dialog.dismiss());
    // As an upload does that is under way.
    await page.evaluate(() => window.addEventListener('beforeunload', (event) => event.preventDefault()));
    await page.route('**/console/assets/models-*.js', (route) => route.fulfill({ status: 404 }));
    await page.getByRole('link', { name: 'Models' }).click();
    await page.getByRole('button', { name: 'Reload the page' }).waitFor();
    await page.context().close();
  });

  itInBrowser('ran no script of a name or a label', async () => {
    expect(browser.foreign).toEqual([]);
    expect(
      browser.complaints.filter((complaint) => !/Failed to (load|fetch)|404|WebSocket|ERR_/.test(complaint)),
    ).toEqual([]);
  });
});

/** Goes on with a process that was stopped. A worker that is silent for ten seconds is replaced: then there is none. */
function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Every file in a folder, with its size in bytes; those that go away meanwhile are left out. */
function filesBelow(path: string): { size: number }[] {
  return readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    try {
      return [{ size: statSync(join(entry.parentPath, entry.name)).size }];
    } catch {
      return [];
    }
  });
}
