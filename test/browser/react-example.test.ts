import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { chromiumPath } from '../support/chromium.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const executablePath = chromiumPath();
const itInBrowser = itWhen(executablePath !== null, 'no Chromium on this machine; set CHROMIUM_PATH or install one');

const FACT = 'The Orlo pump runs at 37 bar.';
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

describe('the React example', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let folder: TemporaryFolder;
  let site: Server;
  let graft: GraftProgram;
  let browser: ConsoleBrowser | undefined;

  beforeAll(async () => {
    [home, folder] = [await temporaryHome(), await temporaryFolder()];
    site = createServer(({ url }, response) => {
      const path = url === '/' ? '/index.html' : (url ?? '');
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      response.end(readFileSync(join(folder.path, path)));
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', GRAFT_ALLOWED_ORIGINS: origin }).started;
    const vite = join(packageRoot(), 'node_modules', 'vite', 'bin', 'vite.js');
    const built = [vite, 'build', join(packageRoot(), 'examples', 'react'), '--outDir', folder.path, '--emptyOutDir'];
    execFileSync(process.execPath, built, { env: { ...process.env, VITE_GRAFT_URL: `${graft.url}/graphql` } });
    const client = new GraftClient(graft.url);
    await client.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const documents = [{ name: 'orlo.txt', text: `${'Pumps are described here. '.repeat(40)}\n\n${FACT}` }];
    const input = { collection: 'pumps', idempotencyKey: 'pumps', documents };
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, { input });
    for await (const event of client.subscribe(IngestionProgressDocument, { runId: ingestDocuments.run.id }))
      void event;
    client.close();
    if (executablePath !== null) browser = await ConsoleBrowser.launch(executablePath, origin);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    site.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await Promise.all([home.remove(), folder.remove()]);
  });

  itInBrowser(
    'asks from a page of another origin that the gateway was told of, streams, and cites the sentence',
    async () => {
      const page = await browser!.open('/');
      await page.getByLabel('Question').fill('At what pressure does the Orlo pump run?');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.locator('blockquote', { hasText: FACT }).first().waitFor({ timeout: 90_000 });
      expect(await page.locator('cite').first().textContent()).toContain('orlo.txt');
      expect(await page.locator('p[aria-live]').textContent()).toContain('37');
      expect(browser!.complaints).toEqual([]);
      await page.context().close();
    },
    120_000,
  );
});
