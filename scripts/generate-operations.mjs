// Writes a typed document for each operation of schema/operations and of the console's pages, from schema/schema.graphql.
// Whoever uses a field that the schema renamed fails to compile. Codegen's plugins are called directly: its command line
// would bring hundreds of packages for reading a configuration file.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { buildASTSchema, introspectionFromSchema, Kind, parse, print, TokenKind, visit } from 'graphql';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const OPERATIONS = 'schema/operations';
/** Heads the console's file: pages send the operations of schema/operations, too. A type that both files have is the console's own. */
const CLIENT_OPERATIONS = "export * from '../../client/operations/index.js';\n";
const schema = parse(readFileSync(join(root, 'schema/schema.graphql'), 'utf8'));

/** The files of schema/operations in the order of the Playground's sidebar, below the headings there. */
const FLOWS = {
  Ask: ['ask', 'feedback'],
  Knowledge: ['documents', 'sources'],
  Models: ['models'],
  Data: ['datasets'],
  Runs: ['runs'],
  Training: ['training'],
  Adapters: ['adapters'],
  Evaluation: ['evaluation', 'strategies'],
  System: ['monitoring', 'rollouts', 'experiments', 'shadows', 'improvement', 'access', 'system'],
};

/** What Graft's own clients send, in the form of Apollo's persisted query manifests: a gateway that answers listed operations only reads it. */
const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations: [] };

/** Each operation by itself, with the fragments that it takes, wherever they stand. */
function list(documents) {
  const definitions = documents.flatMap(({ document }) => document.definitions);
  for (const operation of definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)) {
    const body = [operation, ...spreadBy([operation], definitions)].map(print).join('\n\n');
    const id = createHash('sha256').update(body).digest('hex');
    manifest.operations.push({ id, name: operation.name.value, type: operation.operation, body });
  }
}

/** Those of `fragments` that the definitions spread, also through others. */
function spreadBy(definitions, fragments) {
  const byName = new Map(
    fragments
      .filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const taken = new Set();
  const take = (definition) =>
    visit(definition, {
      FragmentSpread({ name: { value } }) {
        const fragment = byName.get(value);
        if (!fragment || taken.has(fragment)) return;
        taken.add(fragment);
        take(fragment);
      },
    });
  definitions.forEach(take);
  return [...taken];
}

const definitionsIn = (path) => parse(readFileSync(join(root, path), 'utf8')).definitions;

/** A document without descriptions: they are for readers, and are not sent. */
const documentOf = (location, definitions) => ({
  location,
  document: {
    kind: Kind.DOCUMENT,
    definitions: definitions.map((definition) => ({ ...definition, description: undefined })),
  },
});

const documentsBelow = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.graphql') && name !== 'fragments.graphql')
    .sort()
    .map((name) => documentOf(name, definitionsIn(join(folder, name))));

/** The variables of the comment above a definition (`# variables: { … }`), a value a line; empty where there is none. */
function exampleAbove({ loc }) {
  const lines = [];
  for (let token = loc.startToken.prev; token?.kind === TokenKind.COMMENT; token = token.prev)
    lines.unshift(token.value);
  const [, variables] = /^ variables: (.*)$/s.exec(lines.join('\n')) ?? [];
  return variables === undefined ? '' : JSON.stringify(JSON.parse(variables), null, 2);
}

/** What the Playground, the command line and agents know of each operation of schema/operations. */
function readyOperations() {
  const sent = new Map(manifest.operations.map(({ name, body }) => [name, body]));
  const ready = Object.entries(FLOWS).flatMap(([flow, files]) =>
    files.flatMap((file) =>
      definitionsIn(`${OPERATIONS}/${file}.graphql`).map((operation) => {
        const { name, operation: kind, description } = operation;
        if (!description) throw new Error(`${OPERATIONS}/${file}.graphql: ${name.value} has no description.`);
        const text = sent.get(name.value);
        return { flow, name: name.value, kind, description: description.value, text, example: exampleAbove(operation) };
      }),
    ),
  );
  const files = readdirSync(join(root, OPERATIONS)).map((name) => basename(name, '.graphql'));
  const unplaced = files.find((file) => file !== 'fragments' && !Object.values(FLOWS).flat().includes(file));
  if (unplaced !== undefined)
    throw new Error(`${OPERATIONS}/${unplaced}.graphql has no place in FLOWS of ${import.meta.url}.`);
  return ready;
}

/** @param head what the file begins with */
async function generate(folder, target, head = '') {
  const own = documentsBelow(folder);
  const shared = spreadBy(
    own.flatMap(({ document }) => document.definitions),
    definitionsIn(`${OPERATIONS}/fragments.graphql`),
  );
  const documents = [documentOf('fragments.graphql', shared), ...own];
  list(documents);
  const made = await codegen({
    filename: basename(target),
    schema,
    documents,
    pluginMap: { typescriptOperations, typedDocumentNode },
    plugins: [{ typescriptOperations: {} }, { typedDocumentNode: {} }],
    config: {
      useTypeImports: true,
      enumsAsTypes: true,
      avoidOptionals: { field: true, inputValue: false },
      strictScalars: true,
      // As JSON has them: a big integer is a number up to 2^53 and a string beyond.
      scalars: { ID: 'string', BigInt: 'number | string', DateTime: 'string', JSON: 'unknown' },
    },
  });
  mkdirSync(dirname(join(root, target)), { recursive: true });
  writeFileSync(join(root, target), head + made);
  return made;
}

/** `graft/operations` as a package of its own (docs/snippets.md): who asks a gateway needs nothing of what runs one. */
function writePackage(operations) {
  const folder = join(root, 'dist/operations');
  mkdirSync(folder, { recursive: true });
  const graft = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const types = '@graphql-typed-document-node/core';
  const described = {
    name: graft.name,
    version: graft.version,
    description: 'The operations of a Graft gateway as typed documents.',
    license: 'Apache-2.0',
    type: 'module',
    exports: { './operations': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    dependencies: { [types]: graft.dependencies[types] },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
  const options = { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } };
  writeFileSync(join(folder, 'index.js'), ts.transpileModule(operations, options).outputText);
  writeFileSync(join(folder, 'index.d.ts'), ts.transpileDeclaration(operations, options).outputText);
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

writePackage(await generate(OPERATIONS, 'src/client/operations/generated/operations.ts'));
await generate('src/console', 'src/console/generated/operations.ts', CLIENT_OPERATIONS);
for (const [name, made] of Object.entries({ manifest, ready: readyOperations() }))
  writeFileSync(join(root, `src/client/operations/generated/${name}.json`), `${JSON.stringify(made, null, 1)}\n`);

// The console's cache needs to know which types an interface has: without, it takes a fragment on one kind of run for another's.
// And which mutations there are, because it reads again after each.
const built = buildASTSchema(schema);
const introspection = minifyIntrospectionQuery(introspectionFromSchema(built, { descriptions: false }));
const mutations = Object.keys(built.getMutationType()?.getFields() ?? {});
writeFileSync(
  join(root, 'src/console/generated/introspection.ts'),
  `import type { CacheExchangeOpts } from '@urql/exchange-graphcache';\n\nexport const schema = ${JSON.stringify(introspection)} as CacheExchangeOpts['schema'];\n\nexport const mutations: readonly string[] = ${JSON.stringify(mutations)};\n`,
);
