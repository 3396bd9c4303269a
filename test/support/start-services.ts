import { openDatabase } from '../../src/platform/database/index.js';
import { startServices } from '../../src/platform/processes/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';

/*
 * A gateway reduced to its servers, for tests that kill it: `node dist/test/support/start-services.js HOME [DATABASE_URL CHROMA_URL]`
 * prints one line of JSON when the servers run, or when they can't, and stays until SIGTERM.
 */

const [home, databaseUrl, chromaUrl] = process.argv.slice(2);
try {
  const services = await startServices({ home: home!, databaseUrl, chromaUrl, log: silentLogger() });
  const database = await openDatabase(services.databaseUrl);
  await database.close();
  const { databaseUrl: postgres, chroma } = services;
  process.stdout.write(`${JSON.stringify({ postgres, chroma: chroma.url, health: services.health() })}\n`);
  const alive = setInterval(() => undefined, 60_000);
  process.once('SIGTERM', () => {
    clearInterval(alive);
    void services.stop();
  });
} catch (error) {
  const { code, message, hint } = error as { code?: string; message: string; hint?: string };
  process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  process.exitCode = 1;
}
