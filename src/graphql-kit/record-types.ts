import { Field, InputType, ObjectType } from 'type-graphql';
import type { z } from 'zod';
import { toGlobalId } from './global-ids.js';
import { MaxItems } from './max-items.js';
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

interface Derivation {
  base?: Base<object> | undefined;
  declare(name: string, description: string): ClassDecorator;
  typeOf(record: z.ZodObject): GraphClass<object>;
  bounded?: boolean;
  /** Those of its kind that were made before. */
  made: Made;
}

type Made = Map<string, { type: GraphClass<object>; shape: z.ZodRawShape; base: Base<object> | undefined }>;
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
  const known = made.get(record.name);
  if (known && isSame(known.shape, shape) && known.base === base) return known.type;
  if (known) throw new TypeError(`Two records are called ${record.name}: give one another name.`);
  const fields = Object.entries<z.ZodType>(shape).flatMap(([name, field]) => {
    const { description, ...meta } = fieldMetaOf(field);
    return description === undefined ? [] : [{ name, field, description, ...meta }];
  });

  const type: GraphClass<object> = class extends (base ?? Object) {};
  Object.defineProperty(type, 'name', { value: record.name });
  const prototype = type.prototype as object;
  made.set(record.name, { type, shape, base });
  declare(record.name, record.description)(type);
  for (const { name, field, description, node, shownName = name } of fields) {
    const { of, maxItems, byDefault, ...options } = formIn(record.name, name, field, typeOf);
    const as = { ...options, description, name: shownName, ...(bounded && { defaultValue: byDefault?.value }) };
    if (node === undefined) Field(of, as)(prototype, name);
    else Field(of, as)(prototype, `${name} of ${node}`, globalIdAt(prototype, name, node));
    if (bounded && maxItems !== undefined) MaxItems(maxItems)(prototype, name);
    if (bounded && byDefault?.nullIsAValue) NullIsAValue()(prototype, name);
  }
  return type;
}

/** Of the same fields: what `describe` makes of a record has them, though not always in the same object. */
const isSame = (one: z.ZodRawShape, other: z.ZodRawShape): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([name, field]) => other[name] === field);

function formIn(record: string, name: string, ...of: Parameters<typeof formOf>): ReturnType<typeof formOf> {
  try {
    return formOf(...of);
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
