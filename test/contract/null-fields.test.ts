/** What generated clients do: null for whatever their caller did not set. Every optional argument and field of an input, of the product. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLField,
  type GraphQLInputType,
} from 'graphql';
import { RESOLVER_CLASSES } from '../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { newId } from '../../src/kernel/ids.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';

/** They take `AskInput` as `ask` does. */
const LIKE_ASK = ['answerAll'];

/** Where something is there that an operation works on. */
const NAMES: Record<string, string> = { dataset: 'things', collection: 'notes', reviewer: 'anna', window: 'MONTH' };
const GIVEN: Record<string, object> = {
  AskInput: { question: 'What is a lock?', strategy: 'BASE', generation: { maxTokens: 1 } },
};

type Values = Record<string, unknown>;

function valueOf(type: GraphQLInputType, name: string): unknown {
  if (isNonNullType(type)) return valueOf(type.ofType, name);
  if (isListType(type)) return [valueOf(type.ofType, name)];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequiredInputField);
    return {
      ...Object.fromEntries(required.map((field) => [field.name, valueOf(field.type, field.name)])),
      ...GIVEN[type.name],
    };
  }
  if (name === 'idempotencyKey' || name === 'name') return `n${newId()}`;
  switch (type.name) {
    case 'ID':
      return toGlobalId(`${name[0]!.toUpperCase()}${name.slice(1)}`, newId());
    case 'Int':
    case 'Float':
      return 1;
    case 'Boolean':
      return true;
    case 'DateTime':
      return '2030-01-01T00:00:00Z';
    default:
      return NAMES[name] ?? 'x';
  }
}

/** Paths of what may be null: optional arguments, and optional fields of the inputs that are given. */
function optional({ args }: GraphQLField<unknown, unknown>): string[][] {
  const within = (type: GraphQLInputType, path: string[]): string[][] => {
    const named = getNamedType(type);
    if (!isInputObjectType(named) || isListType(isNonNullType(type) ? type.ofType : type)) return [];
    return Object.values(named.getFields()).flatMap((field) =>
      isRequiredInputField(field) ? within(field.type, [...path, field.name]) : [[...path, field.name]],
    );
  };
  return args.flatMap((arg) => (isRequiredArgument(arg) ? within(arg.type, [arg.name]) : [[arg.name]]));
}

function withNull(values: Values, [first, ...rest]: string[]): Values {
  return { ...values, [first!]: rest.length === 0 ? null : withNull(values[first!] as Values, rest) };
}

describe('null in each optional place', () => {
  const schema = buildGraphSchema(RESOLVER_CLASSES);
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;

  const send = async (query: string, variables: Values) => {
    const response = await fetch(`${graft.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { errors } = (await response.json()) as { errors?: { message: string; extensions: { code: string } }[] };
    return errors?.[0]
      ? { code: errors[0].extensions.code, message: errors[0].message }
      : { code: 'done', message: '' };
  };

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'error' }).started;
    await send(
      'mutation { createDataset(input: { name: "things", task: QUESTION_ANSWERING }) { dataset { id } } }',
      {},
    );
    await send('mutation { createCollection(input: { name: "notes" }) { collection { id } } }', {});
  }, 180_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  it.each([
    ['query', schema.getQueryType()!],
    ['mutation', schema.getMutationType()!],
  ] as const)(
    'means what leaving it out means, in each %s',
    async (operation, type) => {
      const wrong: string[] = [];
      for (const field of Object.values(type.getFields())) {
        if (LIKE_ASK.includes(field.name)) continue;
        const query = `${operation} ${field.args.length > 0 ? `(${field.args.map(({ name, type: of }) => `$${name}: ${String(of)}`).join(', ')})` : ''} {
          ${field.name}${field.args.length > 0 ? `(${field.args.map(({ name }) => `${name}: $${name}`).join(', ')})` : ''}
          ${isLeafType(getNamedType(field.type)) ? '' : '{ __typename }'} }`;
        const values = (): Values =>
          Object.fromEntries(
            field.args.filter(isRequiredArgument).map(({ name, type: of }) => [name, valueOf(of, name)]),
          );
        const left = await send(query, values());
        if (left.code === 'INTERNAL_ERROR') wrong.push(`${field.name}: INTERNAL_ERROR`);
        for (const path of optional(field)) {
          const { code, message } = await send(query, withNull(values(), path));
          if (code !== left.code)
            wrong.push(`${field.name}, ${path.join('.')}: ${code} instead of ${left.code}: ${message}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    600_000,
  );
});
