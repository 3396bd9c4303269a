import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Jest does not transform a global setup that is an ES module, and the servers should run as they do in production: from dist/.
const root = new URL('../../', import.meta.url);

/** Builds the program, then starts the servers that all tests of the run share. */
export default async function setup() {
  const build = spawnSync(process.execPath, [fileURLToPath(new URL('scripts/build.mjs', root))], { stdio: 'inherit' });
  if (build.status !== 0) throw new Error('the build failed');
  const { calibrateOnce } = await import(new URL('dist/test/support/calibration.js', root).href);
  const { turnOffFsync, startTestServers, stopTestServers } = await import(
    new URL('dist/test/support/test-servers.js', root).href
  );
  // First, as it wants the processors for itself.
  await calibrateOnce();
  await startTestServers();
  await turnOffFsync().catch(async (error) => {
    // Jest runs no teardown after a setup that failed.
    await stopTestServers();
    throw error;
  });
}
