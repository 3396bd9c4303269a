// Writes docs/measured.md from bench/results and docs/configure.md from the code. With --check it changes nothing and fails where they differ.
// It also fails where a result is empty or names no commit of this history, where a page quotes a figure that no result has, and where README quotes a
// result that is older than the code that it is of (`of` in bench/tables.json).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { essence } from './essence.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const check = process.argv.includes('--check');
const read = (path) => readFileSync(root + path, 'utf8');

/** Benchmarks whose name is not that of what they write. */
const WRITTEN_BY = { learned: 'training', 'reader-calibration': 'probability' };
/** The benchmark that writes what a table shows; one of many topics writes a table for each. */
const writerOf = (name) => WRITTEN_BY[name] ?? name.replace(/^decisions-.*/, 'decisions');
const tables = JSON.parse(read('bench/tables.json'));
const results = readdirSync(`${root}bench/results`).map((file) => file.replace('.json', ''));
const problems = results
  .filter((name) => !tables.some((table) => table.name === name))
  .map((name) => `bench/results/${name}.json has no entry in bench/tables.json, so no page shows it.`);

const cell = (value) => (value === null ? '–' : String(value ?? '').replaceAll('|', '\\|'));
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const numeric = (rows, column) =>
  rows.every((row) => typeof row[column] === 'number' || /^[\d.<≤≥ ]+( ?%| ms| s)?$/.test(row[column] ?? ''));

const git = (...args) => {
  try {
    return execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
};
/** An archive or a shallow clone can’t say what changed since a commit. */
const history = git('rev-parse', '--is-shallow-repository') === 'false';
if (!history) process.stderr.write('Without its whole history nothing can be said of stale results.\n');

const known = new Map();
const isKnown = (commit) => {
  if (!known.has(commit)) known.set(commit, git('merge-base', '--is-ancestor', commit, 'HEAD') !== null);
  return known.get(commit);
};
/** Files below paths, each with the digest of its content: at a commit, or of the index. */
function blobsOf(paths, commit) {
  const lines = git(...(commit ? ['ls-tree', '-r', commit] : ['ls-files', '-s']), '--', ...paths)?.split('\n') ?? [];
  // "mode type digest<tab>file" of a tree, "mode digest stage<tab>file" of the index
  return lines.filter(Boolean).map((line) => {
    const [about, file] = line.split('\t');
    return { digest: about.split(' ')[commit ? 2 : 1], file };
  });
}

let codeHere;
/** The essence of all code of today. */
const code = () =>
  (codeHere ??= new Set(
    blobsOf(['src', 'gpu-worker'])
      .filter(({ file }) => existsSync(root + file))
      .map(({ file }) => essence(file, read(file))),
  ));

/** The paths of a table whose files of then, under whatever name, aren't all there as they were. */
function changedSince(commit, paths) {
  return paths.filter((path) => {
    if (git('diff', '--quiet', commit, '--', path) !== null) return false;
    const then = blobsOf([path], commit);
    const now = new Set(blobsOf([path]).map(({ digest }) => digest));
    const isGone = ({ digest, file }) => {
      if (now.has(digest) && git('diff', '--quiet', '--', file) !== null) return false;
      const text = essence(file, git('cat-file', 'blob', digest));
      return text !== '' && !code().has(text);
    };
    return then.length === 0 || then.some(isGone);
  });
}

const day = ({ at }) => at?.slice(0, 10) ?? 'unknown';
const place = ({ machine, flags }) => [machine, flags].filter(Boolean).join(', ');

function tableOf(rows) {
  if (rows.length === 0) return [];
  const runs = new Set(rows.map(({ measured }) => `${day(measured)} ${measured.commit}`));
  // Rows of several runs say each when it was measured.
  const shown =
    runs.size > 1 ? rows.map((row) => ({ ...row, measured: `${day(row.measured)}, ${row.measured.commit}` })) : rows;
  const columns = Object.keys(rows[0]).filter((name) => name !== 'measured' || runs.size > 1);
  return [
    line(columns),
    line(columns.map((column) => (numeric(rows, column) ? '---:' : '---'))),
    ...shown.map((row) => line(columns.map((column) => row[column]))),
    '',
  ];
}

/** Figures beside the rows: small ones only; long lists stay in the file. */
function details(result) {
  const flat = [];
  const walk = (path, value) => {
    if (typeof value === 'number') flat.push(`${path} ${Number(value.toPrecision(4))}`);
    else if (typeof value === 'string') flat.push(`${path} ${value}`);
    else if (value !== null && typeof value === 'object' && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) walk(path === '' ? key : `${path}, ${key}`, inner);
  };
  walk(
    '',
    Object.fromEntries(Object.entries(result).filter(([key]) => !['rows', 'recipe', 'digest', 'model'].includes(key))),
  );
  return flat.length > 0 && flat.length <= 48 ? [`Beside it: ${flat.join('; ')}.`, ''] : [];
}

function measuredBy(rows) {
  const runs = [
    ...new Set(
      rows.map(
        ({ measured }) =>
          `${day(measured)} on ${place(measured)}${measured.commit ? `, commit ${measured.commit}` : ''}`,
      ),
    ),
  ];
  return runs.length > 0 ? [`Measured ${runs.join('; ')}.`, ''] : [];
}

/** What is wrong with a result, as sentences; and the sentence that says how it is stale. */
function ageOf(name, rows, paths) {
  if (rows.length === 0) problems.push(`bench/results/${name}.json has no rows.`);
  const commits = [...new Set(rows.map(({ measured }) => measured?.commit ?? ''))];
  if (!history) return [];
  for (const commit of commits)
    if (commit === '' || !isKnown(commit))
      problems.push(
        `bench/results/${name}.json has rows of ${commit || 'no commit'}: measure them again or take them out.`,
      );
  const changes = new Map(commits.filter(isKnown).map((commit) => [commit, changedSince(commit, paths)]));
  const older = [...changes.keys()].filter((commit) => changes.get(commit).length > 0);
  if (older.length === 0) return [];
  const fresh = rows.filter(({ measured }) => !older.includes(measured?.commit));
  freshRows.set(name, JSON.stringify(fresh, null, 2));
  const changed = new Set([...changes.values()].flat());
  const which = fresh.length > 0 ? `the rows of ${older.join(', ')}: ` : '';
  return [`**Stale:** ${which}${[...changed].map((path) => `\`${path}\``).join(', ')} changed since.`, ''];
}

const sets = JSON.parse(read('bench/sets.json'));
/** A benchmark's source with what it imports from bench. */
function sourceOf(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(root + file)) return '';
  seen.add(file);
  const text = read(file);
  const imported = [...text.matchAll(/from '(\.[^']+)\.js'/g)].map(([, path]) => join(dirname(file), `${path}.ts`));
  return (
    text +
    imported
      .filter((path) => path.startsWith('bench/'))
      .map((path) => sourceOf(path, seen))
      .join('')
  );
}

/** A set on which something was chosen makes a table in-sample, or the table says why that choice doesn't reach it. */
function choicesOf({ name, chosen, apart }) {
  const source = sourceOf(`bench/${writerOf(name)}.ts`);
  const chosenOn = sets.filter((set) => set.chosen.length > 0 && source.includes(set.mark));
  if (chosenOn.length > 0 && !chosen && !apart)
    problems.push(
      `bench/tables.json doesn't say of ${name} whether what was chosen on ${chosenOn.map((set) => set.name).join(' and ')} reaches it (chosen, apart).`,
    );
  if (chosen) return [`**In-sample:** ${chosen}.`];
  return apart ? [`**Unseen:** ${apart}.`] : [];
}

