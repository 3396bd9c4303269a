import {
  execute,
  getNamedType,
  isAbstractType,
  isObjectType,
  OperationTypeNode,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { Query, Resolver, type ResolverData } from 'type-graphql';
import { readyOperations, type ReadyOperation } from '../../../src/client/operations/ready.js';
import { operationFields, type OperationField } from '../../../src/server/graphql/guard.js';
import { RESOLVER_CLASSES } from '../../../src/server/graphql/resolvers.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, neededRole, Needs } from '../../../src/kit/graphql/index.js';
import { isAllowed, localCaller, Role } from '../../../src/kernel/caller.js';

/** What is wrong with the fields of a schema's operations, in words that say what to do. */
const faults = (schema: GraphQLSchema): string[] =>
  [...operationFields(schema)].flatMap(({ name, field, needed }) =>
    needed === undefined
      ? [`${name} has no role, so it answers nobody: put @Needs('ASK' | 'EDIT' | 'OPERATE' | 'ADMIN') on it`]
      : field.description?.includes(`Needs role ${needed}.`)
        ? []
        : [`${name} does not say its role`],
  );

type Field = OperationField['field'];

/** The objects that a field leads to. What only says that it has an id is left out: `node` needs the id, which is told to whom it concerns. */
function objectsOf(schema: GraphQLSchema, field: Field): readonly GraphQLObjectType[] {
  const type = getNamedType(field.type);
  if (isAbstractType(type)) return type.name === 'Node' ? [] : schema.getPossibleTypes(type);
  return isObjectType(type) ? [type] : [];
}

const fieldsOf = (type: GraphQLObjectType): Field[] => Object.values(type.getFields() as Record<string, Field>);
const asks = (field: Field): boolean => isAllowed('ASK', neededRole(field) ?? 'ASK');
/** What a list or a page is of. */
const shownBy = (field: Field): string => getNamedType(field.type).name.replace(/Connection$/, '');
const isPage = (field: Field): boolean => getNamedType(field.type).name.endsWith('Connection');

/** What is nobody else's, or hides below it what needs more. */
const OWN = new Set([
  'AnswerReady.answer',
  'Me.key',
  'Me.workspace',
  'SubmitFeedbackPayload.feedback',
  'LabelledNeighbour.row',
]);

/** `Type.field` by which ASK comes to what a page gives to those above it only. */
function waysAround(schema: GraphQLSchema): string[] {
  const all = Object.values(schema.getTypeMap()).filter(isObjectType).flatMap(fieldsOf);
  const kept = new Set(all.filter((field) => isPage(field) && !asks(field)).map(shownBy));
  const roots = [...operationFields(schema)].filter(({ field }) => asks(field));
  const reached = new Set(roots.flatMap(({ field }) => objectsOf(schema, field)));
  const ways = new Set<string>();
  for (const type of reached)
    for (const field of fieldsOf(type).filter((one) => asks(one) && !OWN.has(`${type.name}.${one.name}`))) {
      if (kept.has(shownBy(field))) ways.add(`${type.name}.${field.name}`);
      for (const next of objectsOf(schema, field)) reached.add(next);
    }
  return [...ways].sort();
}

/** The highest role that a document's fields need. */
function neededBy(schema: GraphQLSchema, text: string): { root: Role; all: Role } {
  const types = new TypeInfo(schema);
  const needed = { root: 'ASK' as Role, all: 'ASK' as Role };
  const Field = () => {
    const role = neededRole(types.getFieldDef() ?? { extensions: {} }) ?? 'ASK';
    if (!isAllowed(needed.all, role)) needed.all = role;
    if (isRoot(schema, types.getParentType()) && !isAllowed(needed.root, role)) needed.root = role;
  };
  visit(parse(text), visitWithTypeInfo(types, { Field }));
  return needed;
}

const isRoot = (schema: GraphQLSchema, type: unknown): boolean =>
  Object.values(OperationTypeNode).some((kind) => schema.getRootType(kind) === type);

@Resolver()
class Doors {
  @Needs('OPERATE')
  @Query(() => String, { description: 'Open to some.' })
  guarded(): string {
    return 'in';
  }

  @Query(() => String, { description: 'Nobody said to whom.' })
  forgotten(): string {
    return 'in';
  }
}

describe('roles', () => {
  it('every field of the schema’s operations has one, and says it', () => {
    const schema = buildGraphSchema(RESOLVER_CLASSES);
    expect(faults(schema)).toEqual([]);
    expect([...operationFields(schema)].length).toBeGreaterThan(60);
  });

  it('what a list shows to EDIT only is reached by no other way with less', () => {
    expect(waysAround(buildGraphSchema(RESOLVER_CLASSES))).toEqual([]);
  });

  it('whom a row is about is shown to EDIT only, wherever the row is', () => {
    const row = buildGraphSchema(RESOLVER_CLASSES).getType('DatasetRow') as GraphQLObjectType;
    const kept = fieldsOf(row).filter((field) => neededRole(field) === 'EDIT');
    expect(kept.map(({ name }) => name)).toEqual(expect.arrayContaining(['subject', 'entity', 'features']));
  });

  it('a ready operation that shows more than its first field asks for says which role that needs', () => {
    const schema = buildGraphSchema(RESOLVER_CLASSES);
    const silent = ({ text, description }: ReadyOperation) => {
      const { root, all } = neededBy(schema, text);
      return root !== all && !description.includes(`role ${all}`);
    };
    expect(
      readyOperations()
        .filter(silent)
        .map(({ name }) => name),
    ).toEqual([]);
  });

  it('a field without one is found by name, and answers nobody', async () => {
    const schema = buildGraphSchema([new Doors()]);
    expect(faults(schema)).toEqual([expect.stringMatching(/^Query\.forgotten has no role/)]);
    const { data, errors } = await execute({
      schema,
      document: parse('{ forgotten }'),
      contextValue: createGraphContext(localCaller(), 'r', new AbortController()),
    });
    expect([data, errors?.[0]?.originalError]).toEqual([null, expect.objectContaining({ code: 'FORBIDDEN' })]);
  });

  it('each role may what those below it may, and nothing that those above it may', async () => {
    const schema = buildGraphSchema([new Doors()]);
    const ask = async (role: Role) => {
      const contextValue: ResolverData<object>['context'] = createGraphContext(
        { ...localCaller(), role },
        'r',
        new AbortController(),
      );
      return (await execute({ schema, document: parse('{ guarded }'), contextValue })).data?.['guarded'] ?? 'out';
    };
    const outcomes = await Promise.all(Object.values(Role).map(async (role) => [role, await ask(role)]));
    expect(Object.fromEntries(outcomes)).toEqual({ ASK: 'out', EDIT: 'out', OPERATE: 'in', ADMIN: 'in' });
    expect(isAllowed('ASK', 'ASK')).toBe(true);
  });
});
