import {
  buildSchema,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLInputField,
} from 'graphql';
import { undescribed } from '../../../src/server/graphql/descriptions.js';
import { errorsPage } from '../../../src/server/graphql/errors-page.js';
import { RESOLVER_CLASSES, RUN_KINDS } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { ERROR_CODES } from '../../../src/kernel/error-codes.js';

describe('the schema’s documentation', () => {
  it('finds every type, field, argument and enum value without a description', () => {
    const schema = buildSchema(`
      "Described." type A { bare(argument: Int): Int "Described." good("Described." argument: Int): Int }
      type Query { "Described." a: A "Described." e(input: I): E }
      enum E { "Described." ONE TWO }
      "Described." input I { bare: Int }
    `);
    expect(undescribed(schema).sort()).toEqual([
      'A.bare',
      'A.bare(argument:)',
      'E',
      'E.TWO',
      'I.bare',
      'Query.e(input:)',
    ]);
  });

  it('says what a field costs where it is dearer than a plain one, and nothing else does', () => {
    const query = buildGraphSchema(RESOLVER_CLASSES).getQueryType()!.getFields();
    expect(query['ask']!.description).toMatch(/ Cost: 100\.$/);
    expect(query['answerAll']!.description).toMatch(/ Cost: 400 and 4 times its selection\.$/);
    expect(query['collection']!.description).toMatch(/ Cost: 2\.$/);
    expect(query['node']!.description).not.toMatch(/Cost:/);
    for (const { description } of Object.values(query)) expect(description).not.toContain('NaN');
  });

  it('takes null wherever something may be left out', () => {
    const refusing: string[] = [];
    const see = (where: string, { name, type, defaultValue }: GraphQLInputField | GraphQLArgument) => {
      if (isNonNullType(type) && defaultValue !== undefined) refusing.push(`${where}.${name}`);
    };
    for (const type of Object.values(buildGraphSchema(RESOLVER_CLASSES).getTypeMap())) {
      if (type.name.startsWith('__')) continue;
      if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) see(type.name, field);
      if (isObjectType(type) || isInterfaceType(type))
        for (const { name, args } of Object.values(type.getFields()))
          for (const arg of args) see(`${type.name}.${name}`, arg);
    }
    expect(refusing).toEqual([]);
  });

  it('has a node of every type that a kind of runs says it works on', () => {
    const schema = buildGraphSchema(RESOLVER_CLASSES);
    const node = schema.getType('Node');
    for (const { definition } of RUN_KINDS) {
      if (definition.subject === null) continue;
      const type = schema.getType(definition.subject);
      expect([definition.kind, isObjectType(type) && type.getInterfaces().includes(node as never)]).toEqual([
        definition.kind,
        true,
      ]);
    }
    expect(
      RUN_KINDS.filter(({ definition }) => definition.subject === null)
        .map(({ definition }) => definition.kind)
        .sort(),
    ).toEqual(['BATCH', 'DOWNLOAD', 'ERASURE', 'ROUTER_FIT']);
  });

  it('lists every error code with what to do', () => {
    const page = errorsPage();
    for (const [code, { whatToDo }] of Object.entries(ERROR_CODES)) {
      expect(page).toContain(`| \`${code}\` |`);
      expect(page).toContain(whatToDo);
    }
  });
});
