// Writes schema/schema.graphql and schema/errors.md from the code; with --check it changes nothing and fails where they differ,
// where something lacks a description, or where an operation of schema/operations does not fit the schema.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { getVariableValues, lexicographicSortSchema, parse, printSchema, validate } from 'graphql';

await import('./build.mjs');
const { buildGraphSchema } = await import('../dist/src/server/graphql/schema.js');
const { RESOLVER_CLASSES } = await import('../dist/src/server/graphql/resolvers.js');
const { undescribed } = await import('../dist/src/server/graphql/descriptions.js');
const { DEFAULT_LIMITS } = await import('../dist/src/server/graphql/limits.js');
const { DocumentChecker } = await import('../dist/src/server/graphql/documents.js');
const { errorsPage } = await import('../dist/src/server/graphql/errors-page.js');

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
const generated = (name) =>
  JSON.parse(readFileSync(`${folder}../src/client/operations/generated/${name}.json`, 'utf8'));
const sent = generated('manifest').operations.map(({ body }) => body);
for (const { name } of parse(readFileSync(`${folder}operations/fragments.graphql`, 'utf8')).definitions)
  if (!sent.some((body) => body.includes(`fragment ${name.value} on`)))
    problems.push(`schema/operations/fragments.graphql: nothing spreads ${name.value}; delete it.`);
const operations = generated('ready');
for (const { name, text, example } of operations) {
  try {
    const document = parse(text);
    for (const error of validate(schema, document)) problems.push(`schema/operations, ${name}: ${error.message}`);
    if (problems.length > 0) continue;
    const prepared = checker.prepare(text);
    const variables = example === '' ? {} : JSON.parse(example);
    const { errors } = getVariableValues(schema, document.definitions[0].variableDefinitions ?? [], variables);
    for (const error of errors ?? []) problems.push(`schema/operations, variables of ${name}: ${error.message}`);
    checker.checkVariables(prepared, null, variables);
  } catch (error) {
    problems.push(`schema/operations, ${name}: ${error.message}`);
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exit(1);
process.stdout.write(
  `schema: ${Object.keys(schema.getTypeMap()).length} types, ${operations.length} operations, all described and valid\n`,
);
