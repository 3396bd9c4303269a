// Writes docs/measured.md from bench/results and docs/configure.md from the code; with --check it changes nothing and fails where they differ, or where a page quotes a figure
// of a benchmark that no result has.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const check = process.argv.includes('--check');
const read = (path) => readFileSync(root + path, 'utf8');

/** Benchmarks whose name is not that of what they write. */
const WRITTEN_BY = { learned: 'training', 'reader-calibration': 'probability' };
const tables = JSON.parse(read('bench/tables.json'));
const results = readdirSync(`${root}bench/results`).map((file) => file.replace('.json', ''));
const problems = results
  .filter((name) => !tables.some((table) => table.name === name))
  .map((name) => `bench/results/${name}.json has no entry in bench/tables.json, so no page shows it.`);

const cell = (value) => (value === null ? '–' : String(value ?? '').replaceAll('|', '\\|'));
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const numeric = (rows, column) =>
  rows.every((row) => typeof row[column] === 'number' || /^[\d.<≤≥ ]+( ?%| ms| s)?$/.test(row[column] ?? ''));
const day = ({ at }) => at?.slice(0, 10) ?? 'unknown';
const place = ({ machine, flags }) => [machine, flags].filter(Boolean).join(', ');

function tableOf(rows) {
  if (rows.length === 0) return [];
  const columns = Object.keys(rows[0]).filter((name) => name !== 'measured');
  return [
    line(columns),
    line(columns.map((column) => (numeric(rows, column) ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
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

const sections = tables.flatMap(({ name, title, says, chosen }) => {
  if (!results.includes(name)) return [];
  const { rows = [], ...rest } = JSON.parse(read(`bench/results/${name}.json`));
  return [
    `## ${title}`,
    '',
    `\`npm run bench -- ${WRITTEN_BY[name] ?? name}\`. ${says}`,
    ...(chosen ? [`**In-sample:** ${chosen}.`] : []),
    '',
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
    'interleaved in the same run and only ratios travel. Intervals are 95 %.',
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
for (const quoting of ['README.md', 'docs/scale.md'])
  for (const [, name, figure] of read(quoting).matchAll(/<!-- bench: ([\w-]+): (.+?) -->/g)) {
    const file = `bench/results/${name}.json`;
    if (!existsSync(root + file) || !read(file).includes(figure))
      problems.push(`${quoting} quotes ${figure}, which ${file} does not say.`);
  }

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);
