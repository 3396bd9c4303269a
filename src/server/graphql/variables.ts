import {
  getNamedType,
  getNullableType,
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isRequiredInputField,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { badInput } from '../../kernel/errors.js';
import { requireStorable } from '../../kernel/text.js';
import { mostItems } from '../../kit/graphql/index.js';

/** The errors about a request, before anything ran, that an answer lists; whoever sent a thousand needs the first few. */
export const MOST_REQUEST_ERRORS = 5;

/** Longer than any name of the schema: the search for "did you mean" takes time that grows with the name. */
const LONGEST_KEY = 200;

/** Longer than any name, key, id or cursor: a database that is asked for one of 8 MB held the event loop for 100 ms. */
const LONGEST_NAME = 10_000;

/** What is known of variables from the document alone. */
export interface VariableBounds {
  /**
   * For each that stands for a list, the most items that the arguments and fields it is given to may hold;
   * where it is given to several, the largest: the others refuse what is too long for them when they are resolved.
   */
  items: ReadonlyMap<string, number>;
  /** Those given to an argument itself: long texts stand in fields of inputs, arguments name something. */
  names: ReadonlySet<string>;
}

export function variableBounds(schema: GraphQLSchema, document: DocumentNode): VariableBounds {
  const items = new Map<string, number>();
  const names = new Set<string>();
  const types = new TypeInfo(schema);
  const note = (variable: string, limit: number) => items.set(variable, Math.max(limit, items.get(variable) ?? 0));
  visit(
    document,
    visitWithTypeInfo(types, {
      Argument: ({ value }) => {
        const argument = types.getArgument();
        if (value.kind !== Kind.VARIABLE || !argument) return;
        note(value.name.value, mostItems(argument));
        names.add(value.name.value);
      },
      ObjectField: ({ name, value }) => {
        const parent = getNamedType(types.getParentInputType());
        const field = isInputObjectType(parent) ? parent.getFields()[name.value] : undefined;
        if (value.kind === Kind.VARIABLE && field) note(value.name.value, mostItems(field));
      },
    }),
  );
  return { items, names };
}

/** Characters of a value that does not fit which its error may quote: graphql-js quotes all of it, as often as it is read. */
const LONGEST_ECHO = 1_000;

/**
 * Checks the variables before they are coerced: every list against the number of items that its description allows, before
 * anything looks at the items, every id and name against the longest, every text against what no store keeps, and every value that will not fit against the length
 * that an error about it may quote.
 * @throws BAD_USER_INPUT naming the list or the value
 */
export function checkVariableSizes(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  { items, names }: VariableBounds,
): void {
  const check = new SizeCheck();
  for (const { variable, type: node } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node);
    if (names.has(name) && getNamedType(type)?.name === 'String') checkName(variables[name], name);
    if (isInputType(type)) check.value(variables[name], type, name, items.get(name) ?? 0);
  }
}

function checkName(value: unknown, path: string): void {
  if (typeof value === 'string' && value.length > LONGEST_NAME)
    throw badInput(path, `${path} is ${value.length} characters long; at most ${LONGEST_NAME} are taken.`);
}

/** Goes through values as coercion will, and no further than where that will stop. */
class SizeCheck {
  #errors = 0;

  value(value: unknown, type: GraphQLInputType, path: string, limit: number): void {
    if (value === undefined || value === null || this.#errors >= MOST_REQUEST_ERRORS) return;
    const nullable = getNullableType(type);
    if (isListType(nullable)) this.#list(value, nullable.ofType, path, limit);
    else if (isInputObjectType(nullable)) this.#object(value, nullable, path);
    else if (isText(value, nullable)) {
      if (typeof value === 'string') requireStorable(value, path);
      if (nullable.name === 'ID') checkName(value, path);
    } else this.#misfit(value, path, `a value of the type ${nullable.name}`, isCertainlyWrong(value, nullable));
  }

  #list(value: unknown, item: GraphQLInputType, path: string, limit: number): void {
    if (!Array.isArray(value)) return this.value(value, item, path, limit);
    if (value.length > limit) throw badInput(path, `${path} has ${value.length} items; at most ${limit} are taken.`);
    for (let i = 0; i < value.length && this.#errors < MOST_REQUEST_ERRORS; i++)
      this.value(value[i], item, `${path}.${i}`, limit);
  }

  #object(value: unknown, type: GraphQLInputObjectType, path: string): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.#misfit(value, path, `an object of the type ${type.name}`, true);
    const fields = type.getFields();
    let fits = Object.values(fields).every((field) => !isRequiredInputField(field) || Object.hasOwn(value, field.name));
    for (const [key, fieldValue] of Object.entries(value)) {
      if (key.length > LONGEST_KEY)
        throw badInput(path, `${path} has a field whose name is ${key.length} characters long; there is none like it.`);
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field) this.value(fieldValue, field.type, `${path}.${key}`, mostItems(field));
      else fits = false;
    }
    if (!fits) this.#misfit(value, path, `an object with the fields of ${type.name} and no other`, true);
  }

  /** @throws BAD_USER_INPUT for a value that coercion would quote at length */
  #misfit(value: unknown, path: string, expected: string, certain: boolean): void {
    if (isLong(value)) throw badInput(path, `${path} is not ${expected}, and too long to be quoted here.`);
    if (certain) this.#errors += 1;
  }
}

/** Whether a leaf takes the value at any length. */
const isText = (value: unknown, { name }: GraphQLLeafType): boolean =>
  name === 'JSON' || (typeof value === 'string' && (name === 'String' || name === 'ID'));

/** Whether coercion will refuse what is no text; of enums and scalars with a form of their own only that says. */
function isCertainlyWrong(value: unknown, { name }: GraphQLLeafType): boolean {
  if (typeof value === 'object' || name === 'String') return true;
  if (name === 'Int' || name === 'Float') return typeof value !== 'number';
  return name === 'Boolean' && typeof value !== 'boolean';
}

/** Whether a value has more characters than an error may quote. It looks at no more than that. */
function isLong(value: unknown): boolean {
  let budget = LONGEST_ECHO;
  const look = (part: unknown): void => {
    if (budget < 0) return;
    if (typeof part === 'string') budget -= part.length;
    else if (typeof part !== 'object' || part === null) budget -= 1;
    else
      for (const key in part) {
        budget -= Array.isArray(part) ? 1 : key.length;
        look((part as Record<string, unknown>)[key]);
        if (budget < 0) return;
      }
  };
  look(value);
  return budget < 0;
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
