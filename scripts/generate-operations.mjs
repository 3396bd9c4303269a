// Writes src/operations/generated/operations.ts from schema/schema.graphql and schema/operations: a typed document for each
// operation. Whoever uses a field that the schema renamed fails to compile. Codegen's plugins are called directly: its
// command line would bring 400 packages for reading a configuration file.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'schema/operations');
const target = join(root, 'src/operations/generated/operations.ts');

const documents = readdirSync(folder)
  .filter((name) => name.endsWith('.graphql'))
  .map((name) => ({ location: name, document: parse(readFileSync(join(folder, name), 'utf8')) }));
const made = await codegen({
  filename: basename(target),
  schema: parse(readFileSync(join(root, 'schema/schema.graphql'), 'utf8')),
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
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, made);
