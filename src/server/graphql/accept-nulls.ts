import {
  defaultFieldResolver,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { nullIsAValue } from '../../kit/graphql/index.js';

/** An argument, or a field of an input. */
interface Input {
  name: string;
  type: GraphQLInputType;
  defaultValue?: unknown;
  extensions?: Readonly<Record<string, unknown>>;
}

/** Whether null stands for something in it, however deep. Inputs that hold themselves end at the second time. */
function hasDefaults({ type, defaultValue }: Input, visitedTypes: ReadonlySet<unknown> = new Set()): boolean {
  const namedType = getNamedType(type);
  if (defaultValue !== undefined) return true;
  if (!isInputObjectType(namedType) || visitedTypes.has(namedType)) return false;
  return Object.values(namedType.getFields()).some((field) =>
    hasDefaults(field, new Set([...visitedTypes, namedType])),
  );
}

function filled(input: Input, value: unknown): unknown {
  const { type, defaultValue } = input;
  if (value === null) return defaultValue === undefined || nullIsAValue(input) ? null : defaultValue;
  const namedType = getNamedType(type);
  if (!isInputObjectType(namedType)) return value;
  if (Array.isArray(value)) return value.map((item) => filled({ name: '', type }, item));
  return typeof value === 'object' ? filledAll(Object.values(namedType.getFields()), value as Values) : value;
}

type Values = Readonly<Record<string, unknown>>;

function filledAll(inputs: readonly Input[], values: Values): Values {
  const result: Record<string, unknown> = { ...values };
  for (const input of inputs)
    if (Object.hasOwn(values, input.name)) result[input.name] = filled(input, values[input.name]);
  return result;
}

function loosen(input: Input): void {
  if (isNonNullType(input.type) && input.defaultValue !== undefined) input.type = input.type.ofType;
}

/**
 * Has null mean the same as leaving out, wherever an argument or a field of an input has a default: generated clients send null for whatever
 * their caller did not set, and graphql-js refuses it where the type says `Int! = 10`. Resolvers see the default.
 */
export function acceptNulls(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInputObjectType(type)) Object.values(type.getFields()).forEach(loosen);
    if (isObjectType(type) || isInterfaceType(type))
      for (const { args } of Object.values(type.getFields())) args.forEach(loosen);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.args.some((arg) => hasDefaults(arg))) continue;
      const { resolve = defaultFieldResolver, subscribe, args } = field;
      field.resolve = (source, values: Values, context, info) =>
        resolve(source, filledAll(args, values), context, info);
      if (subscribe)
        field.subscribe = (source, values: Values, context, info) =>
          subscribe(source, filledAll(args, values), context, info);
    }
  }
}
