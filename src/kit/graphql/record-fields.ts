import { Float, getMetadataStorage, ID, Int } from 'type-graphql';
import { z } from 'zod';
import type { ShownScalar } from '../../kernel/record.js';
import { BigIntScalar, DateTime, JsonScalar } from './scalars.js';

/** A class that GraphQL knows as a type, as `@Field` and `@Resolver` take it. */
export type GraphClass<T extends object> = new () => T;

/** What `@Field` is told of a field. */
interface FieldForm {
  of: () => FieldType | [FieldType];
  nullable?: boolean;
  maxItems?: number | undefined;
  /** What an input has where it is left out: `{ value }`, and whether null is something else than that. */
  byDefault?: { value: unknown; nullIsAValue: boolean };
}
type FieldType = object;

const SCALARS: Readonly<Record<ShownScalar, FieldType>> = {
  BigInt: BigIntScalar,
  DateTime,
  Float,
  ID,
  JSON: JsonScalar,
};

/** What is said of a field by its schema, or by the one that it wraps. */
interface FieldMeta {
  /** Without one the field isn't shown. */
  description?: string | undefined;
  shownName?: string | undefined;
  node?: string | undefined;
}

export function fieldMetaOf(schema: z.core.$ZodType): FieldMeta {
  const metas = layersOf(schema).map((layer) => z.globalRegistry.get(layer) ?? {});
  const first = (key: 'description' | 'name' | 'node'): string | undefined =>
    metas.find((meta) => meta[key] !== undefined)?.[key];
  return { description: first('description'), shownName: first('name'), node: first('node') };
}

/** A schema and what it wraps, outermost first; the last one is never missing, has no default and isn't read-only. */
function layersOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const wraps =
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly;
  return wraps ? [schema, ...layersOf(schema.unwrap())] : [schema];
}

type TypeOf = (record: z.ZodObject) => GraphClass<object>;

/**
 * How GraphQL has the field.
 * @param typeOf the type of a record in it
 * @throws TypeError for what no type follows from, e.g. a union
 */
export function formOf(schema: z.core.$ZodType, typeOf: TypeOf): FieldForm {
  const layers = layersOf(schema);
  const form = layers.map(scalarOf).find((candidate) => candidate !== null) ?? plainForm(layers.at(-1)!, typeOf);
  const nullIsAValue = layers.some((layer) => layer instanceof z.ZodNullable);
  const nullable = nullIsAValue || layers.some((layer) => layer instanceof z.ZodOptional);
  const byDefault = schema instanceof z.ZodDefault && { value: schema.def.defaultValue, nullIsAValue };
  return { ...form, ...(nullable && { nullable }), ...(byDefault && { byDefault }) };
}

function scalarOf(schema: z.core.$ZodType): FieldForm | null {
  const { shown, node, type } = z.globalRegistry.get(schema) ?? {};
  if (type !== undefined) return { of: type };
  if (shown !== undefined) return { of: () => SCALARS[shown] };
  return node === undefined ? null : { of: () => ID };
}

function plainForm(schema: z.core.$ZodType, typeOf: TypeOf): FieldForm {
  const element = elementOf(schema);
  if (element) {
    const { of } = formOf(element, typeOf);
    return { of: () => [of()], maxItems: mostOf(schema) };
  }
  if (schema instanceof z.ZodString || schema instanceof z.ZodLiteral) return { of: () => String };
  if (schema instanceof z.ZodNumber) return { of: () => (schema.isInt ? Int : Float) };
  if (schema instanceof z.ZodBoolean) return { of: () => Boolean };
  if (schema instanceof z.ZodDate) return { of: () => DateTime };
  if (schema instanceof z.ZodBigInt) return { of: () => BigIntScalar };
  if (schema instanceof z.ZodEnum) return { of: () => enumOf(schema.def.entries) };
  if (schema instanceof z.ZodRecord) return { of: () => JsonScalar };
  if (schema instanceof z.ZodObject) {
    const type = typeOf(schema);
    return { of: () => type };
  }
  throw new TypeError('No GraphQL type follows from this schema: say with `meta({ shown })` how it is shown.');
}

/** What a list is of; null for what is none. A tuple is one where all of its places are of the same schema. */
function elementOf(schema: z.core.$ZodType): z.core.$ZodType | null {
  if (schema instanceof z.ZodArray) return schema.element;
  if (!(schema instanceof z.ZodTuple)) return null;
  const [first = null, ...rest] = schema.def.items;
  return rest.every((item) => item === first) ? first : null;
}

/** The most items that a list may have; undefined where nothing bounds it. */
function mostOf(schema: z.core.$ZodType): number | undefined {
  if (schema instanceof z.ZodTuple) return schema.def.items.length;
  const bound = (schema._zod.def.checks ?? [])
    .map((check) => check._zod.def)
    .find(({ check }) => check === 'max_length');
  return bound && (bound as z.core.$ZodCheckMaxLengthDef).maximum;
}

/** The enum that was registered with these values, by whoever declared them; else they are texts. */
const enumOf = (entries: object): FieldType =>
  getMetadataStorage().enums.some(({ enumObj }) => enumObj === entries) ? entries : String;
