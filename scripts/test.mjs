// `npm test [-- ARGUMENTS OF JEST]` builds and runs the tests from dist/. A path may name the source (test/unit/cli/keys.test.ts), in any project.
// `--long` runs what only `npm run test:long` runs; `--changed [REVISION]` what a change since the last commit, or that revision, can break.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import './build.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const [...given] = process.argv.slice(2);

/** The argument and what follows it, taken out of the given ones; null where it isn't there. */
function option(name, takesValue = false) {
  const at = given.indexOf(name);
  if (at < 0) return null;
  const value = takesValue && given[at + 1] && !given[at + 1].startsWith('-') ? given[at + 1] : null;
  given.splice(at, value === null ? 1 : 2);
  return { value };
}

/** Built files of the sources that differ from a revision, those that git doesn't know yet included. */
function changedFiles(revision) {
  const git = (...words) => spawnSync('git', words, { cwd: root, encoding: 'utf8' }).stdout.split('\n');
  return [...git('diff', '--name-only', revision), ...git('ls-files', '--others', '--exclude-standard')]
    .filter((path) => /^(src|gpu-worker|test)\/.*\.ts$/.test(path) && !path.startsWith('src/console/'))
    .map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
}

const long = option('--long');
const changed = option('--changed', true);
const paths = given.filter((word) => !word.startsWith('-'));
const quick = ['unit', 'declaring', 'real', 'declaring-real'];
const selected = long ? ['long', 'drawn'] : paths.length > 0 && !changed ? [...quick, 'long'] : quick;
const words = given.map((word) => word.replace(/\.test\.ts$/, '.test.js'));
if (changed) {
  const files = changedFiles(changed.value ?? 'HEAD');
  if (files.length === 0) {
    console.log('No source that a test can reach has changed.\n\n0 passed, 0 failed');
    process.exit(0);
  }
  words.push('--findRelatedTests', ...files);
}
words.push('--selectProjects', ...selected);

// What a test leaves behind, or one that was killed, goes with the run. PostgreSQL's user writes there, too.
const folder = mkdtempSync(join(tmpdir(), 'graft-tests-'));
chmodSync(folder, 0o1777);
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const jest = spawn(process.execPath, [`${root}node_modules/jest/bin/jest.js`, ...words], {
  cwd: root,
  stdio: 'inherit',
  env: { ...(long && { GRAFT_TEST_DRAWS: '5' }), ...process.env, TMPDIR: folder },
});
// The terminal signals the whole group; another sender this process alone.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => jest.kill(signal));
process.on('SIGINT', () => undefined);
jest.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
