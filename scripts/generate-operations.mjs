// Writes a typed document for each operation of schema/operations and of the console's pages, from schema/schema.graphql.
// Whoever uses a field that the schema renamed fails to compile. Codegen's plugins are called directly: its command line
// would bring hundreds of packages for reading a configuration file.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { buildASTSchema, introspectionFromSchema, Kind, parse, print, visit } from 'graphql';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FRAGMENTS = 'schema/operations/fragments';
const schema = parse(readFileSync(join(root, 'schema/schema.graphql'), 'utf8'));

/** What Graft's own clients send, in the form of Apollo's persisted query manifests: a gateway that answers listed operations only reads it. */
const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations: [] };

/** Each operation by itself, with the fragments that it takes, wherever they stand. */
function list(documents) {
  const definitions = documents.flatMap(({ document }) => document.definitions);
  const fragments = new Map(
    definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  for (const operation of definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)) {
    const taken = new Set();
    const take = (definition) =>
      visit(definition, {
        FragmentSpread({ name: { value } }) {
          const fragment = fragments.get(value);
          if (!fragment || taken.has(fragment)) return;
          taken.add(fragment);
          take(fragment);
        },
      });
    take(operation);
    const body = [operation, ...taken].map(print).join('\n\n');
    const id = createHash('sha256').update(body).digest('hex');
    manifest.operations.push({ id, name: operation.name.value, type: operation.operation, body });
  }
}

const documentsOf = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => ({ location: name, document: parse(readFileSync(join(root, folder, name), 'utf8')) }));

/** Fragments that operations and pages share, a file each: those that `documents` spread, also through others. */
function sharedBy(documents) {
  const shared = new Map(documentsOf(FRAGMENTS).map((file) => [file.document.definitions[0].name.value, file]));
  const taken = new Set();
  const take = ({ document }) =>
    visit(document, {
      FragmentSpread({ name: { value } }) {
        const file = shared.get(value);
        if (!file || taken.has(file)) return;
        taken.add(file);
        take(file);
      },
    });
  documents.forEach(take);
  return [...taken];
}

async function generate(folder, target) {
  const own = documentsOf(folder).filter(({ location }) => !location.startsWith('fragments/'));
  const documents = [...sharedBy(own), ...own];
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
  writeFileSync(join(root, target), made);
}

await generate('schema/operations', 'src/operations/generated/operations.ts');
await generate('src/console', 'src/console/generated/operations.ts');
writeFileSync(join(root, 'src/operations/generated/manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);

// The console's cache needs to know which types an interface has: without, it takes a fragment on one kind of run for another's.
// And which mutations there are, because it reads again after each.
const built = buildASTSchema(schema);
const introspection = minifyIntrospectionQuery(introspectionFromSchema(built, { descriptions: false }));
const mutations = Object.keys(built.getMutationType()?.getFields() ?? {});
writeFileSync(
  join(root, 'src/console/generated/introspection.ts'),
  `import type { CacheExchangeOpts } from '@urql/exchange-graphcache';\n\nexport const schema = ${JSON.stringify(introspection)} as CacheExchangeOpts['schema'];\n\nexport const mutations: readonly string[] = ${JSON.stringify(mutations)};\n`,
);
