import { registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { record } from '../kernel/record.js';
import { NodeType } from './node.js';
import { recordInput, recordType } from './record-types.js';

/** Types that GraphQL alone has, from the shape of their `record`; what the program has, too, is a `record` of its domain. */

export const objectType = <Shape extends z.ZodRawShape>(name: string, description: string, shape: Shape) =>
  recordType(record(name, description, shape));

/** What `node(id)` finds. */
export const nodeType = <Shape extends z.ZodRawShape>(name: string, description: string, shape: Shape) =>
  recordType(record(name, description, shape), NodeType);

export const inputType = <Shape extends z.ZodRawShape>(name: string, description: string, shape: Shape) =>
  recordInput(record(name, description, shape));

/**
 * A field of a type that is at hand as a class: one with a base, or with resolvers.
 * @typeParam T what stands for it, where that isn't an instance of the class
 */
export function typed<T extends object>(type: abstract new () => T): z.ZodType<T, T>;
export function typed<T extends object>(type: abstract new () => object): z.ZodType<T, T>;
export function typed(type: abstract new () => object): z.ZodType {
  return z.custom().meta({ type });
}

/** The field of an input that names something by its global id. */
export const givenId = z.string().meta({ shown: 'ID' });

/** An enum, and what each of its values means. */
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
