import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

const GRAFT = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
const UNAUTHENTICATED = {
  message: 'No key was sent.',
  extensions: { code: 'UNAUTHENTICATED', hint: 'Send `Authorization: Bearer <key>`.' },
};

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

const textOf = async (request: IncomingMessage): Promise<string> =>
  (await request.setEncoding('utf8').toArray()).join('');

/** A server in place of a gateway, which fails on command. */
describe('the command line, where a gateway fails', () => {
  let server: Server;
  let url: string;
  let answer: RequestListener;
  let asked: { path: string; body: string }[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));

  const run = (args: string[], env: NodeJS.ProcessEnv = { GRAFT_URL: url }): Promise<Ended> =>
    new Promise((resolve) =>
      execFile(
        process.execPath,
        [GRAFT, ...args],
        { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );

  /** Answers GraphQL over HTTP, and keeps what was asked. */
  const answers =
    (data: (query: string) => unknown): RequestListener =>
    (request, response) =>
      void textOf(request).then((body) => {
        asked.push({ path: request.url!, body });
        const { query } = JSON.parse(body) as { query: string };
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: data(query) }));
      });

  const refuses =
    (status: number, type: string, body: string): RequestListener =>
    (_, response) =>
      response.writeHead(status, { 'content-type': type }).end(body);

  describe('at the first contact', () => {
    it.each([['ask', 'hi'], ['runs'], ['call', 'AskStream', 'question=hi']])(
      'says that nothing answers, and why: %s',
      async (...args) => {
        await new Promise((resolve) => server.close(resolve));
        expect(await run(args)).toEqual({
          code: 1,
          stdout: '',
          stderr: `UNREACHABLE: Graft does not answer at ${url} (ECONNREFUSED). Start it with \`npm start\`, or say where it runs by --url or GRAFT_URL.\n`,
        });
      },
    );

    it.each([['ask', 'hi'], ['runs']])('says a refusal with its code and hint: %s', async (...args) => {
      answer = refuses(401, 'application/json', JSON.stringify({ errors: [UNAUTHENTICATED] }));
      expect(await run(args)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'UNAUTHENTICATED: No key was sent. Send `Authorization: Bearer <key>`.\n',
      });
    });

    it.each([
      ['text/html', '<html>Bad gateway</html>'],
      ['application/json', '{"message":"Bad gateway"}'],
      ['application/json', 'null'],
    ])(
      'says what answers in its place: %s %s',
      async (type, body) => {
        answer = refuses(502, type, body);
        for (const [path, ...args] of [
          ['/graphql/stream', 'ask', 'hi'],
          ['/graphql', 'runs'],
          ['/files', 'upload', GRAFT],
        ])
          expect(await run(args)).toEqual({
            code: 1,
            stdout: '',
            stderr: `HTTP 502: ${url}${path} answers with ${type}, and not as Graft does. Is that its address? A proxy may have answered in its place.\n`,
          });
      },
      60_000,
    );

    it('takes an address as it is typed, and refuses what is none', async () => {
      answer = answers(() => ({ runs: { edges: [] } }));
      for (const typed of [`${url}/`, url.slice('http://'.length), url.replace('http', 'HTTP')])
        expect(await run(['--url', typed, 'runs'], { GRAFT_URL: '' })).toMatchObject({ code: 0, stderr: '' });
      expect(await run(['runs'], { GRAFT_URL: `${url}//` })).toMatchObject({ code: 0, stderr: '' });
      expect(asked.map(({ path }) => path)).toEqual(Array(4).fill('/graphql'));
      for (const args of [
        ['--url', ''],
        ['--url', 'ftp://127.0.0.1'],
        ['--url', 'a b'],
      ])
        expect(await run([...args, 'runs'])).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('It must be an address such as http://127.0.0.1:4000.') as string,
        });
      expect((await run(['runs'], { GRAFT_URL: 'http://' })).code).toBe(2);
    }, 60_000);
  });
});
