/** What the console's tests stand on: a gateway with a database of its own, and a browser on it. */
import { chromaUrl } from './chroma.js';
import { chromiumPath } from './chromium.js';
import { ConsoleBrowser } from './console-browser.js';
import { testDatabase, type TestDatabase } from './database.js';
import { spawnGraft, temporaryHome, type GraftProgram } from './graft-program.js';
import { AUDIENCE, type OidcProvider } from './oidc-provider.js';
import { itWhen } from './skip.js';

const executablePath = chromiumPath();

/** `it`, skipped with the reason where there is no browser. */
export const itInBrowser = itWhen(
  executablePath !== null,
  'no Chromium on this machine; set CHROMIUM_PATH or install one',
);

export interface ConsoleStand {
  home: string;
  database: TestDatabase;
  graft: GraftProgram;
  /** For tests of `itInBrowser` alone. */
  browser: ConsoleBrowser;
  stop(): Promise<void>;
}

/** @param prepare what is to be there before the gateway starts */
export async function consoleStand(
  env: NodeJS.ProcessEnv = {},
  prepare?: (made: { home: string; database: TestDatabase }) => Promise<void>,
): Promise<ConsoleStand> {
  const [home, database] = [await temporaryHome(), await testDatabase()];
  await prepare?.({ home: home.path, database });
  const own = { LOG_LEVEL: 'warn', DATABASE_URL: database.url, CHROMA_URL: chromaUrl() };
  const graft = await spawnGraft(home.path, { ...own, ...env }).started;
  const browser = executablePath === null ? null : await ConsoleBrowser.launch(executablePath, graft.url);
  return {
    home: home.path,
    database,
    graft,
    browser: browser!,
    stop: async () => {
      await browser?.close();
      graft.child.kill('SIGTERM');
      await graft.ended;
      await database.dispose();
      await home.remove();
    },
  };
}

/** What makes a gateway let people sign in at a provider. */
export const signInBy = ({ issuer }: OidcProvider, roles: string): NodeJS.ProcessEnv => ({
  GRAFT_OIDC_ISSUER: issuer,
  GRAFT_OIDC_AUDIENCE: AUDIENCE,
  GRAFT_OIDC_CLIENT_ID: 'console',
  GRAFT_OIDC_ROLES: roles,
});
