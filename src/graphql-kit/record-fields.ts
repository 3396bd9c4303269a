import { Float, getMetadataStorage, ID, Int } from 'type-graphql';
import { z } from 'zod';
import type { ShownScalar } from '../kernel/record.js';
import { BigIntScalar, DateTime, JsonScalar } from './scalars.js';

/** A class that GraphQL knows as a type, as `@Field` and `@Resolver` take it. */
export type GraphClass<T extends object> = new () => T;

/** What `@Field` is told of a field. */
interface FieldForm {
  of: () => FieldType | [FieldType];
  nullable?: boolean;
  maxItems?: number | undefined;
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
  const { description, name: shownName, node } = z.globalRegistry.get(schema) ?? {};
  const inner = unwrapped(schema);
  const own = Object.entries({ description, shownName, node }).filter(([, value]) => value !== undefined);
  return { ...(inner && fieldMetaOf(inner)), ...Object.fromEntries(own) };
}

/** What may be missing, has a default or is read-only, without that; null for what is neither. */
const unwrapped = (schema: z.core.$ZodType): z.core.$ZodType | null =>
  schema instanceof z.ZodNullable ||
  schema instanceof z.ZodOptional ||
  schema instanceof z.ZodDefault ||
  schema instanceof z.ZodReadonly
    ? schema.unwrap()
    : null;

type TypeOf = (record: z.ZodObject) => GraphClass<object>;

/**
 * How GraphQL has the field.
 * @param typeOf the type of a record in it
 * @throws TypeError for what no type follows from, e.g. a union
 */
export function formOf(schema: z.core.$ZodType, typeOf: TypeOf): FieldForm {
  const inner = unwrapped(schema);
  const form = scalarOf(schema) ?? (inner ? formOf(inner, typeOf) : plainForm(schema, typeOf));
  return mayBeMissing(schema) ? { ...form, nullable: true } : form;
}

const mayBeMissing = (schema: z.core.$ZodType): boolean => {
  const inner = unwrapped(schema);
  return schema instanceof z.ZodNullable || schema instanceof z.ZodOptional || (inner !== null && mayBeMissing(inner));
};

function scalarOf(schema: z.core.$ZodType): FieldForm | null {
  const { shown, node } = z.globalRegistry.get(schema) ?? {};
  if (shown !== undefined) return { of: () => SCALARS[shown] };
  return node === undefined ? null : { of: () => ID };
}

function plainForm(schema: z.core.$ZodType, typeOf: TypeOf): FieldForm {
  if (schema instanceof z.ZodArray) {
    const { of } = formOf(schema.element, typeOf);
    return { of: () => [of()], maxItems: mostOf(schema) };
  }
  if (schema instanceof z.ZodTuple) {
    const [first] = schema.def.items as readonly z.core.$ZodType[];
    if (first && schema.def.items.every((item: z.core.$ZodType) => item === first)) {
      const { of } = formOf(first, typeOf);
      return { of: () => [of()], maxItems: schema.def.items.length };
    }
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

/** The most items that a list may have; undefined where nothing bounds it. */
function mostOf({ def: { checks = [] } }: z.ZodArray): number | undefined {
  const bound = checks.map((check) => check._zod.def).find(({ check }) => check === 'max_length');
  return bound && (bound as z.core.$ZodCheckMaxLengthDef).maximum;
}

/** The enum that was registered with these values, by whoever declared them; else they are texts. */
const enumOf = (entries: object): FieldType =>
  getMetadataStorage().enums.some(({ enumObj }) => enumObj === entries) ? entries : String;
