import {
  getNamedType,
  getNullableType,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { badInput } from '../kernel/errors.js';
import { mostItems } from '../graphql-kit/index.js';

/** The errors about a request, before anything ran, that an answer lists; whoever sent a thousand needs the first few. */
export const MOST_REQUEST_ERRORS = 5;

/** Longer than any name of the schema: the search for "did you mean" takes time that grows with the name. */
const LONGEST_KEY = 200;

/**
 * For each variable that stands for a list, the most items that the arguments and fields it is given to may hold;
 * where it is given to several, the largest: the others refuse what is too long for them when they are resolved.
 */
export function listBounds(schema: GraphQLSchema, document: DocumentNode): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  const types = new TypeInfo(schema);
  const note = (variable: string, most: number) => bounds.set(variable, Math.max(most, bounds.get(variable) ?? 0));
  visit(
    document,
    visitWithTypeInfo(types, {
      Argument: ({ value }) => {
        const argument = types.getArgument();
        if (value.kind === Kind.VARIABLE && argument) note(value.name.value, mostItems(argument));
      },
      ObjectField: ({ name, value }) => {
        const parent = getNamedType(types.getParentInputType());
        const field = isInputObjectType(parent) ? parent.getFields()[name.value] : undefined;
        if (value.kind === Kind.VARIABLE && field) note(value.name.value, mostItems(field));
      },
    }),
  );
  return bounds;
}

/**
 * Checks every list in the variables against the number of items that its description allows, before anything looks at
 * the items.
 * @throws BAD_USER_INPUT naming the list
 */
export function checkLists(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  bounds: ReadonlyMap<string, number>,
): void {
  for (const { variable, type: node } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node);
    if (isInputType(type)) checkValue(variables[name], type, name, bounds.get(name) ?? 0);
  }
}

function checkValue(value: unknown, type: GraphQLInputType, path: string, most: number): void {
  if (typeof value !== 'object' || value === null) return;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const item = nullable.ofType;
    if (!Array.isArray(value)) return checkValue(value, item, path, most);
    if (value.length > most) throw badInput(path, `${path} has ${value.length} items; at most ${most} are taken.`);
    // Scalars hold no list; whether they are scalars is for coercion to say, which stops at the first errors.
    if (isLeafType(getNullableType(item))) return;
    for (const [i, each] of value.entries()) checkValue(each, item, `${path}.${i}`, most);
  } else if (isInputObjectType(nullable)) {
    const fields = nullable.getFields();
    for (const [key, each] of Object.entries(value)) {
      if (key.length > LONGEST_KEY)
        throw badInput(path, `${path} has a field whose name is ${key.length} characters long; there is none like it.`);
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field) checkValue(each, field.type, `${path}.${key}`, mostItems(field));
    }
  }
}

/** What does not fit about the variables: the first `MOST_REQUEST_ERRORS` errors, none when they fit. */
export function variableErrors(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): readonly GraphQLError[] {
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, {
    maxErrors: MOST_REQUEST_ERRORS,
  });
  // One more than the most says that there were too many.
  return errors.slice(0, MOST_REQUEST_ERRORS);
}
