import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/platform/package-root.js';
import { NpmProject } from '../support/npm-project.js';
import { itWhen } from '../support/skip.js';

const run = promisify(execFile);

const project = await NpmProject.with(['@urql/core@6', 'graphql@16', '@graphql-typed-document-node/core@3']);
const itInProject = itWhen(typeof project !== 'string', typeof project === 'string' ? project : '');

const PROGRAM = `
import { Client, fetchExchange } from '@urql/core';
import { AskDocument, type AskQuery } from 'graft/operations';

const client = new Client({ url: 'http://127.0.0.1:4000/graphql', exchanges: [fetchExchange] });
const { data } = await client.query(AskDocument, { input: { question: '…' } });
export const whole: AskQuery | undefined = data;
export const text: string | undefined = data?.ask.text;
// @ts-expect-error the schema has no such field
export const none = data?.ask.texts;
// @ts-expect-error nor such a variable
export const asked = client.query(AskDocument, { input: { questions: '…' } });
`;

describe('graft/operations in another project', () => {
  const inProject = (program: string, words: readonly string[]) =>
    run(program, words, { cwd: (project as NpmProject).path }).then(({ stdout }) => stdout);

  beforeAll(async () => {
    if (typeof project === 'string') return;
    const words = ['pack', '--silent', '--pack-destination', project.path, './dist/operations'];
    const { stdout } = await run('npm', words, { cwd: packageRoot() });
    await inProject('npm', ['install', `./${stdout.trim()}`]);
  }, 120_000);
  afterAll(async () => {
    if (typeof project !== 'string') await project.remove();
  });

  itInProject(
    'types a client’s variables and answers, as Node and as bundlers resolve modules',
    async () => {
      writeFileSync(join((project as NpmProject).path, 'ask.mts'), PROGRAM);
      const compiler = join(packageRoot(), 'node_modules', 'typescript', 'bin', 'tsc');
      const options = ['--noEmit', '--strict', '--target', 'es2022', 'ask.mts'];
      const complaints = (words: readonly string[]) =>
        inProject(process.execPath, [compiler, ...options, ...words]).catch(({ stdout }: { stdout: string }) => stdout);
      expect(await complaints(['--module', 'nodenext'])).toBe('');
      expect(await complaints(['--module', 'esnext', '--moduleResolution', 'bundler'])).toBe('');
    },
    120_000,
  );

  itInProject('is there for import and for require, without anything that runs a gateway', async () => {
    const name = 'AskDocument.definitions.find(({ kind }) => kind === "OperationDefinition").name.value';
    const imported = `import { AskDocument } from 'graft/operations'; console.log(${name})`;
    const required = `const { AskDocument } = require('graft/operations'); console.log(${name})`;
    expect(await inProject(process.execPath, ['--input-type=module', '--eval', imported])).toBe('Ask\n');
    expect(await inProject(process.execPath, ['--input-type=commonjs', '--eval', required])).toBe('Ask\n');
    const lock = JSON.parse(readFileSync(join((project as NpmProject).path, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dependencies?: object }>;
    };
    expect(Object.keys(lock.packages['node_modules/graft']!.dependencies!)).toEqual([
      '@graphql-typed-document-node/core',
    ]);
  });

  it('comes with Graft’s own archive, too', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], {
      cwd: packageRoot(),
      maxBuffer: 64 * 1024 * 1024,
    });
    const { exports } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
      exports: { './operations': Record<string, string> };
    };
    for (const path of Object.values(exports['./operations'])) expect(stdout).toContain(`"${path.replace('./', '')}"`);
  }, 60_000);
});
