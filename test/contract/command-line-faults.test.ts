import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

const GRAFT = join(packageRoot(), 'dist', 'src', 'cli', 'graft.js');
const UNAUTHENTICATED = {
  message: 'No key was sent.',
  extensions: { code: 'UNAUTHENTICATED', hint: 'Send `Authorization: Bearer <key>`.' },
};
const STOPPING = { message: 'The gateway is shutting down.', extensions: { code: 'SHUTTING_DOWN' } };

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
  let folder: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'graft-faults-')));
    asked = [];
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await rm(folder, { recursive: true });
  });

  const ended = (file: string, args: string[], env: NodeJS.ProcessEnv = {}, cwd = packageRoot()): Promise<Ended> =>
    new Promise((resolve) =>
      execFile(
        file,
        args,
        { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );

  const run = (args: string[], env: NodeJS.ProcessEnv = { GRAFT_URL: url }, cwd?: string): Promise<Ended> =>
    ended(process.execPath, [GRAFT, ...args], env, cwd);

  /** Runs a line of bash, in which `graft` is the program. */
  const bash = (script: string, ...args: string[]): Promise<Ended> =>
    ended(
      'bash',
      ['-c', `set -o pipefail; graft() { "${process.execPath}" "${GRAFT}" "$@"; }; ${script}`, '', ...args],
      {
        GRAFT_URL: url,
      },
    );

  /** Answers GraphQL over HTTP, and keeps what was asked. */
  const answers =
    (data: (query: string, variables: Record<string, unknown>) => unknown): RequestListener =>
    (request, response) =>
      void textOf(request).then((body) => {
        asked.push({ path: request.url!, body });
        const { query, variables = {} } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: data(query, variables) }));
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

  describe('in the middle of a stream', () => {
    /** The events, and a proper end behind them; of anything else nothing. */
    const streams =
      (...events: object[]): RequestListener =>
      (request, response) => {
        if (request.url !== '/graphql/stream')
          return refuses(503, 'application/json', JSON.stringify({ errors: [STOPPING] }))(request, response);
        response.setHeader('content-type', 'text/event-stream');
        for (const data of events) response.write(`event: next\ndata: ${JSON.stringify({ data })}\n\n`);
        response.end('event: complete\ndata:\n\n');
      };
    const delta = { askStream: { __typename: 'TextDelta', text: 'It runs' } };
    const run50 = { trainingProgress: { __typename: 'RunProgressed', id: '1', status: 'RUNNING', progress: 0.5 } };
    const run100 = { trainingProgress: { __typename: 'RunProgressed', id: '2', status: 'SUCCEEDED', progress: 1 } };

    it.each([
      [['ask', 'why'], [delta]],
      [['ask', 'why'], []],
      [['call', 'AskStream', 'question=why'], [delta]],
      [['call', 'TrainingProgress', 'runId=1'], [run50]],
      [['call', 'AlertRaised'], []],
    ])('fails where the gateway ends what is not whole: %j %j', async (args, events) => {
      answer = streams(...events);
      expect(await run(args)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^SHUTTING_DOWN: .*\n$/) as string,
      });
    });

    it('ends with 0 where a run has ended, or had before, and only there', async () => {
      answer = streams(run50, run100);
      expect(await run(['call', 'TrainingProgress', 'runId=1'])).toMatchObject({ code: 0, stderr: '' });
      for (const [status, code, stderr] of [
        ['SUCCEEDED', 0, ''],
        ['RUNNING', 1, expect.stringMatching(/^SHUTTING_DOWN: /)],
      ] as const) {
        const state = answers(() => ({ node: { status, failures: 0 } }));
        answer = (request, response) => (request.url === '/graphql' ? state : streams())(request, response);
        const call = ['call', 'TrainingProgress', 'runId=1', 'after=2'];
        expect(await run(call)).toMatchObject({ code, stderr: stderr as string });
      }
    });

    it('says that a connection broke', async () => {
      answer = (_, response) => {
        response.setHeader('content-type', 'text/event-stream').write(':\n\n');
        setTimeout(() => response.destroy(), 100);
      };
      expect(await run(['ask', 'why'])).toEqual({
        code: 1,
        stdout: '',
        stderr: `CONNECTION_LOST: The stream of ${url} broke off.\n`,
      });
    });

    it('ends the stream once nobody reads, however long it would go on', async () => {
      let closed = 0;
      answer = (_, response) => {
        response.setHeader('content-type', 'text/event-stream');
        const more = setInterval(() => response.write(`event: next\ndata: ${JSON.stringify({ data: delta })}\n\n`), 10);
        response.once('close', () => (clearInterval(more), closed++));
      };
      expect(await bash('graft call AlertRaised | head -c 1')).toEqual({ code: 0, stdout: '{', stderr: '' });
      expect(closed).toBe(1);
    });

    it('follows a run to its end though nobody reads, and tells by its code how it ended', async () => {
      const failed = { status: 'FAILED', progress: 1, message: '', error: { code: 'CONFLICT', message: 'It failed.' } };
      const begun = answers((query) =>
        query.includes('node(')
          ? { node: { __typename: 'TrainingRun' } }
          : { startTraining: { run: { id: 'run-1' }, padding: 'x'.repeat(1e6) } },
      );
      answer = (request, response) =>
        (request.url === '/graphql' ? begun : streams({ trainingProgress: failed }))(request, response);
      expect(await bash('graft call StartTraining adapter=a datasetVersion=b --follow | head -c 1')).toEqual({
        code: 1,
        stdout: '{',
        stderr: 'CONFLICT: It failed.\n',
      });
    });
  });

  it('looks for a workspace on every page', async () => {
    const page = (name: string, endCursor: string | null) => ({
      edges: [{ node: { id: `id of ${name}`, name, createdAt: '2026-01-01T00:00:00Z' } }],
      pageInfo: { hasNextPage: endCursor !== null, endCursor },
    });
    answer = answers((query, { after }) =>
      query.includes('workspaces(')
        ? { workspaces: after ? page('acme', null) : page('default', 'one') }
        : { apiKeys: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } },
    );
    expect((await run(['workspaces', 'list'])).stdout).toBe('default\nacme\n');
    expect(await run(['keys', 'list', '-w', 'acme'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^There are no keys yet/),
      stderr: '',
    });
    expect(asked.at(-1)!.body).toContain('"workspaceId":"id of acme"');
  });

  it('makes no key at home in place of one on a gateway that was named', async () => {
    await new Promise((resolve) => server.close(resolve));
    const create = ['keys', 'create', '--role', 'ADMIN'];
    for (const [args, env] of [
      [['--url', url, ...create], {}],
      [create, { GRAFT_URL: url }],
    ] as const)
      expect(await run([...args], env, folder)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^UNREACHABLE: .* with --at-home, /) as string,
      });
    expect(await readdir(folder)).toEqual([]);
  });

  it('finds no workspace in a home that is not there, and takes an empty GRAFT_HOME for none', async () => {
    const create = ['keys', 'create', '--role', 'ADMIN', '-w', 'acme', '--at-home'];
    expect(await run(create, { GRAFT_HOME: '' }, folder)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`There is no Graft in ${join(folder, '.graft')}.`) as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  describe('with files', () => {
    /** Measures what is uploaded. */
    const takesFiles =
      (
        seen: (form: { bytes: number; head: string; tail: string; length: string | undefined }) => void,
      ): RequestListener =>
      (request, response) => {
        let bytes = 0;
        let [head, tail] = ['', ''];
        request.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (head.length < 500) head += chunk.toString('latin1', 0, 500);
          tail = (tail + chunk.toString('latin1')).slice(-200);
        });
        request.on('end', () => {
          seen({ bytes, head, tail, length: request.headers['content-length'] });
          response.setHeader('content-type', 'application/json').end('{"id":"file-1"}');
        });
      };

    it('sends a file as it is read: half a gigabyte is never in memory as a whole', async () => {
      const path = join(folder, 'a"b.bin');
      await writeFile(path, 'begin');
      await truncate(path, 500e6);
      const forms: { bytes: number; head: string; tail: string; length: string | undefined }[] = [];
      answer = takesFiles((form) => forms.push(form));
      const client = join(packageRoot(), 'dist', 'src', 'client', 'graft-client.js');
      const program = `
        const { GraftClient } = await import(process.argv[1]);
        console.log(await new GraftClient(process.argv[2]).upload(process.argv[3]), process.resourceUsage().maxRSS);`;
      const sent = await ended(process.execPath, ['--input-type=module', '-e', program, client, url, path]);
      const [id, kilobytes] = sent.stdout.trim().split(' ');
      expect(id).toBe('file-1');
      // Node itself takes a quarter of it, more where it is slow to give back.
      expect(Number(kilobytes)).toBeLessThan(400_000);
      const [form] = forms;
      expect(form!.bytes).toBeGreaterThan(500e6);
      expect(form!.length).toBe(String(form!.bytes));
      expect(form!.head).toMatch(/filename="a%22b\.bin"\r\n.*\r\n\r\nbegin/);
      expect(form!.tail).toMatch(/\0\r\n--graft-[-0-9a-f]+--\r\n$/);
    }, 60_000);

    /** Takes uploads and ingests them, of which `fails` says whether one can't be, and `hides` whether it has a label of others. */
    const ingests = (fails: (name: string) => boolean, hides = (_name: string) => false): RequestListener => {
      const batches: { name: string }[][] = [];
      const begun = answers((query, variables) => {
        if (query.includes('createCollection')) return { createCollection: { collection: { id: 'c' } } };
        if (query.includes('node('))
          return { node: { failures: batches[Number(variables.id)]!.filter(({ name }) => fails(name)).length } };
        if (!query.includes('ingestDocuments')) return { collection: null };
        const { documents } = variables.input as { documents: { name: string }[] };
        return { ingestDocuments: { run: { id: String(batches.push(documents) - 1) } } };
      });
      const event = { id: '1', status: 'RUNNING', progress: 0.5, message: '', error: null, result: null };
      return (request, response) => {
        if (request.url === '/files') return takesFiles(() => undefined)(request, response);
        if (request.url === '/graphql') return begun(request, response);
        void textOf(request).then((body) => {
          const { runId } = (JSON.parse(body) as { variables: { runId: string } }).variables;
          const results = batches[Number(runId)]!.map(({ name }) => ({
            name,
            outcome: fails(name) ? 'FAILED' : 'INDEXED',
            error: fails(name) ? { message: 'It is broken.' } : null,
          }));
          const all = results.every(({ outcome }) => outcome === 'FAILED');
          const end = all
            ? {
                ...event,
                status: 'FAILED',
                progress: 1,
                error: { code: 'DOCUMENT_UNREADABLE', message: 'No document could be read.' },
              }
            : { ...event, status: 'SUCCEEDED', progress: 1 };
          const shown = results.map((result) => ({ ...event, result: hides(result.name) ? null : result }));
          for (const ingestionProgress of [...shown, end])
            response.write(`event: next\ndata: ${JSON.stringify({ data: { ingestionProgress } })}\n\n`);
          response.end('event: complete\ndata:\n\n');
        });
      };
    };

    it('ingests more than a run takes in several, also behind one that failed', async () => {
      answer = ingests((name) => Number.parseInt(name) < 100);
      const names = Array.from({ length: 230 }, (_, index) => `${String(index).padStart(3, '0')}.txt`);
      for (const name of names) await writeFile(join(folder, name), name);
      const ended = await run(['ingest', '--create', 'notes', ...names, names[0]!], undefined, folder);
      expect(ended.code).toBe(1);
      expect(ended.stdout.trimEnd().split('\n')).toEqual(
        names.map((name, index) => (index < 100 ? `failed  ${name}: It is broken.` : `indexed  ${name}`)),
      );
      expect(ended.stderr).toMatch(/^uploading 1 of 230: 000\.txt\nuploading 2 of 230: /);
      expect(ended.stderr).toMatch(/\nDOCUMENT_UNREADABLE: No document could be read\.\n$/);
      const sent = asked.map(({ body }) => body);
      expect(sent.filter((body) => body.includes('createCollection'))).toHaveLength(1);
      expect(sent.filter((body) => body.includes('ingestDocuments'))).toHaveLength(3);
    });

    it('fails, and says so, where what failed has a label that one may not see, and sends the next files', async () => {
      const names = Array.from({ length: 101 }, (_, index) => `${String(index).padStart(3, '0')}.txt`);
      for (const name of names) await writeFile(join(folder, name), name);
      const hidden = (name: string) => name < '002.txt';
      const told = (outcome: string, from: number) => names.slice(from).map((name) => `${outcome}  ${name}\n`);
      for (const [fails, code, stderr] of [
        [() => false, 0, '2 documents have a label that you may not see.\n'],
        [
          (name: string) => name === '001.txt',
          1,
          '2 documents have a label that you may not see; of these 1 failed.\n',
        ],
      ] as const) {
        answer = ingests(fails, hidden);
        const ended = await run(['ingest', '--create', 'notes', ...names], undefined, folder);
        expect(ended).toMatchObject({ code, stdout: told('indexed', 2).join('') });
        expect(ended.stderr).toContain(stderr);
      }
      answer = ingests((name) => name < '100.txt', hidden);
      const ended = await run(['ingest', '--create', 'notes', ...names], undefined, folder);
      expect(ended.code).toBe(1);
      expect(ended.stdout.split('\n').slice(97)).toEqual(['failed  099.txt: It is broken.', 'indexed  100.txt', '']);
      expect(ended.stderr).toMatch(/ see; of these 2 failed\.\n[^]*\nDOCUMENT_UNREADABLE: /);
    }, 60_000);

    it('calls files of one name by their paths', async () => {
      answer = ingests(() => false);
      for (const name of ['a', 'b']) {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'read.me'), name);
      }
      await writeFile(join(folder, 'other'), 'other');
      const paths = ['a/read.me', `${folder}/b/read.me`, 'other', './other'];
      const ended = await run(['--json', 'ingest', '--create', 'notes', ...paths], undefined, folder);
      expect(ended.code).toBe(0);
      expect(JSON.parse(ended.stdout)).toMatchObject({
        runIds: ['0'],
        documents: [{ name: 'a/read.me' }, { name: 'b/read.me' }, { name: 'other' }],
      });
    });

    it('sends nothing where a path is a folder, no file, one that is too large, or no name for a document', async () => {
      answer = ingests(() => false);
      await writeFile(join(folder, 'there'), 'there');
      await writeFile(join(folder, 'x'.repeat(201)), 'long');
      await mkdir(join(folder, 'notes'));
      await writeFile(join(folder, 'b.pdf'), '');
      await truncate(join(folder, 'b.pdf'), 70_000_000);
      for (const [path, why] of [
        ['notes/', 'BAD_USER_INPUT: notes/ is a folder. Name its files, such as notes/*.\n'],
        ['gone', 'There is no file gone.\n'],
        [
          'b.pdf',
          'PAYLOAD_TOO_LARGE: b.pdf has 70000000 bytes; a document has at most 67108864. Split it, or leave it out.\n',
        ],
        ['x'.repeat(201), /^BAD_USER_INPUT: "x+" can't be the name of a document: /],
      ] as const) {
        const ended = await run(['ingest', '--create', 'notes', 'there', path], undefined, folder);
        expect(ended).toMatchObject({ code: 1, stdout: '' });
        expect(ended.stderr).toMatch(why);
      }
      expect(asked).toEqual([]);
    });

    it('makes no dataset for files that are too many, that can’t be sent, or for a task that is none', async () => {
      const known = answers(() => ({ dataset: null }));
      let uploads = 0;
      answer = (request, response) =>
        request.url === '/graphql'
          ? known(request, response)
          : uploads++ === 0
            ? takesFiles(() => undefined)(request, response)
            : refuses(413, 'application/json', JSON.stringify({ errors: [UNAUTHENTICATED] }))(request, response);
      const names = Array.from({ length: 21 }, (_, index) => `${index}.csv`);
      for (const name of names) await writeFile(join(folder, name), 'text,label');
      const imports = (task: string, ...files: string[]) =>
        run(['import', 'labels', '--create', task, ...files], undefined, folder);
      expect((await imports('classification', ...names)).stderr).toMatch(/^BAD_USER_INPUT: 21 files are too many /);
      const none = await imports('clasification', '0.csv');
      expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('It must be one of classification, ')]);
      const split = await imports('classification', '--split', 'dev', '0.csv');
      expect([split.code, split.stderr]).toEqual([
        2,
        expect.stringContaining('It must be one of train, validation, test.'),
      ]);
      expect((await imports('classification', '--test', '1.8', '0.csv')).code).toBe(2);
      expect((await imports('classification', '--test', '0.2', '--split', 'test', '0.csv')).code).toBe(2);
      expect(asked).toEqual([]);
      expect(await imports('classification', '0.csv', '1.csv')).toMatchObject({ code: 1, stdout: '' });
      expect([uploads, asked.filter(({ body }) => body.includes('createDataset'))]).toEqual([2, []]);
    }, 60_000);

    it('tells by its code that a file failed though nobody reads', async () => {
      answer = ingests((name) => name === 'a.txt');
      for (const name of ['a.txt', 'b.txt']) await writeFile(join(folder, name), name);
      expect(await bash(`graft ingest --create notes "$1"/*.txt | true`, folder)).toMatchObject({
        code: 1,
        stdout: '',
      });
    });

    it('sends what comes through a pipe', async () => {
      const forms: string[] = [];
      answer = takesFiles(({ head, length }) => forms.push(`${length} ${head}`));
      const sent = await bash('graft upload <(echo through a pipe)');
      expect(sent).toEqual({ code: 0, stdout: 'file-1\n', stderr: '' });
      expect(forms).toHaveLength(1);
      expect(forms[0]).toMatch(/^undefined [^]*through a pipe/);
    });
  });
});
