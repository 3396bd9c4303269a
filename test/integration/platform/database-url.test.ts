import { openDatabase } from '../../../src/platform/database/index.js';

const failureOf = async (url: string): Promise<unknown> =>
  openDatabase(url).then(
    () => 'it opened',
    (error: unknown) => error,
  );

const changed = (change: (url: URL) => void): string => {
  const url = new URL(process.env.GRAFT_TEST_DATABASE_URL!);
  change(url);
  return url.href;
};

describe('a DATABASE_URL that does not work', () => {
  const { hostname } = new URL(process.env.GRAFT_TEST_DATABASE_URL!);

  it('is told by its host and what to do, never by its password', async () => {
    const missing = await failureOf(changed((url) => (url.pathname = '/not-there')));
    expect(missing).toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining(`"not-there" at ${hostname}:`),
      hint: expect.stringContaining('createdb'),
    });
    const stranger = await failureOf(changed((url) => Object.assign(url, { username: 'nobody', password: 'hunter2' })));
    expect(stranger).toMatchObject({ code: 'SETUP_FAILED', message: expect.stringContaining(hostname) });
    expect(`${(stranger as Error).message} ${(stranger as { hint: string }).hint}`).not.toContain('hunter2');
  });

  it('names the host where nothing listens, and the one that does not exist', async () => {
    for (const at of ['127.0.0.1:1', 'not-there.invalid:5432'])
      expect(await failureOf(`postgresql://u:hunter2@${at}/d`)).toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining(at),
        hint: expect.stringContaining('DATABASE_URL'),
      });
  });
});
