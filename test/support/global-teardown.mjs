const root = new URL('../../', import.meta.url);

/** Ends the servers of the run and removes their data; runs after failed tests too. */
export default async function teardown() {
  const { stopTestServers } = await import(new URL('dist/test/support/test-servers.js', root).href);
  await stopTestServers();
}
