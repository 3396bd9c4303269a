import { z } from 'zod';
import { enumeration } from './enumeration.js';
import { anyJson } from './stored-json.js';

/** How GraphQL shows what neither the schema's type nor its checks tell: a number beyond 32 bits, a text that is an id or a time. */
export type ShownScalar = 'BigInt' | 'DateTime' | 'Float' | 'ID' | 'JSON';

declare module 'zod' {
  interface GlobalMeta {
    /** What GraphQL calls an object of this form, and says of it. Kept by what is made of a schema with `describe`. */
    record?: { readonly name: string; readonly description: string } | undefined;
    shown?: ShownScalar | undefined;
    /** GraphQL’s name for a field that is stored under another one. */
    name?: string | undefined;
    /** The GraphQL type of what this row id names: its global id is shown. */
    node?: string | undefined;
    /** The class of the GraphQL type that shows it, where no record describes that. A function, since the class may come later. */
    type?: (() => object) | undefined;
  }
}

/**
 * The form of an object that is both stored and shown: `recordType` and `recordInput` of the GraphQL kit derive its type. A field is
 * shown once it is described (`.describe('…')`, with unit, range and default); what isn't stays for the program alone. (zod's own `z.record` is a map of names to values, which GraphQL shows as JSON.)
 */
export const record = <Shape extends z.ZodRawShape>(
  name: string,
  description: string,
  shape: Shape,
): z.ZodObject<Shape> => z.object(shape).meta({ record: { name, description } });

/** A field of a record, with what GraphQL says of it; a field that isn't shown is written with zod alone. */
export const string = (description: string) => z.string().describe(description);
export const int = (description: string) => z.number().int().describe(description);
export const float = (description: string) => z.number().describe(description);
export const boolean = (description: string) => z.boolean().describe(description);
export const date = (description: string) => z.date().describe(description);
/** A text that GraphQL shows as an `ID`. */
export const id = (description: string) => z.string().meta({ description, shown: 'ID' });
/** Whatever JSON can say. */
export const json = (description: string) => anyJson.meta({ description, shown: 'JSON' });
export const oneOf = <const T extends z.core.util.EnumLike>(values: T, description: string) =>
  z.enum(values).describe(description);
export const list = <T extends z.core.SomeType>(item: T, description: string) => z.array(item).describe(description);

interface Choice {
  readonly name: string;
  readonly description: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Every `choice`, for the GraphQL kit. */
export const choices = new Map<object, Choice>();

/**
 * An `enumeration` that GraphQL shows: its name there, what it is, and what each of its values means.
 * `choice('Side', 'On which side of a threshold.', { ABOVE: 'Above it.', BELOW: 'Below it.' })`
 */
export function choice<const Name extends string>(
  name: string,
  description: string,
  values: Readonly<Record<Name, string>>,
): { readonly [N in Name]: N } {
  const entries = enumeration(...(Object.keys(values) as Name[]));
  choices.set(entries, { name, description, values });
  return entries;
}
