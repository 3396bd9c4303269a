// Writes schema/schema.graphql and schema/errors.md from the code; with --check it changes nothing and fails where they differ,
// where something lacks a description, or where an operation of schema/operations does not fit the schema.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withFragments } from '../src/graphql/playground/app/with-fragments.js';
import { getVariableValues, lexicographicSortSchema, parse, printSchema, validate } from 'graphql';

await import('./build.mjs');
const { buildGraphSchema } = await import('../dist/src/graphql/schema.js');
const { RESOLVER_CLASSES } = await import('../dist/src/graphql/resolvers.js');
const { undescribed } = await import('../dist/src/graphql/descriptions.js');
const { DEFAULT_LIMITS } = await import('../dist/src/graphql/limits.js');
const { DocumentChecker } = await import('../dist/src/graphql/documents.js');
const { errorsPage } = await import('../dist/src/graphql/errors-page.js');

const check = process.argv.includes('--check');
const folder = fileURLToPath(new URL('../schema/', import.meta.url));
const problems = [];

const schema = lexicographicSortSchema(buildGraphSchema(RESOLVER_CLASSES));
for (const coordinate of undescribed(schema)) problems.push(`${coordinate} has no description.`);

/** The first lines that differ, each with its number. */
function difference(stored, made) {
  const [a, b] = [stored.split('\n'), made.split('\n')];
  const changed = [];
  for (let i = 0; i < Math.max(a.length, b.length) && changed.length < 10; i++)
    if (a[i] !== b[i]) changed.push(`  ${i + 1} - ${a[i] ?? ''}\n  ${i + 1} + ${b[i] ?? ''}`);
  return changed.join('\n');
}

const files = {
  'schema.graphql': `# Written by \`npm run schema\` from the resolvers; the build fails when it differs from them.\n\n${printSchema(schema)}\n`,
  'errors.md': errorsPage(),
};
mkdirSync(folder, { recursive: true });
for (const [name, made] of Object.entries(files)) {
  const path = folder + name;
  const stored = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (stored === made) continue;
  if (check)
    problems.push(
      `schema/${name} differs from the code; run \`npm run schema\` and commit it.\n${difference(stored, made)}`,
    );
  else writeFileSync(path, made);
}

const checker = new DocumentChecker(schema, DEFAULT_LIMITS);
const textsIn = (path) => readdirSync(path).map((name) => readFileSync(`${path}/${name}`, 'utf8'));
const fragments = textsIn(`${folder}operations/fragments`);
const pagesFolder = fileURLToPath(new URL('../src/console/pages/', import.meta.url));
const pageTexts = readdirSync(pagesFolder, { recursive: true })
  .filter((name) => name.endsWith('.graphql'))
  .map((name) => readFileSync(pagesFolder + name, 'utf8'));
const operationTexts = readdirSync(`${folder}operations`)
  .filter((name) => name.endsWith('.graphql'))
  .map((name) => readFileSync(`${folder}operations/${name}`, 'utf8'));
// Spread by an operation or a page, also through others: what `withFragments` puts behind all of them together.
const spread = withFragments([...pageTexts, ...operationTexts].join('\n'), fragments);
for (const fragment of fragments)
  if (!spread.includes(fragment))
    problems.push(`schema/operations/fragments: nothing spreads ${/\bfragment\s+(\w+)/.exec(fragment)[1]}; delete it.`);
const operations = existsSync(`${folder}operations`) ? readdirSync(`${folder}operations`) : [];
for (const name of operations.filter((file) => file.endsWith('.graphql'))) {
  const text = withFragments(readFileSync(`${folder}operations/${name}`, 'utf8'), fragments);
  try {
    const document = parse(text);
    for (const error of validate(schema, document)) problems.push(`schema/operations/${name}: ${error.message}`);
    if (problems.length > 0) continue;
    const prepared = checker.prepare(text);
    const beside = `${folder}operations/${name.replace('.graphql', '.variables.json')}`;
    const variables = existsSync(beside) ? JSON.parse(readFileSync(beside, 'utf8')) : {};
    for (const definition of document.definitions) {
      const { errors } = getVariableValues(schema, definition.variableDefinitions ?? [], variables);
      for (const error of errors ?? []) problems.push(`${beside}: ${error.message}`);
    }
    checker.checkVariables(prepared, null, variables);
  } catch (error) {
    problems.push(`schema/operations/${name}: ${error.message}`);
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);
process.stdout.write(
  `schema: ${Object.keys(schema.getTypeMap()).length} types, ${operations.filter((file) => file.endsWith('.graphql')).length} operations, all described and valid\n`,
);
