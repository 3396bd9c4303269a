import { Field, getMetadataStorage, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { choices, record } from '../../kernel/record.js';
import { toGlobalId } from './global-ids.js';
import { make } from './make.js';
import { MaxItems } from './max-items.js';
import { NodeType } from './node.js';
import { NullIsAValue } from './null-value.js';
import { formOf, fieldMetaOf, type GraphClass } from './record-fields.js';

/** What a caller gives of a record: where it may be left out, null is as good. */
type Given<T> = { [K in keyof T]: undefined extends T[K] ? GivenValue<T[K]> | null : GivenValue<T[K]> };
type GivenValue<T> = T extends readonly unknown[] | Date ? T : T extends object ? Given<T> : T;

type Base<T extends object> = abstract new () => T;

/**
 * The object type of a `record`: every described field, nullable where it may be missing, whole numbers as `Int`. Records in it get their
 * types with it, and one that stands in several places has one type. What is returned for it may be plain data, unless GraphQL tells the
 * type by the class (a union, an interface): then `make` it.
 * @param base an interface type that it implements
 */
export function recordType<S extends z.ZodObject>(schema: S): GraphClass<z.output<S>>;
export function recordType<S extends z.ZodObject, B extends object>(
  schema: S,
  base: Base<B>,
): GraphClass<z.output<S> & B>;
export function recordType(schema: z.ZodObject, base?: Base<object>): GraphClass<object> {
  const withBase = base && { implements: base };
  return derived(schema, {
    base,
    declare: (name, description) => ObjectType(name, { description, ...withBase }),
    typeOf: (inner) => recordType(inner),
    made: types,
  });
}

/**
 * The same for what callers give; the most items of its lists are bounds that hold before anything is read. With a default
 * `.optional().default(…)` takes null for that default, and `.nullable().default(…)` takes it as null.
 */
export function recordInput<S extends z.ZodObject>(schema: S): GraphClass<Given<z.output<S>>>;
export function recordInput(schema: z.ZodObject): GraphClass<object> {
  return derived(schema, {
    declare: (name, description) => InputType(name, { description }),
    typeOf: (inner) => recordInput(inner),
    bounded: true,
    made: inputs,
  });
}

/** The object type of a record that is made for GraphQL alone, e.g. of what a mutation returns. */
export function objectType<S extends z.ZodRawShape>(
  name: string,
  description: string,
  shape: S,
): GraphClass<z.output<z.ZodObject<S>>>;
export function objectType<S extends z.ZodRawShape, B extends object>(
  name: string,
  description: string,
  shape: S,
  base: Base<B>,
): GraphClass<z.output<z.ZodObject<S>> & B>;
export function objectType(
  name: string,
  description: string,
  shape: z.ZodRawShape,
  base?: Base<object>,
): GraphClass<object> {
  const schema = record(name, description, shape);
  return base ? recordType(schema, base) : recordType(schema);
}

/** The same of what `node(id)` finds. */
export const nodeType = <S extends z.ZodRawShape>(name: string, description: string, shape: S) =>
  objectType(name, description, shape, NodeType);

/** The input type of a record that is made for GraphQL alone. */
export const inputType = <S extends z.ZodRawShape>(
  name: string,
  description: string,
  shape: S,
): GraphClass<Given<z.output<z.ZodObject<S>>>> => recordInput(record(name, description, shape));

/**
 * A field whose type is a class that no record describes, or one that an interface or an edge belongs to: `ofType(() => Answer, 'The answer.')`.
 * @typeParam T what stands for it, where that isn't an instance of the class
 */
export function ofType<T extends object>(type: () => Base<T> | T, description?: string): z.ZodType<T, T>;
export function ofType<T extends object>(type: () => Base<object>, description?: string): z.ZodType<T, T>;
export function ofType(type: () => object, description?: string): z.ZodType {
  return z.custom().meta({ description, type });
}

export const listOf = <T extends object>(type: () => Base<T>, description: string) =>
  z.array(ofType(type)).describe(description);

/** What a row doesn't say of the fields of its type. */
type Lacking<T extends { row: object }> = {
  [K in Exclude<keyof T, 'id' | 'row'> as T['row'] extends Pick<T, K> ? never : K]: T[K];
};

/**
 * A row as an object of a node type: under its global id, with the fields of its record, and itself for field resolvers.
 * @param lacking the fields that the row hasn't got, or has in another form
 */
export function nodeOf<T extends NodeType & { row: { id: string } }>(
  type: GraphClass<T>,
  row: T['row'],
  ...[lacking]: object extends Lacking<T> ? [] : [Lacking<T>]
): T {
  const values: Readonly<Record<string, unknown>> = { ...row, ...lacking };
  const fields: object = Object.fromEntries((fieldsOf.get(type)?.all ?? []).map((name) => [name, values[name]]));
  return make<object>(type, { ...fields, id: toGlobalId(type.name, row.id), row }) as T;
}

/** Names of the fields that GraphQL shows of an object that was made of a record's type; null for any other object. */
export const shownFields = (object: object): ReadonlySet<string> | null =>
  fieldsOf.get(object.constructor)?.shown ?? null;

/** An enum of values that stand elsewhere, and what each of them means; those of a `choice` bring that along. */
export function enumType<Name extends string>(
  values: Readonly<Record<Name, string>>,
  name: string,
  description: string,
  meanings: Readonly<Record<Name, string>>,
): void {
  const valuesConfig = Object.fromEntries(
    Object.entries<string>(meanings).map(([value, meaning]) => [value, { description: meaning }]),
  );
  registerEnumType<Record<string, string>>(values, { name, description, valuesConfig });
}

/** Enters every `choice` into the schema that is built next. */
export function registerChoices(): void {
  const { enums } = getMetadataStorage();
  for (const [entries, { name, description, values }] of choices) {
    if (enums.some(({ enumObj }) => enumObj === entries)) continue;
    enumType(entries as Record<string, string>, name, description, values);
  }
}

interface Derivation {
  base?: Base<object> | undefined;
  declare(name: string, description: string): ClassDecorator;
  typeOf(record: z.ZodObject): GraphClass<object>;
  bounded?: boolean;
  /** Those of its kind that were made before. */
  made: Made;
}

type Made = Map<string, { type: GraphClass<object>; shape: z.ZodRawShape; base: Base<object> | undefined }>;
/** Names of a type's fields: all, and those that GraphQL shows. */
const fieldsOf = new WeakMap<object, { all: readonly string[]; shown: ReadonlySet<string> }>();
const types: Made = new Map();
const inputs: Made = new Map();

function derived(
  schema: z.ZodObject,
  { base, declare, typeOf, made, bounded = false }: Derivation,
): GraphClass<object> {
  const { record } = schema.meta() ?? {};
  if (!record)
    throw new TypeError(
      `The object with the fields ${Object.keys(schema.shape).join(', ')} is without a name for GraphQL: make it with \`record\`.`,
    );
  const { shape } = schema;
  const knownRecord = made.get(record.name);
  if (knownRecord && isSame(knownRecord.shape, shape) && knownRecord.base === base) return knownRecord.type;
  if (knownRecord) throw new TypeError(`Two records are called ${record.name}: give one another name.`);
  const fields = describedFields(shape);

  const type: GraphClass<object> = class extends (base ?? Object) {};
  Object.defineProperty(type, 'name', { value: record.name });
  made.set(record.name, { type, shape, base });
  fieldsOf.set(type, { all: Object.keys(shape), shown: new Set(fields.map(({ name }) => name)) });
  declare(record.name, record.description)(type);
  for (const described of fields) addField(type.prototype as object, record.name, described, typeOf, bounded);
  return type;
}

interface DescribedField extends Omit<ReturnType<typeof fieldMetaOf>, 'description'> {
  name: string;
  field: z.ZodType;
  description: string;
}

const describedFields = (shape: z.ZodRawShape): DescribedField[] =>
  Object.entries<z.ZodType>(shape as Record<string, z.ZodType>).flatMap(([name, field]) => {
    const { description, ...meta } = fieldMetaOf(field);
    return description === undefined ? [] : [{ name, field, description, ...meta }];
  });

function addField(
  prototype: object,
  recordName: string,
  { name, field, description, node, shownName = name }: DescribedField,
  typeOf: Derivation['typeOf'],
  bounded: boolean,
): void {
  const { of, maxItems, byDefault, ...options } = formIn(recordName, name, field, typeOf);
  const as = { ...options, description, name: shownName, ...(bounded && { defaultValue: byDefault?.value }) };
  if (node === undefined) Field(of, as)(prototype, name);
  else Field(of, as)(prototype, `${name} of ${node}`, globalIdAt(prototype, name, node));
  if (!bounded) return;
  if (maxItems !== undefined) MaxItems(maxItems)(prototype, name);
  if (byDefault?.nullIsAValue) NullIsAValue()(prototype, name);
}

/** Of the same fields: what `describe` makes of a record has them, though not always in the same object. */
const isSame = (shape: z.ZodRawShape, otherShape: z.ZodRawShape): boolean =>
  Object.keys(shape).length === Object.keys(otherShape).length &&
  Object.entries(shape).every(([name, field]) => otherShape[name] === field);

function formIn(record: string, name: string, ...formArguments: Parameters<typeof formOf>): ReturnType<typeof formOf> {
  try {
    return formOf(...formArguments);
  } catch (cause) {
    throw new TypeError(`${record}.${name}: ${(cause as Error).message}`, { cause });
  }
}

/** Lets objects of the type tell the global id of the row that one of their fields names. */
function globalIdAt(prototype: object, name: string, node: string): PropertyDescriptor {
  const value = function (this: Record<string, string | null | undefined>): string | null {
    const id = this[name] ?? null;
    return id === null ? null : toGlobalId(node, id);
  };
  Object.defineProperty(prototype, `${name} of ${node}`, { value });
  return { value };
}