/** Of results with rows that are older than a change, the others, as their file has them. */
const freshRows = new Map();
const sections = tables.flatMap((table) => {
  const { name, title, says, of } = table;
  if (!results.includes(name)) return [];
  const { rows = [], ...rest } = JSON.parse(read(`bench/results/${name}.json`));
  const age = ageOf(name, rows, of);
  return [
    `## ${title}`,
    '',
    `\`npm run bench -- ${writerOf(name)}\`. ${says}`,
    ...choicesOf(table),
    '',
    ...age,
    ...tableOf(rows),
    ...details(rest),
    ...measuredBy(rows),
  ];
});

const page =
  [
    '# Measured',
    '',
    '<!-- Written by `npm run measured` from bench/results. -->',
    '',
    'Each table is what one benchmark wrote, on the machine and day that stand under it; the machines are small, shared and noisy, so peers run',
    'interleaved in the same run and only ratios travel. Intervals are 95 %. **Stale** rows are older than a change of the code that they measure.',
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd() + '\n';

await import('./build.mjs');
const { configTable } = await import('../dist/src/platform/config.js');
const configuration = `# Configure

Everything comes from the environment and is read once, at start; an empty value counts as unset. A bad value ends the start with a sentence
that names it.

<!-- Written by \`npm run measured\` from src/platform/config.ts. -->

${configTable()}
`;

for (const [path, made] of Object.entries({ 'docs/measured.md': page, 'docs/configure.md': configuration })) {
  if (existsSync(root + path) && read(path) === made) continue;
  if (check) problems.push(`${path} differs from what it is made of; run \`npm run measured\` and commit it.`);
  else writeFileSync(root + path, made);
}

/** A figure in a page says where it is from: `<!-- bench: reader: 65.8 -->` behind it. */
const pages = readdirSync(`${root}docs`, { recursive: true }).filter(
  (file) => file.endsWith('.md') && file !== 'measured.md',
);
for (const quoting of ['README.md', ...pages.map((file) => `docs/${file}`)])
  for (const [, name, figure] of read(quoting).matchAll(/<!-- bench: ([\w-]+): (.+?) -->/g)) {
    const file = `bench/results/${name}.json`;
    if (!existsSync(root + file) || !read(file).includes(figure))
      problems.push(`${quoting} quotes ${figure}, which ${file} does not say.`);
    else if (quoting === 'README.md' && freshRows.get(name)?.includes(figure) === false)
      problems.push(`README.md quotes ${figure} of ${name}, which is stale.`);
  }

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);
