/** `/v1/openapi.json`: what is served below `/v1`, made of the schemas that check requests. */
import type { RouteOptions } from 'fastify';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ERROR_CODES } from '../../kernel/error-codes.js';
import { packageVersion } from '../../platform/package-root.js';
import type { Addressing, CheckedServer, Description } from './http.js';
import * as shapes from './shapes.js';
import { filter } from './vector-stores/filters.js';

interface Address extends Description {
  method: string;
  /** `/files/{id}` */
  path: string;
}

type JsonSchema = Record<string, unknown>;

/** Who holds a key reads it, as everything below `/v1`: it needs no rule of its own, and tells a stranger no version. */
export function addDocument(server: CheckedServer, { optionsFor }: Addressing): void {
  const addresses: Address[] = [];
  server.addHook('onRoute', ({ method, url, config }: RouteOptions) => {
    if (!config?.description || method === 'HEAD') return;
    const path = url
      .slice('/v1'.length)
      .replace('*', '{model}')
      .replaceAll(/:(\w+)/g, '{$1}');
    addresses.push({ ...config.description, method: String(method).toLowerCase(), path });
  });
  const describes = optionsFor('ASK', {
    summary: 'Describes these addresses',
    answer: z.looseObject({ openapi: z.string() }),
  });
  let document: object | undefined;
  server.get('/v1/openapi.json', describes, () => (document ??= documentOf(addresses)));
}

const NOTE =
  'The addresses that OpenAI’s clients speak. A field is honoured, or refused by its name. null counts as left out.';
const KEY = 'A key of Graft. On loopback none is needed until somebody has one.';

function documentOf(addresses: readonly Address[]): object {
  const schemas = new NamedSchemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const address of addresses) (paths[address.path] ??= {})[address.method] = operationOf(address, schemas);
  return {
    openapi: '3.1.0',
    info: { title: 'Graft', version: packageVersion(), description: NOTE },
    servers: [{ url: '/v1' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: KEY } },
      responses: Object.fromEntries(ERRORS.map((status) => [status, refusalOf(status)])),
      schemas: schemas.all(),
    },
  };
}

const capitalized = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

/** Schemas by their names in the document: those of answers are called as in `shapes.ts`, without `Shape`. */
class NamedSchemas {
  readonly #registry = z.registry<{ id: string }>();

  constructor() {
    this.#registry.add(filter, { id: 'Filter' });
    for (const [name, shape] of Object.entries(shapes))
      if (shape instanceof z.ZodType) this.#registry.add(shape, { id: capitalized(name.replace('Shape', '')) });
  }

  /** A reference to a schema, which gets this name where it has none. */
  reference(schema: z.ZodType, name: string): JsonSchema {
    if (!this.#registry.has(schema)) this.#registry.add(schema, { id: name });
    return { $ref: pointerTo(this.#registry.get(schema)!.id) };
  }

  all(): JsonSchema {
    const { schemas } = z.toJSONSchema(this.#registry, { io: 'input', unrepresentable: 'any', uri: pointerTo });
    return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withNulls(schema as JsonSchema)]));
  }
}

const pointerTo = (id: string): string => `#/components/schemas/${id}`;

function operationOf(
  { method, path, summary, query, headers = [], ...address }: Address,
  schemas: NamedSchemas,
): object {
  const words = path.split(/\W+|_/).filter(Boolean);
  const operationId = [method, ...words.map(capitalized)].join('');
  const name = capitalized(operationId);
  const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id!);
  const { body = address.form, form } = address;
  return {
    operationId,
    summary,
    tags: [words[0]],
    parameters: [
      ...ids.map((id) => ({ name: id, in: 'path', required: true, schema: { type: 'string' } })),
      ...headers.map((header) => ({ name: header, in: 'header', schema: { type: 'string' } })),
      ...(query ? parametersOf(query) : []),
    ],
    ...(body && {
      requestBody: contentOf(
        body,
        schemas.reference(body, `${name}Request`),
        form ? 'multipart/form-data' : 'application/json',
      ),
    }),
    responses: {
      ...answerOf(address, `${name}Answer`, schemas),
      ...errorsOf(method, ids.length > 0 || query !== undefined, body !== undefined),
    },
  };
}

function contentOf(body: z.ZodType, schema: JsonSchema, type: string): object {
  const required = !body.safeParse(undefined).success;
  return { required, content: { [type]: { schema: required ? schema : orNull(schema) } } };
}

function answerOf(
  { answer, streams }: Pick<Address, 'answer' | 'streams'>,
  name: string,
  schemas: NamedSchemas,
): object {
  if (answer === 'none') return {};
  const content = {
    ...(answer === 'bytes'
      ? { 'application/octet-stream': {} }
      : { 'application/json': { schema: schemas.reference(answer, name) } }),
    ...(streams && { 'text/event-stream': { schema: { type: 'string' } } }),
  };
  return { 200: { description: 'What was asked for.', content } };
}

function parametersOf(query: z.ZodType): object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}

/** What any address may answer with, what else those that change or do something may, and those that read a body. */
const OF_ANY = [400, 401, 403, 429, 500, 503];
const OF_CHANGES = [409];
const OF_BODIES = [404, 410, 413, 415, 422, 499, 504];
const ERRORS = [...OF_ANY, ...OF_CHANGES, ...OF_BODIES];

const errorsOf = (method: string, isNamed: boolean, hasBody: boolean): object =>
  Object.fromEntries(
    [...OF_ANY, ...(method === 'get' ? [] : OF_CHANGES), ...(hasBody ? OF_BODIES : isNamed ? [404] : [])].map(
      (status) => [status, { $ref: `#/components/responses/${status}` }],
    ),
  );

const refusalOf = (status: number): object => ({
  description: Object.values(ERROR_CODES)
    .flatMap((code) => (code.status === status ? [code.meaning] : []))
    .join(' '),
  content: { 'application/json': { schema: { $ref: pointerTo('Error') } } },
});

/** In a request null counts as left out: what isn't required of an object without other fields may be null. */
function withNulls({ $schema: _schema, $id: _id, ...node }: JsonSchema): JsonSchema {
  const schema = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, within(value)]));
  const { properties, additionalProperties, required = [] } = schema;
  if (!properties || additionalProperties !== false) return schema;
  for (const [name, field] of Object.entries(properties as Record<string, JsonSchema>))
    if (!(required as string[]).includes(name)) (properties as JsonSchema)[name] = orNull(field);
  return schema;
}

function within(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(within);
  return typeof value === 'object' && value !== null ? withNulls(value as JsonSchema) : value;
}

function orNull({ default: fallback, description, ...schema }: JsonSchema): JsonSchema {
  const notes = {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
  };
  const mayBeNull = Object.keys(schema).length === 0 || isDeepStrictEqual(schema['enum'], [null]);
  return { ...notes, ...(mayBeNull ? schema : { anyOf: [schema, { type: 'null' }] }) };
}
